import type { BoardCalibration } from '../board/calibration.js';
import type { CheckedSystem } from '../board/checked-system.js';
import type { SolverCost } from '../board/cost.js';
import type { RunAddress } from '../board/run-seed.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import type { Matrix } from '../linalg/matrix.js';
import type { SolveRequest, SolveResult } from './contract.js';
import type { DrivenDraws, SamplingRequest, SamplingResult } from './sample.js';
import type { MomentsResult } from './sample-moments.js';
import type { SettledAnswer } from './solve/settle-to.js';

/** A request to keep a system on a board. */
export interface PrepareRequest {
  /** A, N×N symmetric positive definite. Its entries must not change. */
  readonly system: LinearSystem | CheckedSystem;
  /** The largest damping that `settle` and `sample` will add, in units of A. Default 0. */
  readonly dampingMax?: number;
  /** The calibration of the board. Default: none. */
  readonly calibration?: BoardCalibration;
  /** A board run that would need more ticks than this is refused. Default 2³⁰. */
  readonly ticksMax?: number;
  /** Width of the coupling codes, 4 to 16 and at most the board's. Default: the board's. */
  readonly couplingBits?: number;
}

/** A request to solve for one drive of a prepared system, without noise and without error bars. */
export interface SettleRequest extends Pick<SolveRequest, 'drive' | 'address' | 'signal'> {
  /** Passes end when ‖b − A x‖₂/‖b‖₂ is at most this ratio; above 0 and below 1. */
  readonly tolerance: number;
  /** λ ≥ 0, in units of A: the system is A + λI, up to the `dampingMax` of the prepared system. Default 0. */
  readonly damping?: number;
  /**
   * The largest number of passes. After them the answer is returned, whatever its residual is. Default: 256
   * passes, and an error if the tolerance is not met.
   */
  readonly passesMax?: number;
}

/** A request for the inverse by passes without noise. */
export interface SettledInverseRequest extends Pick<SettleRequest, 'tolerance' | 'passesMax' | 'signal'> {
  /** Column j uses block `address.block` + j. */
  readonly address: RunAddress;
}

/** The inverse that the board settled to, column by column. */
export interface SettledInverse {
  /** Estimate of A⁻¹, N×N and symmetric. */
  readonly inverse: Matrix;
  /** The largest ‖e_j − A x_j‖₂ of all columns before the inverse was made symmetric, a ratio. */
  readonly relativeResidual: number;
  readonly passes: number;
  readonly cost: SolverCost;
}

/** The answer that a board settled to. */
export interface SettleResult extends SettledAnswer {
  readonly cost: SolverCost;
}

/** A request for draws of a prepared system. */
export interface PreparedSamplingRequest extends Omit<SamplingRequest, 'precision' | 'calibration'> {
  /** λ ≥ 0, in units of A, as in `SettleRequest`. */
  readonly damping?: number;
  /**
   * The drive b of the board. The draws are then its readings, which lie around A⁻¹b with the errors of the
   * board. Default: no drive, and draws lie around 0.
   */
  readonly driven?: DrivenDraws;
}

/** A request for the moments of draws of `sample`. */
export interface PreparedMomentsRequest extends Omit<PreparedSamplingRequest, 'onProgress'> {
  /** As in `MomentsRequest`. */
  readonly covariance?: boolean;
}

/**
 * A system on a board for many drives. Each call takes a turn of its own on the device. The first call sends
 * the couplings. Later calls send them again only if the device was used otherwise, or has a new session, in
 * between.
 */
export interface PreparedSystem {
  /** N, the number of unknowns. */
  readonly dimension: number;
  /** Works like the function `solve` of the library. Errors: those of `solve`. */
  solve(request: Omit<SolveRequest, 'system'>): Promise<SolveResult>;
  /**
   * A⁻¹b by passes without noise, often by a single one. For each reading, the host takes the step along it
   * that makes the error smallest in the A-norm. So no reading makes the answer worse. b = 0 gives 0 and
   * sends nothing. There is no error bar; ‖x − A⁻¹b‖₂ ≤ relativeResidual·‖b‖₂/λ_min.
   *
   * The scale of the last call is tried first, so the last bits of an answer may depend on the calls before.
   *
   * Errors: those of `solve`; BAD_ARGUMENT for a damping above `dampingMax`.
   */
  settle(request: SettleRequest): Promise<SettleResult>;
  /**
   * Computes A⁻¹ column by column, like `settle` with the drives e_j, in one turn on the board. Entries (i,
   * j) and (j, i) are replaced by their mean. Unlike `invert` of the library it gives no error bar, but it
   * takes less than a tenth of the board time. Consecutive drives differ in two codes, and only these are
   * sent: less than 10 bytes for each column beside the couplings, if one pass is enough.
   *
   * Errors: those of `settle`.
   */
  invert(request: SettledInverseRequest): Promise<SettledInverse>;
  /**
   * Draws from N(0, A⁻¹), like `drawSamples` of the library. With a calibration, draws need other couplings
   * than `solve` and `settle`, and in a dense system other couplings for each damping. These couplings are
   * sent when draws follow another call. Errors: those of `drawSamples`; BAD_ARGUMENT for a damping above
   * `dampingMax`.
   */
  sample(request: PreparedSamplingRequest): Promise<SamplingResult>;
  /**
   * Moments of the draws of `sample`. The board adds them up, as for `sampleMoments` of the library. Errors:
   * those of `sample` and `sampleMoments`; UNSUPPORTED with a calibration, because it corrects single
   * readings.
   */
  moments(request: PreparedMomentsRequest): Promise<MomentsResult>;
}
