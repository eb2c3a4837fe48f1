import type { BoardCalibration } from '../../board/calibration.js';
import type { SolverCost } from '../../board/cost.js';
import type { RunAddress } from '../../board/run-seed.js';
import type { KktResiduals, PrimalDual } from './kkt.js';

/** How a quadratic program may be solved; see `solveQp`. */
export type QpMethod = 'auto' | 'box' | 'admm' | 'ipm';

/** @internal */
export const QP_METHODS: readonly QpMethod[] = ['auto', 'box', 'admm', 'ipm'];

/** How a quadratic program is to be solved. */
export interface QpRequest {
  /** Default 'auto': 'box' where every unknown has two bounds and nothing else is asked, else 'admm'. */
  readonly method?: QpMethod;
  /** Solves use the steps from `address.step` on. */
  readonly address: RunAddress;
  /** All residuals of `KktResiduals` have to be at most this ratio; from 1e-10 to 0.1. Default 1e-8. */
  readonly tolerance?: number;
  /** Iterations at most. Default 4000 of ADMM, 60 of interior points; a box takes 20 levels at most. */
  readonly iterationsMax?: number;
  /**
   * Where to begin: the x and y of a program that is alike. Default: zeros. Interior points have no use for
   * it.
   */
  readonly warmStart?: {
    /** Length n. */
    readonly x: Float64Array;
    /** Length m. */
    readonly y: Float64Array;
  };
  /** What was measured of the board. Default: nothing. */
  readonly calibration?: BoardCalibration;
  readonly signal?: AbortSignal;
  /**
   * Called after each level of a box, each iteration of interior points, every tenth iteration of ADMM, each
   * step of a polish, and each centre of the dual active set method, which also counts as a polish.
   */
  readonly onProgress?: (progress: QpProgress) => void;
}

/** The residuals on the way. */
export interface QpProgress extends KktResiduals {
  /** Of its phase, from 1 on; each polish counts its steps, or its centres, anew. */
  readonly iteration: number;
  readonly phase: 'box' | 'admm' | 'ipm' | 'polish';
}

/**
 * `solved`: the residuals are at most the tolerance. `primalInfeasible`: no x is feasible. `dualInfeasible`:
 * the objective has no lower bound. `inaccurate`: none of these could be shown; x and y are the best found.
 */
export type QpStatus = 'solved' | 'primalInfeasible' | 'dualInfeasible' | 'inaccurate';

/** What shows that a program has no solution. Its largest entry is ±1. */
export interface InfeasibilityCertificate {
  /**
   * `primalInfeasible`: v [m] with Aᵀv ≈ 0 and uᵀv₊ + lᵀv₋ < 0. `dualInfeasible`: v [n] with Pv ≈ 0, qᵀv < 0
   * and Av in the directions that the bounds leave open.
   */
  readonly direction: Float64Array;
  /** Largest entry of what should be 0, in the units of P and A: rounding of float64. */
  readonly violation: number;
  /** The negative number: uᵀv₊ + lᵀv₋, or qᵀv. */
  readonly value: number;
}

/** The answer, what proves it, and what it cost. */
export interface QpResult extends PrimalDual, KktResiduals {
  readonly status: QpStatus;
  /** The method that ended it; with 'auto' a box that does not end goes on with 'admm'. */
  readonly method: Exclude<QpMethod, 'auto'>;
  /** ½xᵀPx + qᵀx + c, in the units of the program. */
  readonly objective: number;
  /** Only where the program has no solution. */
  readonly certificate?: InfeasibilityCertificate;
  /** Of `method`: levels of a box, or iterations. */
  readonly iterations: number;
  /** Steps of all polishes; 0 when the method met the tolerance or there was nothing to polish. */
  readonly polishSteps: number;
  /** Number of drives for which the board was asked. */
  readonly solves: number;
  readonly passes: number;
  /** Number of matrices that were sent. */
  readonly uploads: number;
  /** What `onProgress` was told. */
  readonly history: readonly QpProgress[];
  readonly cost: SolverCost;
}
