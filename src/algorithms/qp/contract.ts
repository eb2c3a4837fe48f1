import type { BoardCalibration } from '../../board/calibration.js';
import type { SolverCost } from '../../board/cost.js';
import type { RunAddress } from '../../board/run-seed.js';
import type { KktResiduals, PrimalDual } from './kkt.js';

/** The methods for a quadratic program; see `solveQp`. */
export type QpMethod = 'auto' | 'box' | 'admm' | 'ipm';

/** @internal */
export const QP_METHODS: readonly QpMethod[] = ['auto', 'box', 'admm', 'ipm'];

/** Options of solving a quadratic program. */
export interface QpRequest {
  /**
   * Default 'auto': 'box' if every unknown has two bounds and there are no other constraints, otherwise
   * 'admm'.
   */
  readonly method?: QpMethod;
  /** Solves use the steps from `address.step` on. */
  readonly address: RunAddress;
  /** Bound on all residuals of `KktResiduals`, a ratio from 1e-10 to 0.1. Default 1e-8. */
  readonly tolerance?: number;
  /**
   * Largest number of iterations. Default: 4000 for ADMM, 60 for interior points. A box takes at most 20
   * levels.
   */
  readonly iterationsMax?: number;
  /** The start: x and y of a similar program. Default: zeros. Interior points ignore it. */
  readonly warmStart?: {
    /** Length n. */
    readonly x: Float64Array;
    /** Length m. */
    readonly y: Float64Array;
  };
  /** The calibration of the board. Default: none. */
  readonly calibration?: BoardCalibration;
  readonly signal?: AbortSignal;
  /**
   * Called after each level of a box, each iteration of interior points, every tenth iteration of ADMM, each
   * step of a polish, and each centre of the dual active set method, which also counts as a polish.
   */
  readonly onProgress?: (progress: QpProgress) => void;
}

/** The progress of a program, with its residuals. */
export interface QpProgress extends KktResiduals {
  /**
   * Number of the iteration in its phase, counted from 1. Each polish counts its own steps or centres from 1.
   */
  readonly iteration: number;
  readonly phase: 'box' | 'admm' | 'ipm' | 'polish';
}

/**
 * `solved`: the residuals are at most the tolerance. `primalInfeasible`: no x is feasible. `dualInfeasible`:
 * the objective has no lower bound. `inaccurate`: none of these could be shown; x and y are the best point
 * that was found.
 */
export type QpStatus = 'solved' | 'primalInfeasible' | 'dualInfeasible' | 'inaccurate';

/** A proof that a program has no solution. The largest entry of its vector is ±1. */
export interface InfeasibilityCertificate {
  /**
   * `primalInfeasible`: v [m] with Aᵀv ≈ 0 and uᵀv₊ + lᵀv₋ < 0. `dualInfeasible`: v [n] with Pv ≈ 0, qᵀv < 0
   * and Av in the directions that the bounds leave open.
   */
  readonly direction: Float64Array;
  /** Largest entry of the terms that should be 0, in the units of P and A. It is rounding of float64. */
  readonly violation: number;
  /** The value that has to be negative: uᵀv₊ + lᵀv₋, or qᵀv. */
  readonly value: number;
}

/** The answer, its residuals or certificate, and its cost. */
export interface QpResult extends PrimalDual, KktResiduals {
  readonly status: QpStatus;
  /** The method that gave the answer. With 'auto', 'admm' goes on if 'box' does not reach the tolerance. */
  readonly method: Exclude<QpMethod, 'auto'>;
  /** ½xᵀPx + qᵀx + c, in the units of the program. */
  readonly objective: number;
  /** Present only if the program has no solution. */
  readonly certificate?: InfeasibilityCertificate;
  /** Iterations of `method`; for a box, its levels. */
  readonly iterations: number;
  /** Steps of all polishes; 0 when the method met the tolerance or there was nothing to polish. */
  readonly polishSteps: number;
  /** Number of drives that the board solved for. */
  readonly solves: number;
  readonly passes: number;
  /** Number of matrices that were sent. */
  readonly uploads: number;
  /** All progress that `onProgress` was called with. */
  readonly history: readonly QpProgress[];
  readonly cost: SolverCost;
}
