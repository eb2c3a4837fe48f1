import type { BoardCalibration } from '../../board/calibration.js';
import type { CheckedSystem } from '../../board/checked-system.js';
import type { SolverCost } from '../../board/cost.js';
import type { RunAddress } from '../../board/run-seed.js';
import type { LinearSystem } from '../../linalg/linear-system.js';

/** A request for ln det A: the matrix and the number of readings. */
export interface LogDeterminantRequest {
  /** A, N×N symmetric positive definite. */
  readonly system: LinearSystem | CheckedSystem;
  /**
   * Number of readings of all cells, summed over all settings of the damping register; at least 64 for each
   * setting. The standard error falls with the square root of this number. Default 16,384.
   */
  readonly readings?: number;
  /** Setting k of the damping register uses block `address.block` + k. */
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /** The calibration of the board; it is used as in `drawSamples`. Default: none. */
  readonly calibration?: BoardCalibration;
  /** Called with the number of readings so far and with the number of all readings. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A number with its error bar. */
export interface Estimated {
  /** In the unit of the quantity; a logarithm has no unit. */
  readonly value: number;
  /** One standard error of `value`, in the same unit. */
  readonly standardError: number;
}

/** One setting of the damping register. Its quantities belong to the scaled matrix that the board holds. */
export interface DampingNode {
  /** s, in units of that matrix. */
  readonly damping: number;
  /** tr D(Â + sD)⁻¹ with its standard error, in 1/units of Â. D = I except on calibrated boards. */
  readonly trace: Estimated;
  /** Number of readings of all cells, without unit. */
  readonly readings: number;
}

/** ln det A by two estimates from the same readings, their errors, and their cost. */
export interface LogDeterminantResult {
  /** ln det A from the traces, without unit. */
  readonly logDeterminant: number;
  /** One standard error of `logDeterminant`, without unit; noise of the readings only. */
  readonly standardError: number;
  /** ln det A by Bennett's acceptance ratio, from the same readings. */
  readonly bennett: Estimated;
  /**
   * Bound on the error of ln det A from the series in three traces at the upper end of the sweep, without
   * unit.
   */
  readonly remainder: number;
  /**
   * tr(A_q⁻¹(A − A_q)), without unit: the change of ln det by rounding A to codes A_q. Both answers contain
   * this correction.
   */
  readonly roundingCorrection: number;
  /** The settings, s ascending from 0. */
  readonly nodes: readonly DampingNode[];
  /** Number of readings of all settings together. */
  readonly readings: number;
  /** As in `SamplingResult`. */
  readonly isCovarianceKnown: boolean;
  /** Largest share of carried rounding in the noise of a mode; see `SolveResult`. */
  readonly carryNoiseShare: number;
  readonly cost: SolverCost;
}
