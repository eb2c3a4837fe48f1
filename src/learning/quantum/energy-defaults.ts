import type { OptimizerOptions } from '../optimizers/registry.js';

type Defaults = Readonly<
  Record<'tngd' | 'lm' | 'ngd' | 'cg' | 'sgd' | 'sign-sgd' | 'rmsprop' | 'adam', OptimizerOptions>
>;

/** Options that all methods of natural gradient descent have in common. */
const NATURAL = { rate: 0.05, finalRate: 0.1, damping: 1e-3, clip: 0.5 } as const;

const ISING: Defaults = {
  tngd: { ...NATURAL, ticks: 1024, runs: 1 },
  lm: { rate: 0.05, finalRate: 0.1, rank: 0, runs: 1, ticks: 1024, firstDamping: 1e-3, dampingMin: 1e-5 },
  ngd: NATURAL,
  cg: { ...NATURAL, products: 10 },
  sgd: { rate: 0.03, finalRate: 0.1, momentum: 0.9, clip: 0.5 },
  'sign-sgd': { rate: 0.003, finalRate: 0.1, momentum: 0.9, clip: Infinity },
  rmsprop: { rate: 0.01, finalRate: 0.1, beta2: 0.99, clip: Infinity },
  adam: { rate: 0.03, finalRate: 0.1, beta1: 0.9, beta2: 0.999, clip: Infinity },
};

/**
 * Options of the optimizers for the energies of spin rings. The rates were tuned on seed 0 of the default
 * sizes, with 3 to 6 values each; seeds 1 and 2 were not used for this. The rates of lm, sign-sgd and rmsprop
 * were not tuned. The damping is added to S, the quantum geometric tensor.
 */
export const ENERGY_DEFAULTS: Readonly<Record<'ising' | 'heisenberg', Defaults>> = {
  ising: ISING,
  heisenberg: {
    tngd: { ...ISING.tngd, rate: 0.025 },
    lm: { ...ISING.lm, rate: 0.025 },
    ngd: { ...ISING.ngd, rate: 0.025 },
    cg: { ...ISING.cg, rate: 0.025 },
    sgd: ISING.sgd,
    'sign-sgd': ISING['sign-sgd'],
    rmsprop: ISING.rmsprop,
    adam: { ...ISING.adam, rate: 0.1 },
  },
};
