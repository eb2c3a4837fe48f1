import type { BoardCalibration } from '../../board/calibration.js';
import type { SolverCost } from '../../board/cost.js';
import type { RunAddress } from '../../board/run-seed.js';
import type { Matrix } from '../../linalg/matrix.js';

/** A X + X Aᵀ = S, and how well. */
export interface LyapunovRequest {
  /** A, N×N, not symmetric in general. All eigenvalues have real parts above 0. */
  readonly matrix: Matrix;
  /** S, N×N symmetric positive definite. */
  readonly rhs: Matrix;
  /**
   * How many readings of all cells, at least 1,536. The error bar falls with its square root. Default 24,576.
   */
  readonly readings?: number;
  /** The second of the two stages uses block `address.block` + 1. */
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /**
   * What was measured of the board: couplings, time constants and noise are compensated. Default: nothing.
   */
  readonly calibration?: BoardCalibration;
  /** Called with the number of readings so far, and with how many there will be. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** X, how good it is, and what it cost. */
export interface LyapunovResult {
  /** Estimate of X, N×N symmetric. */
  readonly x: Matrix;
  /** Standard error of each entry of X, N×N symmetric; noise only. */
  readonly standardError: Matrix;
  /** ‖standardError‖_F/‖X‖_F, a ratio. */
  readonly relativeStandardError: number;
  /**
   * ‖X̂ − X₁‖_F/‖X̂‖_F: how far the first stage, with the error of the step still in it, was off; a ratio.
   */
  readonly firstStageDifference: number;
  /** ‖E X + X Eᵀ‖_F/‖S‖_F for the rounding E of A to codes; a ratio. */
  readonly roundingResidual: number;
  /** How many readings the second stage had, of which X is made. */
  readonly readings: number;
  /** As in `SamplingResult`. */
  readonly isCovarianceKnown: boolean;
  readonly cost: SolverCost;
}
