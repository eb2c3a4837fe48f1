import type { OptimizerOptions } from '../optimizers/registry.js';

type Defaults = Readonly<
  Record<
    'lm' | 'tngd' | 'ngd' | 'cg' | 'adam' | 'rmsprop' | 'sign-sgd' | 'sgd' | 'lbfgs' | 'bfgs',
    OptimizerOptions
  >
>;

/** Natural gradient descent with a fixed damping. These values were not tuned. */
const NATURAL = { rate: 0.5, damping: 1e-2, clip: 0.5 } as const;

const SHARED: Defaults = {
  lm: { rank: 16, runs: 2, ticks: 1024, recycle: 1 },
  tngd: { ...NATURAL, ticks: 1024, runs: 2 },
  ngd: NATURAL,
  cg: { ...NATURAL, products: 30 },
  adam: { rate: 0.03, beta1: 0.9, beta2: 0.999, clip: Infinity },
  rmsprop: { rate: 0.01, beta2: 0.99, clip: Infinity },
  'sign-sgd': { rate: 0.003, momentum: 0.9, clip: Infinity },
  sgd: { rate: 0.01, momentum: 0.9, clip: 0.5 },
  lbfgs: { memory: 50 },
  bfgs: {},
};

/**
 * The number of steps for each equation on a board, and the options of its optimizers. The rates of adam and
 * sgd were tuned on seed 0 of the five-dimensional Poisson equation with 3000 steps each: 0.001 to 0.03 for
 * adam, 0.01 to 0.1 for sgd. The rates of rmsprop and sign-sgd were not tuned.
 */
export const PINN_DEFAULTS: Readonly<
  Record<'poisson' | 'heat' | 'burgers', { readonly steps: number; readonly optimizers: Defaults }>
> = {
  poisson: { steps: 150, optimizers: SHARED },
  heat: { steps: 200, optimizers: SHARED },
  burgers: { steps: 150, optimizers: SHARED },
};
