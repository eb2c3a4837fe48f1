import type { BoardCalibration } from '../../board/calibration.js';
import type { SolverCost } from '../../board/cost.js';
import type { RunAddress } from '../../board/run-seed.js';
import type { KktResiduals, PrimalDual } from './kkt.js';

/** How a quadratic program is to be solved. */
export interface QpRequest {
  /** Solves use the steps from `address.step` on. */
  readonly address: RunAddress;
  /** All residuals of `KktResiduals` have to be at most this ratio; from 1e-10 to 0.1. Default 1e-8. */
  readonly tolerance?: number;
  /** Iterations of ADMM at most. Default 4000. */
  readonly iterationsMax?: number;
  /** Where to begin: the x and y of a program that is alike. Default: zeros. */
  readonly warmStart?: {
    /** Length n. */
    readonly x: Float64Array;
    /** Length m. */
    readonly y: Float64Array;
  };
  /** What was measured of the board. Default: nothing. */
  readonly calibration?: BoardCalibration;
  readonly signal?: AbortSignal;
  /** Called after every tenth iteration and after every step of the polish. */
  readonly onProgress?: (progress: QpProgress) => void;
}

/** The residuals on the way. */
export interface QpProgress extends KktResiduals {
  /** Of ADMM, from 10 on; steps of the polish count one each. */
  readonly iteration: number;
  readonly phase: 'admm' | 'polish';
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
  /** ½xᵀPx + qᵀx + c, in the units of the program. */
  readonly objective: number;
  /** Only where the program has no solution. */
  readonly certificate?: InfeasibilityCertificate;
  /** Of ADMM. */
  readonly iterations: number;
  /** Steps of the polish; 0 when ADMM met the tolerance or there was nothing to polish. */
  readonly polishSteps: number;
  /** Number of drives for which the board was asked. */
  readonly solves: number;
  readonly passes: number;
  /** Number of matrices that were sent. */
  readonly uploads: number;
  /** Every tenth iteration, and every step of the polish. */
  readonly history: readonly QpProgress[];
  readonly cost: SolverCost;
}
