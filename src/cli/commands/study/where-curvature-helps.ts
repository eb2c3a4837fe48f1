import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import { createExactSolver, createNoSolver } from '../../../algorithms/truncated.js';
import type { OptimizerName, OptimizerOptions } from '../../../learning/optimizers/registry.js';
import { PINN_DEFAULTS } from '../../../learning/pinn/pinn-defaults.js';
import { heatPinn, poissonPinn } from '../../../learning/pinn/pinn-problem.js';
import type { Figures, Problem } from '../../../learning/problem/contract.js';
import { ENERGY_DEFAULTS } from '../../../learning/quantum/energy-defaults.js';
import { heisenbergChain, isingChain } from '../../../learning/quantum/variational-energy.js';
import { formatNumber, formatSeconds } from '../../../number-text.js';
import { barChart } from '../../../plot/bar-chart.js';
import type { Chart } from '../../../plot/chart.js';
import { digitsProblem } from './digits.js';
import { leastSquares } from './least-squares-problem.js';
import { runProblemOnce } from './problem-run.js';
import { groupsOf, meanAt, secondsOrDash, spreadOver } from './table/groups.js';
import { tableCommand } from './table/table-command.js';
import type {
  Claim,
  Lab,
  Measured,
  PlannedRun,
  Scale,
  TableRun,
  TableStudy,
  TextTable,
} from './table/table-study.js';

const PART = 'trainings';
const SEARCH = 'search';
const SEARCH_SEED = 0;
/** The target is this many times the error that the board ends with, seed by seed. */
const TARGET_FACTOR = 2;
const USB_BYTES_PER_SECOND = 40e6;
const FAST_BYTES_PER_SECOND = 6.25e9;
/** Ratios within this factor are a tie. */
const TIE = 1.5;

/** A method on a problem. Rates that are searched are several. */
interface MapMethod {
  readonly optimizer: OptimizerName;
  readonly options: OptimizerOptions;
  readonly rates?: readonly number[];
  /** Steps over those of the board. */
  readonly longer?: number;
}

interface MapProblem {
  readonly title: string;
  readonly make: (seed: number, quick: boolean) => Problem<Figures, Figures>;
  readonly measure: string;
  readonly steps: number;
  /** The board first; `exact` solves the same equation on the host. */
  readonly methods: Readonly<Record<string, MapMethod>>;
}

const FIRST_ORDER = ['adam', 'momentum'] as const;
/** First-order methods get so many times the steps. */
const LONGER = 5;

function naturalMethods(
  natural: OptimizerOptions,
  board: OptimizerOptions,
  first: { readonly adam: readonly number[]; readonly momentum: readonly number[] },
  longer = LONGER,
): MapProblem['methods'] {
  return {
    board: { optimizer: 'tngd', options: { ...natural, ...board } },
    'cg(30)': { optimizer: 'cg', options: { ...natural, products: 30 } },
    exact: { optimizer: 'ngd', options: natural },
    adam: { optimizer: 'adam', options: {}, rates: first.adam, longer },
    momentum: {
      optimizer: 'sgd',
      options: { momentum: 0.9, clip: 0.5 },
      rates: first.momentum,
      longer,
    },
  };
}

/**
 * The same method with the board, exactly, and with no answer but its input, which is conjugate gradients.
 */
function equationMethods(lm: OptimizerOptions): MapProblem['methods'] {
  return {
    board: { optimizer: 'lm', options: lm },
    'low rank 64, no board': { optimizer: 'lm', options: { ...lm, rank: 64, runs: 1, ticks: 1 } },
    exact: { optimizer: 'lm', options: lm },
    adam: { optimizer: 'adam', options: {}, rates: [0.01, 0.03], longer: 10 * LONGER },
    momentum: {
      optimizer: 'sgd',
      options: { momentum: 0.9, clip: 0.5 },
      rates: [0.003, 0.01],
      longer: 10 * LONGER,
    },
  };
}

function squares(condition: number): MapProblem {
  return {
    title: `least squares of condition ${formatNumber(condition, 1)}`,
    make: (seed) => leastSquares(64, condition, seed),
    ...{ measure: 'relativeResidual', steps: 20 },
    methods: naturalMethods(
      { rate: 0.5, finalRate: 1, damping: 1e-4, clip: Infinity },
      { ticks: 512, runs: 2 },
      { adam: [0.03, 0.1, 0.3], momentum: [0.3, 0.6, 1] },
      4 * LONGER,
    ),
  };
}

const RATES = { adam: [0.01, 0.03, 0.1], momentum: [0.01, 0.03, 0.1] } as const;
const energyOptions = (defaults: (typeof ENERGY_DEFAULTS)['ising']) =>
  naturalMethods(defaults.ngd, { ticks: 256, runs: 1 }, RATES);

const PROBLEMS: Readonly<Record<string, MapProblem>> = {
  'squares-10': squares(10),
  'squares-1000': squares(1000),
  'squares-100000': squares(1e5),
  ising: {
    title: 'Ising ring of 10 spins',
    make: () => isingChain({ sites: 10, chains: 256 }),
    ...{ measure: 'energyError', steps: 60, methods: energyOptions(ENERGY_DEFAULTS.ising) },
  },
  heisenberg: {
    title: 'Heisenberg ring of 8 spins',
    make: () => heisenbergChain({ sites: 8, chains: 256 }),
    ...{ measure: 'energyError', steps: 60, methods: energyOptions(ENERGY_DEFAULTS.heisenberg) },
  },
  poisson2: {
    title: 'Poisson equation in 2 dimensions',
    make: () => poissonPinn({ dimensions: 2, hidden: [16] }),
    ...{ measure: 'relativeError', steps: 40 },
    methods: equationMethods({ ...PINN_DEFAULTS.poisson.optimizers.lm, ticks: 512 }),
  },
  poisson5: {
    title: 'Poisson equation in 5 dimensions',
    make: () => poissonPinn({ dimensions: 5, hidden: [24] }),
    ...{ measure: 'relativeError', steps: 40 },
    methods: equationMethods({ ...PINN_DEFAULTS.poisson.optimizers.lm, ticks: 512 }),
  },
  heat: {
    title: 'heat equation',
    make: () => heatPinn({ hidden: [16] }),
    ...{ measure: 'relativeError', steps: 40 },
    methods: equationMethods({ ...PINN_DEFAULTS.heat.optimizers.lm, ticks: 512 }),
  },
  digits: {
    title: 'digits',
    make: (seed, quick) => digitsProblem(seed, quick),
    ...{ measure: 'trainLoss', steps: 80 },
    methods: {
      board: { optimizer: 'tngd', options: { rate: 0.7, damping: 0.3, clip: 0.5, time: 1, initial: 'keep' } },
      'cg(10)': { optimizer: 'cg', options: { rate: 0.7, damping: 0.3, clip: 0.5, products: 10 } },
      exact: { optimizer: 'ngd', options: { rate: 0.7, damping: 0.3, clip: 0.5 } },
      adam: { optimizer: 'adam', options: {}, rates: [0.005, 0.01, 0.02] },
      momentum: { optimizer: 'sgd', options: { momentum: 0.74, clip: 0.5 }, rates: [0.25, 0.5, 1] },
    },
  },
};

function runsOf({ quick, seeds }: Scale): PlannedRun[] {
  const names = quick ? ['squares-10', 'squares-1000', 'ising', 'poisson2', 'digits'] : Object.keys(PROBLEMS);
  const stepsOf = ({ steps }: MapProblem, { longer = 1 }: MapMethod) => (steps * longer) / 100;
  const searched = names.flatMap((problem) =>
    Object.entries(PROBLEMS[problem].methods).flatMap(([method, one]) =>
      (one.rates ?? []).map((rate) => ({
        ...{ part: SEARCH, settings: { problem, method, rate }, seed: SEARCH_SEED },
        cost: stepsOf(PROBLEMS[problem], one),
      })),
    ),
  );
  const reported = seeds.flatMap((seed) =>
    names.flatMap((problem) =>
      Object.entries(PROBLEMS[problem].methods).map(([method, one]) => ({
        ...{ part: PART, settings: { problem, method }, seed },
        cost: stepsOf(PROBLEMS[problem], one) * (method === 'board' ? 5 : 2),
      })),
    ),
  );
  return [...searched, ...reported];
}

async function measure({ part, settings, seed }: PlannedRun, lab: Lab, { quick }: Scale): Promise<Measured> {
  const name = String(settings['problem']);
  const method = String(settings['method']);
  const { make, measure: figure, steps, methods } = PROBLEMS[name];
  const { optimizer, options, rates, longer = 1 } = methods[method];
  const rate: Readonly<Record<string, number>> =
    rates === undefined ? {} : { rate: Number(settings['rate'] ?? bestRate(lab.done, name, method)) };
  const stepsMax = quick ? Math.ceil((steps * longer) / 2) : steps * longer;
  const { figures, timing, curve } = await runProblemOnce({
    ...{ problem: make(seed, quick), measure: figure, optimizer, steps: stepsMax, seed, signal: lab.signal },
    options: { ...options, ...rate },
    ...(await solverOf(method, optimizer, lab)),
  });
  if (part === SEARCH) return { figures: { error: figures['error'] } };
  const target = TARGET_FACTOR * (method === 'board' ? figures['error'] : boardError(lab.done, name, seed));
  const reached = curve.find(([, error]) => error <= target)?.[0];
  return {
    figures:
      reached === undefined ? { ...figures, ...rate } : { ...figures, ...rate, stepsToTarget: reached },
    ...(timing === undefined ? {} : { timing }),
  };
}

/** What answers in a method: the board, or the host. Others need nothing. */
async function solverOf(method: string, optimizer: OptimizerName, lab: Lab) {
  if (method === 'board') return { solver: createAnalogSolver(await lab.board()) };
  if (optimizer !== 'lm') return {};
  return { solver: method === 'exact' ? createExactSolver() : createNoSolver() };
}

function bestRate(done: readonly TableRun[], problem: string, method: string): number {
  const tried = done.filter(
    ({ part, settings }) =>
      part === SEARCH && settings['problem'] === problem && settings['method'] === method,
  );
  const errorOf = ({ figures }: TableRun): number => figures['error'] ?? Number.POSITIVE_INFINITY;
  return Number(tried.reduce((best, run) => (errorOf(run) < errorOf(best) ? run : best)).settings['rate']);
}

function boardError(done: readonly TableRun[], problem: string, seed: number): number {
  const board = done.find(
    (run) =>
      run.part === PART &&
      run.seed === seed &&
      run.settings['problem'] === problem &&
      run.settings['method'] === 'board',
  );
  return board?.figures['error'] ?? Number.NaN;
}

/** What it takes to reach the target; infinite where a seed did not reach it. */
interface ToTarget {
  readonly steps: number;
  readonly host: number;
  /** With the transfer and the board, over USB 2 and over 50 Gb/s. */
  readonly usb: number;
  readonly fast: number;
}

function toTarget(runs: readonly TableRun[], problem: string, method: string): ToTarget {
  const at = { problem, method };
  const [group] = groupsOf(runs, PART, at);
  const steps = (group && spreadOver(group, 'stepsToTarget')?.mean) ?? Number.POSITIVE_INFINITY;
  // A method that does not get there needs infinitely much of everything, even of what it needs none of.
  if (steps === Number.POSITIVE_INFINITY) return { steps, host: steps, usb: steps, fast: steps };
  const of = (figure: string): number => meanAt(runs, PART, at, figure);
  const host = steps * of('hostWorkSeconds');
  const over = (link: number): number => host + steps * (of('uploadBytes') / link + of('boardSeconds'));
  return { steps, host, usb: over(USB_BYTES_PER_SECOND), fast: over(FAST_BYTES_PER_SECOND) };
}

/** The rival that needs least of it; first order has two methods. */
function rivals(runs: readonly TableRun[], problem: string): readonly (readonly [string, ToTarget])[] {
  const names = Object.keys(PROBLEMS[problem].methods);
  const of = (method: string) => toTarget(runs, problem, method);
  const first = FIRST_ORDER.map(of);
  const least = (figure: keyof ToTarget) => Math.min(...first.map((one) => one[figure]));
  const best = { steps: least('steps'), host: least('host'), usb: least('usb'), fast: least('fast') };
  return [
    ['first order', best],
    [names[1], of(names[1])],
    ['exact', of('exact')],
  ];
}

type Outcome = 'wins' | 'ties' | 'loses';
function outcome(board: number, rival: number): Outcome {
  if (rival > TIE * board) return 'wins';
  return board > TIE * rival ? 'loses' : 'ties';
}

const times = (board: number, rival: number): string =>
  Number.isFinite(rival)
    ? `${outcome(board, rival)}, × ${formatNumber(rival / board, 2)}`
    : 'wins, not reached';

const problemsOf = (runs: readonly TableRun[]): string[] => [
  ...new Set(runs.filter(({ part }) => part === PART).map(({ settings }) => String(settings['problem']))),
];

function modelTables(runs: readonly TableRun[]): TextTable[] {
  return [
    {
      title: `The map: what others need to reach ${TARGET_FACTOR} times the board’s error, over what the board needs`,
      header: ['problem', 'against', 'in steps', 'in host time', 'in time, USB 2', 'in time, 50 Gb/s'],
      rows: problemsOf(runs).flatMap((problem) => {
        const board = toTarget(runs, problem, 'board');
        return rivals(runs, problem).map(([name, rival]) => [
          ...[PROBLEMS[problem].title, name, times(board.steps, rival.steps), times(board.host, rival.host)],
          ...[times(board.usb, rival.usb), times(board.fast, rival.fast)],
        ]);
      }),
    },
  ];
}

function claimsOf(runs: readonly TableRun[]): Claim[] {
  const rows = problemsOf(runs).map((problem) => ({
    title: PROBLEMS[problem].title,
    board: toTarget(runs, problem, 'board'),
    rivals: rivals(runs, problem),
  }));
  const count = (rival: number, figure: keyof ToTarget) => {
    const outcomes = rows.map((row) => outcome(row.board[figure], row.rivals[rival][1][figure]));
    const named = (wanted: Outcome): string[] =>
      rows.filter((_, index) => outcomes[index] === wanted).map(({ title }) => title);
    return { wins: named('wins'), ties: named('ties'), loses: named('loses') };
  };
  const text = ({ wins, ties, loses }: ReturnType<typeof count>): string =>
    [
      ['wins on', wins],
      ['ties on', ties],
      ['loses on', loses],
    ]
      .flatMap(([word, titles]) =>
        titles.length > 0 ? [`${word as string} ${(titles as string[]).join(', ')}`] : [],
      )
      .join('; ');
  const verdict = ({ wins, loses }: ReturnType<typeof count>): Claim['verdict'] => {
    if (wins.length === rows.length) return 'holds';
    if (loses.length > wins.length) return 'a digital method wins';
    return wins.length > 0 ? 'holds in part' : 'a tie';
  };
  const claim = (sentence: string, rival: number, figure: keyof ToTarget, how: string): Claim => {
    const counted = count(rival, figure);
    return { claim: sentence, paper: '–', ours: `It ${text(counted)}.`, how, verdict: verdict(counted) };
  };
  const steps =
    'steps to twice the board’s final error, measured on an emulated board; a factor below 1.5 is a tie';
  const model =
    'steps as before; host work measured in JavaScript, transfer at 40 MB/s and board time modelled';
  const fast = 'as before, transfer at 50 Gb/s';
  return [
    claim('The board needs fewer steps than Adam and momentum.', 0, 'steps', steps),
    claim('The board needs fewer steps than CG, or low rank without a board.', 1, 'steps', steps),
    claim('The board over USB 2 needs less time than Adam and momentum.', 0, 'usb', model),
    claim('The board over 50 Gb/s needs less time than an exact solve on the host.', 2, 'fast', fast),
    claim('The board over USB 2 needs less time than an exact solve on the host.', 2, 'usb', model),
    claim('The board over USB 2 needs less time than CG, or low rank without a board.', 1, 'usb', model),
  ];
}

/** Bars of the problems on which a first-order method gets there; the others are named. */
function stepsChart(runs: readonly TableRun[]): Chart {
  const ratios = problemsOf(runs).map((problem) => ({
    problem,
    ratio: rivals(runs, problem)[0][1].steps / toTarget(runs, problem, 'board').steps,
  }));
  const reached = ratios.filter(({ ratio }) => Number.isFinite(ratio));
  const others = ratios.filter(({ ratio }) => !Number.isFinite(ratio)).map(({ problem }) => problem);
  return barChart({
    title: 'Steps of the best first-order method over those of the board',
    subtitle: `to the same error${others.length > 0 ? `; not reached at all on ${others.join(', ')}` : ''}`,
    x: { label: 'ratio' },
    bars: reached.map(({ problem, ratio }) => ({
      name: problem,
      segments: [{ name: 'steps', value: ratio }],
    })),
  });
}

export const WHERE_CURVATURE_HELPS: TableStudy = {
  name: 'where-curvature-helps',
  title: 'Where curvature helps: a map',
  about: [
    'Small forms of many problems, from a well conditioned least squares to quantum states, equations and digits. On each the board, conjugate gradients, an exact solve, Adam and momentum go for the same target.',
    `The target is ${TARGET_FACTOR} times the error that the board ends with, seed by seed. First-order methods may take 5 to 50 times the steps.`,
    '“Low rank 64, no board” is the method of the equations with the board’s answer replaced by its input, and more directions that the host solves.',
  ],
  settingsFrom:
    'Rates of Adam and momentum are searched on seed 0, 2 or 3 values each. Other settings are those of the studies quantum, pinn and mnist.',
  modelled:
    'Steps and errors are measured on an emulated board. Host work is measured on this machine, the fastest step. The time of the link and of the board is modelled.',
  device: 'emulator:ideal-crossbar',
  parts: [
    {
      name: PART,
      title: 'Trainings',
      columns: [
        { figure: 'error', title: 'error', format: (value) => value.toExponential(1) },
        { figure: 'stepsToTarget', title: 'steps to target', format: (value) => formatNumber(value) },
        { figure: 'hostWorkSeconds', title: 'host work a step', format: formatSeconds },
        { figure: 'boardSeconds', title: 'board a step', format: secondsOrDash },
      ],
    },
    {
      name: SEARCH,
      title: 'Search of rates on seed 0',
      columns: [{ figure: 'error', title: 'error', format: (value) => value.toExponential(1) }],
    },
  ],
  runs: runsOf,
  measure,
  charts: (runs) => [stepsChart(runs)],
  modelTables,
  claims: claimsOf,
};

export const command = tableCommand(WHERE_CURVATURE_HELPS);
