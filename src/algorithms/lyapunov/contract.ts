import type { BoardCalibration } from '../../board/calibration.js';
import type { SolverCost } from '../../board/cost.js';
import type { RunAddress } from '../../board/run-seed.js';
import type { Matrix } from '../../linalg/matrix.js';

/** A request to solve A X + X Aᵀ = S: the matrices and the number of readings. */
export interface LyapunovRequest {
  /** A, N×N, not symmetric in general. All eigenvalues have real parts above 0. */
  readonly matrix: Matrix;
  /** S, N×N symmetric positive definite. */
  readonly rhs: Matrix;
  /**
   * Number of readings of all cells, at least 1,536. The standard error falls with the square root of this
   * number. Default 24,576.
   */
  readonly readings?: number;
  /** The second of the two stages uses block `address.block` + 1. */
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /**
   * The calibration of the board, which compensates its couplings, time constants and noise. Default: none.
   */
  readonly calibration?: BoardCalibration;
  /** Called with the number of readings so far and with the number of all readings. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** X, its error, and its cost. */
export interface LyapunovResult {
  /** Estimate of X, N×N symmetric. */
  readonly x: Matrix;
  /** Standard error of each entry of X from noise alone, N×N symmetric. */
  readonly standardError: Matrix;
  /** ‖standardError‖_F/‖X‖_F, a ratio. */
  readonly relativeStandardError: number;
  /**
   * ‖X̂ − X₁‖_F/‖X̂‖_F, a ratio: the correction of X₁, the answer of the first stage, which still has the
   * error of the finite step.
   */
  readonly firstStageDifference: number;
  /** ‖E X + X Eᵀ‖_F/‖S‖_F, a ratio, where E is the rounding of A to codes. */
  readonly roundingResidual: number;
  /** Number of readings of the second stage. X is made of these readings. */
  readonly readings: number;
  /** As in `SamplingResult`. */
  readonly isCovarianceKnown: boolean;
  readonly cost: SolverCost;
}
