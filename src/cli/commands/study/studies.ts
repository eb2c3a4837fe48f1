import { createExactSolver, createNoSolver } from '../../../algorithms/truncated.js';
import type { OptimizerOptions } from '../../../learning/optimizers/registry.js';
import { PINN_DEFAULTS } from '../../../learning/pinn/pinn-defaults.js';
import { burgersPinn, heatPinn, type PinnProblem, poissonPinn } from '../../../learning/pinn/pinn-problem.js';
import type { Figures, Problem } from '../../../learning/problem/contract.js';
import { ENERGY_DEFAULTS } from '../../../learning/quantum/energy-defaults.js';
import {
  heisenbergChain,
  isingChain,
  type VariationalEnergy,
} from '../../../learning/quantum/variational-energy.js';
import type { Method } from '../train/run-problem.js';
import type { SettingSearch } from './setting-search.js';

/** A method of a study: an optimizer, its options, and how long it trains. */
export interface StudyMethod extends Method {
  /** Description of the method, in a few words. */
  readonly meaning: string;
  readonly steps: number;
  /** Host time of a step relative to the other methods, for the first guess of the time left. */
  readonly stepCost: number;
  /**
   * `board` uses the board. `digital` is a complete method without a board. `without-board` is the method of
   * the board with another answer in place of the board's. It shows what the board adds.
   */
  readonly role: 'board' | 'digital' | 'without-board';
  /** The setting that the study searches. Left out: `options` are used without change. */
  readonly search?: SettingSearch;
  /** The value of the searched setting that `options` have. Left out if no value was searched yet. */
  readonly found?: number | undefined;
  /** The label of another method, whose settings and found value this method uses. */
  readonly settingsOf?: string;
}

/** A problem of a study, and the methods that are compared on it. The first method uses the board. */
export interface StudyTask {
  /** One word, which names the directory. */
  readonly name: string;
  readonly title: string;
  readonly problem: Problem<Figures, Figures>;
  /** The name of the test figure that says how good the parameters are. Smaller is better. */
  readonly measure: string;
  readonly methods: readonly StudyMethod[];
}

/** A comparison of several methods on several problems. */
export interface Study {
  readonly name: string;
  readonly title: string;
  /** What the errors of the study mean, as a text. */
  readonly error: string;
  /** The origin of the settings and steps of the methods, as a text. */
  readonly settingsFrom: string;
  /**
   * Whether charts have a logarithmic axis of steps. It is true if the methods take very different numbers of
   * steps.
   */
  readonly logSteps: boolean;
  readonly tasksOf: (quick: boolean) => readonly StudyTask[];
}

type EnergyOptions = (typeof ENERGY_DEFAULTS)[keyof typeof ENERGY_DEFAULTS];

/** A search that begins with half, once and twice a rate that was found by hand. */
function ratesAround(known: number): SettingSearch {
  return {
    ...{ setting: 'rate', values: [known / 2, known, 2 * known] },
    optionsAt: (rate) => ({ rate }),
  };
}

/**
 * Numbers of conjugate directions of CG. With 30 directions CG is about as accurate as the board at these
 * sizes.
 */
const CG_PRODUCTS = [3, 10, 30] as const;

function energyMethods(defaults: EnergyOptions, steps: number, ticks?: number): readonly StudyMethod[] {
  const searched = ({ rate }: OptimizerOptions) => ({ search: ratesAround(rate!) });
  const tngd: OptimizerOptions = ticks === undefined ? defaults.tngd : { ...defaults.tngd, ticks };
  const shared = { steps, usesBoard: false } as const;
  return [
    {
      ...{ ...shared, label: 'board', name: 'tngd', options: tngd, usesBoard: true, role: 'board' },
      ...searched(tngd),
      ...{ meaning: 'natural gradient, the equation solved roughly by the board', stepCost: 8 },
    },
    {
      ...{ ...shared, label: 'ngd', name: 'ngd', options: defaults.ngd, role: 'digital' },
      ...searched(defaults.ngd),
      ...{ meaning: 'natural gradient, solved exactly on the host', stepCost: 3 },
    },
    ...CG_PRODUCTS.map(
      (products): StudyMethod => ({
        ...{ ...shared, label: `cg(${products})`, name: 'cg', role: 'digital' },
        ...searched(defaults.cg),
        ...{ options: { ...defaults.cg, products }, stepCost: 2 },
        meaning: `natural gradient by ${products} conjugate directions on the host`,
      }),
    ),
    {
      ...{ ...shared, label: 'adam', name: 'adam', options: defaults.adam, role: 'digital' },
      ...searched(defaults.adam),
      ...{ meaning: 'Adam', stepCost: 1 },
    },
    {
      ...{ ...shared, label: 'control', name: 'sgd', options: defaults.sgd, role: 'digital' },
      ...searched(defaults.sgd),
      ...{ meaning: 'SGD with momentum and clip, no curvature', stepCost: 1 },
    },
    {
      ...{ ...shared, label: 'no-board', name: 'tngd', options: tngd, role: 'without-board' },
      settingsOf: 'board',
      ...{ digitalSolver: createNoSolver(), stepCost: 1 },
      meaning: 'the host work of the board’s method, its answer replaced by its input',
    },
  ];
}

function energyTask(
  name: string,
  kind: string,
  problem: VariationalEnergy,
  methods: readonly StudyMethod[],
): StudyTask {
  const sites = String(problem.settings['sites']);
  return { name, title: `${kind} ring of ${sites} spins`, problem, measure: 'energyError', methods };
}

const QUANTUM: Study = {
  name: 'quantum',
  title: 'Ground states of spin rings by variational Monte Carlo',
  error:
    '(E − E₀)/|E₀|: how far the energy of the trained state, computed from all patterns, lies above the ground energy',
  settingsFrom:
    'The study searches the rate of each method on seeds that are not reported, with equally many values for each method. The rate whose largest final error over these seeds is least is used. The other settings were chosen earlier on seed 0. All methods take equally many steps.',
  logSteps: false,
  tasksOf: (quick) =>
    quick
      ? [
          energyTask(
            'ising',
            'Ising',
            isingChain({ sites: 12, chains: 256 }),
            energyMethods(ENERGY_DEFAULTS.ising, 60, 256),
          ),
        ]
      : [
          energyTask('ising', 'Ising', isingChain({ sites: 16 }), energyMethods(ENERGY_DEFAULTS.ising, 200)),
          energyTask(
            'heisenberg',
            'Heisenberg',
            heisenbergChain({ sites: 12 }),
            energyMethods(ENERGY_DEFAULTS.heisenberg, 200),
          ),
        ],
};

/**
 * The numbers of steps of Adam and SGD (`firstOrder`) and of L-BFGS and BFGS (`quasiNewton`). Their steps are
 * far cheaper than those of Levenberg–Marquardt.
 */
interface LongerSteps {
  readonly firstOrder: number;
  readonly quasiNewton: number;
}

/** If no rate is given, the rate is 1 in all steps. So a rate of 1 needs no option. */
const RATE_OF_LM: SettingSearch = {
  ...{ setting: 'rate', values: [0.5, 1, 2] },
  optionsAt: (rate) => (rate === 1 ? {} : { rate, finalRate: 1 }),
};

const MEMORY_OF_LBFGS: SettingSearch = {
  ...{ setting: 'memory', values: [25, 50, 100] },
  optionsAt: (memory) => ({ memory }),
};

function pinnMethods(
  { optimizers }: (typeof PINN_DEFAULTS)[keyof typeof PINN_DEFAULTS],
  steps: number,
  { firstOrder, quasiNewton }: LongerSteps,
  lm: OptimizerOptions = optimizers.lm,
): readonly StudyMethod[] {
  const shared = { steps, usesBoard: false } as const;
  // `recycle` improves rough answers with earlier steps. An exact answer needs no improvement.
  const { recycle: _, ...lmAlone } = lm;
  return [
    {
      ...{ ...shared, label: 'board', name: 'lm', options: lm, usesBoard: true, role: 'board' },
      search: RATE_OF_LM,
      ...{ meaning: 'Levenberg–Marquardt, the equation solved roughly by the board', stepCost: 10 },
    },
    {
      ...{ ...shared, label: 'exact', name: 'lm', options: lmAlone, digitalSolver: createExactSolver() },
      ...{
        meaning: 'Levenberg–Marquardt, the equation solved exactly on the host',
        stepCost: 8,
        role: 'digital',
      },
      search: RATE_OF_LM,
    },
    {
      ...{ ...shared, label: 'lbfgs', name: 'lbfgs', options: optimizers.lbfgs, role: 'digital' },
      search: MEMORY_OF_LBFGS,
      ...{ steps: quasiNewton, meaning: 'L-BFGS on the host', stepCost: 0.5 },
    },
    {
      ...{ ...shared, label: 'bfgs', name: 'bfgs', options: optimizers.bfgs, role: 'digital' },
      ...{ steps: quasiNewton, meaning: 'BFGS with a dense matrix on the host', stepCost: 0.8 },
    },
    {
      ...{ ...shared, label: 'adam', name: 'adam', options: optimizers.adam, role: 'digital' },
      search: ratesAround(optimizers.adam.rate!),
      ...{ steps: firstOrder, meaning: 'Adam', stepCost: 0.3 },
    },
    {
      ...{ ...shared, label: 'control', name: 'sgd', options: optimizers.sgd, role: 'digital' },
      search: ratesAround(optimizers.sgd.rate!),
      ...{ steps: firstOrder, meaning: 'SGD with momentum and clip, no curvature', stepCost: 0.3 },
    },
    {
      ...{ ...shared, label: 'no-board', name: 'lm', options: lm, digitalSolver: createNoSolver() },
      ...{ role: 'without-board', stepCost: 5, settingsOf: 'board' },
      meaning: 'the host work of the board’s method, its answer replaced by its input',
    },
  ];
}

function pinnTask(
  name: string,
  title: string,
  problem: PinnProblem,
  methods: readonly StudyMethod[],
): StudyTask {
  return { name, title, problem, measure: 'relativeError', methods };
}

/**
 * Steps for the Poisson equation in two dimensions. Its error falls for more steps than that of the equation
 * in five dimensions.
 */
const POISSON_SQUARE_STEPS = 200;

/** A solution so steep that 460 points are too few for a network of 337 parameters. */
const STEEP_BURGERS = { viscosity: 0.1 / Math.PI, grid: 20, boundaryCount: 20, hidden: [16, 16] };

const FULL: LongerSteps = { firstOrder: 3000, quasiNewton: 1000 };

const PINN: Study = {
  name: 'pinn',
  title: 'Equations solved by physics-informed networks',
  error:
    '‖u − u*‖/‖u*‖: the relative error of the solution at points that no step saw; u* is the known solution',
  settingsFrom:
    'The study searches the rate of each method, and the memory of L-BFGS, on seeds that are not reported, with equally many values for each method. The value whose largest final error over these seeds is least is used. BFGS has no setting. The other settings were chosen earlier on seed 0. Methods other than Levenberg–Marquardt take more steps, since their steps are cheaper.',
  logSteps: true,
  tasksOf: (quick) => {
    const { poisson, heat, burgers } = PINN_DEFAULTS;
    if (quick) {
      const steps = { firstOrder: 300, quasiNewton: 100 };
      const methods = pinnMethods(heat, 20, steps, { ...heat.optimizers.lm, rank: 4, ticks: 256 });
      return [pinnTask('heat', 'Heat equation', heatPinn({ hidden: [12] }), methods)];
    }
    return [
      pinnTask(
        'poisson',
        'Poisson equation in 5 dimensions',
        poissonPinn({ dimensions: 5 }),
        pinnMethods(poisson, poisson.steps, FULL),
      ),
      pinnTask(
        'poisson-2d',
        'Poisson equation in 2 dimensions',
        poissonPinn({ dimensions: 2 }),
        pinnMethods(poisson, POISSON_SQUARE_STEPS, FULL),
      ),
      pinnTask('heat', 'Heat equation', heatPinn(), pinnMethods(heat, heat.steps, FULL)),
      pinnTask('burgers', 'Burgers’ equation', burgersPinn(), pinnMethods(burgers, burgers.steps, FULL)),
      pinnTask(
        'burgers-steep',
        'Burgers’ equation with ν = 0.1/π and 460 points',
        burgersPinn(STEEP_BURGERS),
        pinnMethods(burgers, burgers.steps, FULL),
      ),
    ];
  },
};

export const STUDIES = { quantum: QUANTUM, pinn: PINN } as const;
