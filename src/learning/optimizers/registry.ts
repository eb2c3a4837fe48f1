import type { Blocks } from './layer-blocks.js';
import type { InitialPolicy } from './relaxation.js';

/** The optimizers by name; docs/explanation/training.md compares them. */
export const OPTIMIZER_NAMES = [
  'tngd',
  'tngd-adam',
  'ngd',
  'cg',
  'lm',
  'kfac',
  'sgd',
  'sign-sgd',
  'rmsprop',
  'adam',
  'lbfgs',
  'bfgs',
] as const;
/** One of `OPTIMIZER_NAMES`. */
export type OptimizerName = (typeof OPTIMIZER_NAMES)[number];

/** What an optimizer needs from a problem and from a solver. */
export interface OptimizerTraits {
  /**
   * The operation that the board performs; `relax` becomes `truncated` if `ticks` is given. Absent: no board
   * is needed.
   */
  readonly board?: 'relax' | 'truncated' | 'invert';
  /**
   * The curvature that it needs. `factor`: the factor K. `layers`: the curvature of each layer. `none`: no
   * curvature.
   */
  readonly curvature: 'factor' | 'layers' | 'none';
  /** The loss that its trial steps need: `needsTrial` of `Optimizer`. Absent: it makes no trial steps. */
  readonly needsTrial?: 'step' | 'same';
}

/** The traits of each optimizer. With some options the curvature is dense; see `loadsDense`. */
export const OPTIMIZER_TRAITS: Readonly<Record<OptimizerName, OptimizerTraits>> = {
  tngd: { board: 'relax', curvature: 'factor' },
  'tngd-adam': { board: 'relax', curvature: 'factor' },
  ngd: { curvature: 'factor' },
  cg: { curvature: 'factor' },
  lm: { board: 'truncated', curvature: 'factor', needsTrial: 'step' },
  kfac: { board: 'invert', curvature: 'layers' },
  sgd: { curvature: 'none' },
  'sign-sgd': { curvature: 'none' },
  rmsprop: { curvature: 'none' },
  adam: { curvature: 'none' },
  lbfgs: { curvature: 'none', needsTrial: 'same' },
  bfgs: { curvature: 'none', needsTrial: 'same' },
};

export const BLOCKS: readonly Blocks[] = ['whole', 'layers'];
export const INITIAL_POLICIES: readonly InitialPolicy[] = ['keep', 'gradient', 'zero'];

/** All options of all optimizers. A missing option has the default of the optimizer. */
export interface OptimizerOptions {
  /** η > 0: the factor of the first step. It falls linearly over the training to the final rate. */
  readonly rate?: number;
  /** The final rate as a share of `rate`, 0 … 1. Default 0. */
  readonly finalRate?: number;
  /** Share of the previous update that is kept, at least 0 and below 1. */
  readonly momentum?: number;
  /**
   * Share of the running mean that is kept, at least 0 and below 1. It is the mean of gradients in `adam`,
   * and of solutions x in `tngd-adam`.
   */
  readonly beta1?: number;
  /**
   * Share of the running mean of squares that `adam`, `tngd-adam` and `rmsprop` keep, at least 0 and below 1.
   */
  readonly beta2?: number;
  /** The final λ as a share of `damping`, above 0 and at most 1. λ falls geometrically. Default 1. */
  readonly finalDamping?: number;
  /** λ ≥ 0: number that is added to every eigenvalue of the curvature, in the units of the curvature. */
  readonly damping?: number;
  /** t ≥ 0: relaxation time, in units of 1/eigenvalue of G + λI; G is the curvature. */
  readonly time?: number;
  /** Whether `tngd` and `tngd-adam` solve for all parameters together, or for each layer separately. */
  readonly blocks?: Blocks;
  /** The starting point of each relaxation. */
  readonly initial?: InitialPolicy;
  /**
   * t_d ≥ 0, in the units of `time`: how long the board continues to relax after its solution was read. It is
   * allowed only if `initial` is `keep`.
   */
  readonly delay?: number;
  /**
   * Whether `tngd` overlaps the delay with the next step: while the board continues to relax, the next
   * gradient and curvature are computed, and the next couplings are sent. Default no.
   */
  readonly asynchronous?: boolean;
  /** Largest norm of an update, in units of the parameters; Infinity for no bound. */
  readonly clip?: number;
  /**
   * Number of ticks of each board run. With this option `tngd` takes rough answers: the runs start from zero
   * and use the largest stable tick. It replaces `time`, `initial` and `delay`.
   */
  readonly ticks?: number;
  /** Number of board runs in a step with `ticks`. The host combines them. */
  readonly runs?: number;
  /** Number of conjugate directions in a step of `cg`. */
  readonly products?: number;
  /** Number of dominant directions of the curvature that the host solves itself in `lm`, ≥ 0. */
  readonly rank?: number;
  /** Number of earlier steps that `lm` uses again as directions, 0 to 8. Default 0. */
  readonly recycle?: number;
  /** Smallest λ of `lm`, as a share of the curvature's largest eigenvalue, above 0. */
  readonly dampingMin?: number;
  /** λ of the first attempt of `lm`, as a share of the curvature's largest eigenvalue, above 0. */
  readonly firstDamping?: number;
  /**
   * Share of the running mean of the curvature that is kept when a new batch is added, at least 0 and below
   * 1. With this option the curvature of `ngd` and of `tngd` with `ticks` is a dense matrix.
   */
  readonly average?: number;
  /**
   * R ≥ 1: number of steps that use the same curvature, in `kfac`, in `tngd` with `ticks`, and in `ngd` with
   * `average`.
   */
  readonly reload?: number;
  /** Largest predicted change of the label probabilities in a step of `kfac`, in units of nat, above 0. */
  readonly klClip?: number;
  /** Relative residual that a column of an inverse of `kfac` may have, above 0 and below 1. */
  readonly tolerance?: number;
  /** Number of pairs of steps and gradient changes that `lbfgs` keeps, ≥ 1. */
  readonly memory?: number;
}

const RELAXATION = { damping: 0.3, time: 1, initial: 'keep', delay: 0 } as const;

/**
 * Values that work for one epoch of MNIST with batches of 128 and the default network. Only a few values were
 * tried.
 */
export const OPTIMIZER_DEFAULTS = {
  tngd: { rate: 0.7, clip: 0.5, ...RELAXATION },
  'tngd-adam': { rate: 0.01, clip: Infinity, beta1: 0.9, beta2: 0.999, ...RELAXATION },
  ngd: { rate: 0.7, clip: 0.5, damping: 0.3 },
  cg: { rate: 0.7, clip: 0.5, damping: 0.3, products: 10 },
  sgd: { rate: 0.2, clip: Infinity, momentum: 0.9 },
  lm: { rank: 16, runs: 2, ticks: 1024, firstDamping: 1e-2 },
  'sign-sgd': { rate: 0.001, momentum: 0.9, clip: Infinity },
  rmsprop: { rate: 0.003, beta2: 0.99, clip: Infinity },
  adam: { rate: 0.025, clip: Infinity, beta1: 0.9, beta2: 0.999 },
  lbfgs: { memory: 50 },
  bfgs: {},
  kfac: { rate: 0.1, momentum: 0.9, damping: 0.1, average: 0.9, reload: 100, klClip: 0.01, tolerance: 0.1 },
} as const;

/** Defaults of `tngd` with `ticks`, for problems whose curvature is exact. `ticks` has no default. */
export const TRUNCATED_DEFAULTS = { rate: 0.05, finalRate: 0.1, clip: 0.5, damping: 1e-3, runs: 1 } as const;

/**
 * Further options of these optimizers, with the defaults that the optimizers use. The settings of a training
 * contain such an option only if the caller gave it. (Every optimizer with `rate` also has `finalRate`, and
 * every optimizer with `damping` also has `finalDamping`.)
 */
const FURTHER: Readonly<Partial<Record<OptimizerName, OptimizerOptions>>> = {
  tngd: { blocks: 'whole', asynchronous: false },
  'tngd-adam': { blocks: 'whole' },
  lm: { rate: 1, finalRate: 0, dampingMin: 1e-7, recycle: 0 },
};

/** Options of a curvature that is averaged over batches. They have no defaults. */
const OF_THE_MEAN: ReadonlySet<string> = new Set(['average', 'reload']);
const OF_TRUNCATED: ReadonlySet<string> = new Set(['ticks', ...OF_THE_MEAN]);

/** Whether an optimizer has an option. tngd with `ticks` is a different method with different options. */
export function hasOption(name: OptimizerName, option: string, hasTicks: boolean): boolean {
  const isTruncated = name === 'tngd' && hasTicks;
  const defaults: OptimizerOptions = isTruncated ? TRUNCATED_DEFAULTS : OPTIMIZER_DEFAULTS[name];
  if (isTruncated && OF_TRUNCATED.has(option)) return true;
  if (name === 'ngd' && OF_THE_MEAN.has(option)) return true;
  return (
    option in defaults ||
    (!isTruncated && option in (FURTHER[name] ?? {})) ||
    ('rate' in defaults && option === 'finalRate') ||
    ('damping' in defaults && option === 'finalDamping')
  );
}

/** Whether an optimizer with these options loads its curvature as a dense matrix, which needs P cells. */
export function loadsDense(name: OptimizerName, { average }: OptimizerOptions): boolean {
  return name === 'tngd' && average !== undefined;
}

/**
 * Options of `sgd` as the control of tngd in `thermolink bench`: the clip of tngd and the momentum e^(−λt).
 * In directions without curvature tngd keeps this share of its solution from step to step.
 */
export const CONTROL: OptimizerOptions = {
  rate: 0.5,
  momentum: Math.exp(-RELAXATION.damping * RELAXATION.time),
  clip: OPTIMIZER_DEFAULTS.tngd.clip,
};
