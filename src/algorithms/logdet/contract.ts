import type { BoardCalibration } from '../../board/calibration.js';
import type { CheckedSystem } from '../../board/checked-system.js';
import type { SolverCost } from '../../board/cost.js';
import type { RunAddress } from '../../board/run-seed.js';
import type { LinearSystem } from '../../linalg/linear-system.js';

/** Of which matrix ln det is wanted, and how well. */
export interface LogDeterminantRequest {
  /** A, N×N symmetric positive definite. */
  readonly system: LinearSystem | CheckedSystem;
  /**
   * How many readings of all cells, over all settings of the damping register; at least 64 a setting. The
   * error bar falls with its square root. Default 16,384.
   */
  readonly readings?: number;
  /** Setting k of the damping register uses block `address.block` + k. */
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /** What was measured of the board; it is used as in `drawSamples`. Default: nothing. */
  readonly calibration?: BoardCalibration;
  /** Called with the number of readings so far, and with how many there will be. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A number with its error bar. */
export interface Estimated {
  /** In its own unit; a logarithm has none. */
  readonly value: number;
  /** One standard error of `value`, in the same unit. */
  readonly standardError: number;
}

/** One setting of the damping register. Its quantities belong to the scaled matrix that the board holds. */
export interface DampingNode {
  /** s, in units of that matrix. */
  readonly damping: number;
  /** tr D(Â + sD)⁻¹, D = I but on calibrated boards, with its standard error; in 1/units of Â. */
  readonly trace: Estimated;
  /** How many times all cells were read. */
  readonly readings: number;
}

/** ln det A by two readings of the same samples, how good they are, and what they cost. */
export interface LogDeterminantResult {
  /** ln det A from the traces, without unit. */
  readonly logDeterminant: number;
  /** One standard error of `logDeterminant`, without unit; noise of the readings only. */
  readonly standardError: number;
  /** ln det A by Bennett's acceptance ratio, from the same readings. */
  readonly bennett: Estimated;
  /** Bound on what the three traces at the upper end leave out of ln det A, without unit. */
  readonly remainder: number;
  /**
   * tr(A_q⁻¹(A − A_q)): what rounding to codes A_q changed in ln det; it is part of both answers, without
   * unit.
   */
  readonly roundingCorrection: number;
  /** The settings, s ascending from 0. */
  readonly nodes: readonly DampingNode[];
  /** How many readings all nodes had together. */
  readonly readings: number;
  /** As in `SamplingResult`. */
  readonly isCovarianceKnown: boolean;
  /** Largest share that carried rounding has in the noise of a mode; see `SolveResult`. */
  readonly carryNoiseShare: number;
  readonly cost: SolverCost;
}
