import type { OptimizerName, OptimizerOptions } from '../../../../learning/optimizers/registry.js';
import { PINN_DEFAULTS } from '../../../../learning/pinn/pinn-defaults.js';
import { heatPinn, poissonPinn } from '../../../../learning/pinn/pinn-problem.js';
import type { Figures, Problem } from '../../../../learning/problem/contract.js';
import { ENERGY_DEFAULTS } from '../../../../learning/quantum/energy-defaults.js';
import { heisenbergChain, isingChain } from '../../../../learning/quantum/variational-energy.js';
import { formatNumber } from '../../../../number-text.js';
import { digitsProblem } from '../digits.js';
import { leastSquares } from '../least-squares-problem.js';

/** A method on a problem. If its rate is searched, there are several rates. */
export interface MapMethod {
  readonly optimizer: OptimizerName;
  readonly options: OptimizerOptions;
  readonly rates?: readonly number[];
  /** Number of steps, divided by that of the board. Default 1. */
  readonly longer?: number;
}

export interface MapProblem {
  readonly title: string;
  readonly make: (seed: number, quick: boolean) => Problem<Figures, Figures>;
  readonly measure: string;
  readonly steps: number;
  /** The methods by name. The first one uses the board; `exact` solves the same equation on the host. */
  readonly methods: Readonly<Record<string, MapMethod>>;
}

/** The name of the method in which a solver that returns its input replaces the board. */
export const LOW_RANK = 'low rank 64, no board';

/** First-order methods take this many times the steps of the board, and ten times as many for equations. */
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
 * The same method with the board, with an exact solver, and with a solver that returns its input, which
 * amounts to conjugate gradients.
 */
function equationMethods(lm: OptimizerOptions): MapProblem['methods'] {
  return {
    board: { optimizer: 'lm', options: lm },
    [LOW_RANK]: { optimizer: 'lm', options: { ...lm, rank: 64, runs: 1, ticks: 1 } },
    exact: { optimizer: 'lm', options: lm },
    adam: { optimizer: 'adam', options: {}, rates: [0.01, 0.03, 0.1, 0.3, 1], longer: 10 * LONGER },
    momentum: {
      optimizer: 'sgd',
      options: { momentum: 0.9, clip: 0.5 },
      rates: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
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
      { adam: [0.03, 0.1, 0.3, 1, 3], momentum: [0.3, 0.6, 1, 2, 4, 8, 16] },
      4 * LONGER,
    ),
  };
}

const RATES = { adam: [0.01, 0.03, 0.1, 0.3, 1], momentum: [0.003, 0.01, 0.03, 0.1, 0.3, 1] } as const;
const energyOptions = (defaults: (typeof ENERGY_DEFAULTS)['ising']) =>
  naturalMethods(defaults.ngd, { ticks: 256, runs: 1 }, RATES);

/**
 * `recycle` is left out: with earlier steps as directions, more than the answers of the board would count.
 */
const { recycle: _, ...LM } = PINN_DEFAULTS.poisson.optimizers.lm;

/** The problems of the map, in the order of its rows. */
export const PROBLEMS: Readonly<Record<string, MapProblem>> = {
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
    methods: equationMethods({ ...LM, ticks: 512 }),
  },
  poisson5: {
    title: 'Poisson equation in 5 dimensions',
    make: () => poissonPinn({ dimensions: 5, hidden: [24] }),
    ...{ measure: 'relativeError', steps: 40 },
    methods: equationMethods({ ...LM, ticks: 512 }),
  },
  heat: {
    title: 'heat equation',
    make: () => heatPinn({ hidden: [16] }),
    ...{ measure: 'relativeError', steps: 40 },
    methods: equationMethods({ ...LM, ticks: 512 }),
  },
  digits: {
    title: 'digits',
    make: (seed, quick) => digitsProblem(seed, quick),
    ...{ measure: 'trainLoss', steps: 80 },
    methods: {
      board: { optimizer: 'tngd', options: { rate: 0.7, damping: 0.3, clip: 0.5, time: 1, initial: 'keep' } },
      'cg(10)': { optimizer: 'cg', options: { rate: 0.7, damping: 0.3, clip: 0.5, products: 10 } },
      exact: { optimizer: 'ngd', options: { rate: 0.7, damping: 0.3, clip: 0.5 } },
      adam: { optimizer: 'adam', options: {}, rates: [0.005, 0.01, 0.02, 0.04, 0.08, 0.16] },
      momentum: { optimizer: 'sgd', options: { momentum: 0.74, clip: 0.5 }, rates: [0.25, 0.5, 1, 2, 4] },
    },
  },
};
