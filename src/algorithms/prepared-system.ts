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

/** A system that a board is to keep. */
export interface PrepareRequest {
  /** A, N×N symmetric positive definite. Its entries must not change. */
  readonly system: LinearSystem | CheckedSystem;
  /** The largest damping that `settle` and `sample` will add, in units of A. Default 0. */
  readonly dampingMax?: number;
  /** What was measured of the board. Default: nothing. */
  readonly calibration?: BoardCalibration;
  /** A board run that would need more ticks than this is refused. Default 2³⁰. */
  readonly ticksMax?: number;
  /** Width of the coupling codes, 4 to 16 and at most the board's. Default: the board's. */
  readonly couplingBits?: number;
}

/** One drive of a prepared system, without noise and without error bars. */
export interface SettleRequest extends Pick<SolveRequest, 'drive' | 'address' | 'signal'> {
  /** Passes end when ‖b − A x‖₂/‖b‖₂ is at most this ratio; above 0 and below 1. */
  readonly tolerance: number;
  /** λ ≥ 0, in units of A: the system is A + λI, up to the `dampingMax` of the prepared system. Default 0. */
  readonly damping?: number;
  /**
   * The answer after so many passes is returned, whatever its residual is. Default: 256 passes, and an error
   * when the tolerance is not met.
   */
  readonly passesMax?: number;
}

/** An inverse by passes without noise. */
export interface SettledInverseRequest extends Pick<SettleRequest, 'tolerance' | 'passesMax' | 'signal'> {
  /** Column j uses block `address.block` + j. */
  readonly address: RunAddress;
}

/** What the board settled to, column by column. */
export interface SettledInverse {
  /** Estimate of A⁻¹, N×N and symmetric. */
  readonly inverse: Matrix;
  /** The largest ‖e_j − A x_j‖₂ of a column as it was read, a ratio. */
  readonly relativeResidual: number;
  readonly passes: number;
  readonly cost: SolverCost;
}

/** What a board settled to. */
export interface SettleResult extends SettledAnswer {
  readonly cost: SolverCost;
}

/** Draws of a prepared system. */
export interface PreparedSamplingRequest extends Omit<SamplingRequest, 'precision' | 'calibration'> {
  /** λ ≥ 0, in units of A, as in `SettleRequest`. */
  readonly damping?: number;
  /**
   * What the board is driven with: draws are its readings then, around A⁻¹b as the board has it. Default:
   * nothing, and draws lie around 0.
   */
  readonly driven?: DrivenDraws;
}

/** Moments of what `sample` would draw. */
export interface PreparedMomentsRequest extends Omit<PreparedSamplingRequest, 'onProgress'> {
  /** As in `MomentsRequest`. */
  readonly covariance?: boolean;
}

/**
 * A system for many drives. Each call takes a turn of its own on the device. The couplings are sent by the
 * first call, and again only when another use of the device, or another session, came in between.
 */
export interface PreparedSystem {
  /** N, the number of unknowns. */
  readonly dimension: number;
  /** As `solve` of the library. Errors: those of `solve`. */
  solve(request: Omit<SolveRequest, 'system'>): Promise<SolveResult>;
  /**
   * A⁻¹b by passes without noise: one, when its reading is good enough. The host takes the step along each
   * reading that makes the error smallest in the A-norm, so no reading makes the answer worse. b = 0 gives 0
   * and sends nothing. There is no error bar; ‖x − A⁻¹b‖₂ ≤ relativeResidual·‖b‖₂/λ_min.
   *
   * The scale of the last call is tried first, so the last bits of an answer may depend on the calls before.
   *
   * Errors: as `solve`; BAD_ARGUMENT for a damping above `dampingMax`.
   */
  settle(request: SettleRequest): Promise<SettleResult>;
  /**
   * A⁻¹ column by column, as `settle` with the drives e_j, in one turn on the board. Entries (i, j) and
   * (j, i) are replaced by their mean. There is no error bar, as `invert` of the library has one, but it
   * takes less than a tenth of the board time. Drives that follow one another differ in two codes, and only
   * those are sent: less than 10 bytes a column beside the couplings, where one pass is enough.
   *
   * Errors: as `settle`.
   */
  invert(request: SettledInverseRequest): Promise<SettledInverse>;
  /**
   * Draws from N(0, A⁻¹), as `drawSamples` of the library. With a calibration draws have couplings of their
   * own, which are sent when draws follow another call, and so has each damping of a dense system. Errors:
   * those of `drawSamples`; BAD_ARGUMENT for a damping above `dampingMax`.
   */
  sample(request: PreparedSamplingRequest): Promise<SamplingResult>;
  /**
   * Moments of the draws of `sample`, added up by the board, as `sampleMoments` of the library. Errors: those
   * of `sample` and `sampleMoments`; UNSUPPORTED with a calibration, which corrects each reading by itself.
   */
  moments(request: PreparedMomentsRequest): Promise<MomentsResult>;
}
