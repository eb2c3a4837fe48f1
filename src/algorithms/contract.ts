import type { BoardCalibration } from '../board/calibration.js';
import type { CheckedSystem } from '../board/checked-system.js';
import type { SolverCost } from '../board/cost.js';
import type { RunAddress } from '../board/run-seed.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import type { Matrix } from '../linalg/matrix.js';

/** What is to relax, from where, and for how long. */
export interface RelaxRequest {
  /** A, N×N symmetric. It need not be positive definite: x(t) exists for every symmetric A. */
  readonly system: LinearSystem | CheckedSystem;
  /**
   * b, length N; or a function that gives it, called once, when the solver has done all that does not depend
   * on b. A board has its couplings by then. What the function throws, `relax` throws.
   */
  readonly drive: Float64Array | (() => Promise<Float64Array>);
  /** x₀, length N. */
  readonly initial: Float64Array;
  /** t ≥ 0 in units of 1/eigenvalue of A: e^(−λt) is what is left of a mode with eigenvalue λ. */
  readonly time: number;
  /**
   * The time for which the caller will let the same system relax in its next call, in units of 1/eigenvalue
   * of A. A board refuses one that is too long before it is sent anything. Default: there is no such call.
   */
  readonly nextTime?: number;
  /**
   * Lets a call of `relaxAhead` send its couplings while this relaxation runs. Default: no.
   */
  readonly lends?: boolean;
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
}

/** What is to relax as soon as the relaxation before it has ended. */
export interface RelaxAheadRequest extends Omit<RelaxRequest, 'initial' | 'lends'> {
  /** Gives x₀, length N. What it throws, `relaxAhead` throws. */
  readonly initial: () => Promise<Float64Array>;
}

/** Where it relaxed to. */
export interface RelaxResult {
  /** x(t) of dx/dt = −(A x − b), x(0) = x₀, plus the solver's noise; length N. */
  readonly x: Float64Array;
  readonly cost: SolverCost;
}

/** What is to be solved, and how well. */
export interface SolveRequest {
  /** A, N×N symmetric positive definite. */
  readonly system: LinearSystem | CheckedSystem;
  /** b, length N. */
  readonly drive: Float64Array;
  /** Bound on the estimated relative error ‖x̂ − x‖₂ / ‖x‖₂, above 0 and below 1. */
  readonly tolerance: number;
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /** Called as each pass begins, after each look at its samples, and with the answer. */
  readonly onProgress?: (progress: SolveProgress) => void;
}

/** How far a solve is. */
export interface SolveProgress {
  /**
   * Share of the least board time that this solve can take. It never falls, and is 1 only in the last call,
   * when there is an answer.
   */
  readonly fraction: number;
  /** The pass that is on its way, counted from 1. The first call comes before anything is sent. */
  readonly pass: number;
  /** Samples (or draws) so far. */
  readonly samples: number;
  /** Samples that the answer takes at least. */
  readonly samplesMin: number;
  /**
   * Bound on the relative error of the passes before this one, from their residual; infinite while it proves
   * nothing.
   */
  readonly relativeErrorBound: number;
  /** Relative standard error of this pass so far; infinite while there is none. */
  readonly relativeStandardError: number;
}

/** The answer, how far it may be off, and what it cost. */
export interface SolveResult {
  /** Estimate of A⁻¹b, length N. */
  readonly x: Float64Array;
  /**
   * Standard error of each entry of x, length N; zeros for an exact solver. It covers the noise of the last
   * pass and, on a board that is found to be imperfect, what wanders from one board run to the next. What
   * such a board gets wrong every time is measured by runs without noise and corrected until it is below a
   * quarter of the standard error.
   */
  readonly standardError: Float64Array;
  /**
   * Bound on ‖error of the last pass that is not noise‖₂ / ‖x‖₂: from rounding to device codes, and from what
   * the board was found to get wrong. It is not part of `standardError`, and at most a quarter of
   * ‖standardError‖₂/‖x‖₂: an answer with more is refined, or refused.
   */
  readonly quantizationError: number;
  /**
   * Largest share that carried rounding has in the noise of a mode (device-model.md, "One tick"). It widens
   * the standard error of the stiffest mode by that factor. 0 where no board was averaged.
   */
  readonly carryNoiseShare: number;
  /** The relative residual ‖b − A x‖₂ / ‖b‖₂, computed by the host in float64. */
  readonly relativeResidual: number;
  /** Board solves used: 1, and one more for each refinement; 0 when b = 0. */
  readonly passes: number;
  /** Samples (or draws) that entered the answer. */
  readonly samples: number;
  /** How readings were combined, where the board was given a damped system; absent elsewhere. */
  readonly combined?: CombinedReadings;
  readonly cost: SolverCost;
}

/** What the host did to solve A x = b with a board that has A + σI. */
export interface CombinedReadings {
  /** σ over the largest eigenvalue of A, a ratio; both are of A with its diagonal made even. */
  readonly relativeDamping: number;
  /**
   * Products of A with a vector that the host formed: one for each reading that it combined, and a few that
   * check the sum. Those that measure A before are not counted.
   */
  readonly products: number;
  /**
   * ‖b − A x‖₂/‖b‖₂ of the sum of the readings, a ratio, without the noise of the last average. That noise is
   * chosen by its size in x. So on a badly conditioned system the residual of x itself may be far above 1.
   */
  readonly refinedResidual: number;
}

/**
 * Answers A x = b. Implemented by Cholesky factorisation (the oracle), the ideal sampler and the board; all
 * pass one suite.
 */
export interface EquilibriumSolver {
  readonly name: string;
  /**
   * A⁻¹b to a tolerance.
   *
   * Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE, UNSUPPORTED before any byte is sent;
   * TOLERANCE_NOT_MET when the answer is not good enough.
   */
  solve(request: SolveRequest): Promise<SolveResult>;
}

/**
 * Follows dx/dt = −(A x − b) for a finite time. Implemented by the ideal sampler and the board; both pass one
 * suite.
 */
export interface RelaxationSolver {
  readonly name: string;
  /** A solver each for boards that can relax at the same time. Left out: there is this one. */
  readonly boards?: readonly RelaxationSolver[];
  /**
   * x(t) after a finite time.
   *
   * Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE (a negative damping), TOO_LARGE, UNSUPPORTED
   * before any byte is sent.
   */
  relax(request: RelaxRequest): Promise<RelaxResult>;
  /**
   * As `relax` and to the same bits, but x₀ may come from the call before, which is still relaxing. Where
   * that one `lends`, a board gets the couplings in its second bank meanwhile. Left out: there is nothing to
   * gain. Errors: those of `relax` and of `initial`.
   */
  relaxAhead?(request: RelaxAheadRequest): Promise<RelaxResult>;
}

/**
 * A curvature that serves several calls of `truncated`: the object itself names it. A solver keeps its codes
 * under that name and sends them once, as long as nobody else uses the board in between.
 */
export interface HeldFactor {
  /** Whether an earlier training has counted what the first upload sends; its resumed rest then does not. */
  readonly isCounted: boolean;
}

/**
 * A curvature A without its damping, by its factor or by itself. Its entries must not change until all is
 * solved.
 */
export type LoadedCurvature =
  | {
      /** K, m × N: A = KᵀK. */
      readonly factor: Matrix;
      readonly matrix?: undefined;
    }
  | {
      /** A, N × N, symmetric and positive semidefinite, for a board with dense couplings. */
      readonly matrix: Matrix;
      readonly factor?: undefined;
    };

/** What is loaded for any number of truncated solves. */
export type TruncatedRequest = LoadedCurvature & {
  /**
   * Calls with the same object have the same curvature, which must not change. Default: this call alone has
   * it.
   */
  readonly held?: HeldFactor | undefined;
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
};

/** One truncated solve of (A + λI) x = b. */
export interface TruncatedRun {
  /** b, length N. */
  readonly drive: Float64Array;
  /** λ ≥ 0, in units of A. */
  readonly damping: number;
  /** n ≥ 1. */
  readonly ticks: number;
  /** What an earlier run of a like problem returned as `nextScale`, units of x in one V_fs; 0 for none. */
  readonly scale: number;
}

/** The answer of one truncated solve. */
export interface TruncatedResult {
  /** Length N. */
  readonly x: Float64Array;
  /**
   * s_x in units of x in one V_fs: where the next run of a like problem should begin to look for its scale,
   * from the peak of this one. A training keeps it in its checkpoint, so that it can be resumed.
   */
  readonly nextScale: number;
}

/** A curvature A that is loaded: each run sends only its drive and damping. */
export interface LoadedFactor {
  /** Bound of λ_max(A), a few percent above it. */
  readonly eigenvalueMax: number;
  /** What everything has cost so far. */
  readonly cost: SolverCost;
  /**
   * n ticks at the largest step that is stable, from zero. Of a mode λ' of A + λI the answer has
   *
   *     1 − (1 − λ't/n)ⁿ,   t = n·h/s_A,   about 1 − e^(−λ't), where λ't/n may be up to 1.9.
   *
   * So a run that is stopped early answers as if λ were larger by about 1/t. Errors: those of
   * `TruncatedSolver.truncated`.
   */
  run(request: TruncatedRun): Promise<TruncatedResult>;
}

/**
 * Solves roughly and fast, several times on one load. Implemented by the board, and by its control, which
 * returns what it was given.
 */
export interface TruncatedSolver {
  readonly name: string;
  /**
   * Loads A or its factor and calls `work` with it; the board is its own until `work` has ended.
   *
   * Errors: BAD_ARGUMENT, BAD_MATRIX, TOO_LARGE, UNSUPPORTED before any byte is sent; OVERLOAD when no scale
   * keeps the board off its rails; those of `work` and of the device.
   */
  truncated<Result>(
    request: TruncatedRequest,
    work: (loaded: LoadedFactor) => Promise<Result>,
  ): Promise<Result>;
}

/** What is inverted, and how well. */
export interface InverseSolverRequest {
  /** A, N×N symmetric positive definite. */
  readonly matrix: Matrix;
  /** Bound on ‖e_j − A x_j‖₂ of each column x_j as it is found, a ratio above 0 and below 1. */
  readonly tolerance: number;
  /** Column j uses block `address.block` + j. */
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
}

/**
 * Inverts matrices for an optimizer that uses one inverse for many steps. Implemented by the board, by a
 * digital solver, and by the control that returns what a board is given.
 */
export interface InverseSolver {
  readonly name: string;
  /**
   * A⁻¹, N×N and symmetric, without error bars.
   *
   * Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE, UNSUPPORTED before any byte is sent;
   * TOLERANCE_NOT_MET when a column is not good enough; OVERLOAD; those of the device.
   */
  invert(request: InverseSolverRequest): Promise<{ readonly inverse: Matrix; readonly cost: SolverCost }>;
}

/** What a solver that uses a board is made with. */
export interface AnalogSolverOptions {
  /**
   * Width of coupling codes in `relax`, `truncated` and `invert`, at most the board's; couplings are most of
   * the upload. Default 8.
   */
  readonly relaxCouplingBits?: number;
  /**
   * κ in V_fs² during `relax` and `truncated`: 0 (default, off) or within the board's noise register. `solve`
   * chooses its own.
   */
  readonly relaxNoiseTemperature?: number;
  /**
   * Lets `relax` and `truncated` run everything a second time with the drive negated, so that what the board
   * adds to every answer cancels. Default: no.
   */
  readonly relaxChopped?: boolean;
  /**
   * The number of times that `relax` rounds the couplings stochastically; its answers are averaged. Default
   * 1: to the nearest code.
   */
  readonly relaxRoundings?: number;
  /**
   * What was measured of the board. `solve` and `invert` program and read it so that its errors cancel;
   * `relax` and `truncated` do not use it. Default: nothing.
   */
  readonly calibration?: BoardCalibration;
  /** A board run that would need more ticks than this is refused. Default 2³⁰. */
  readonly ticksMax?: number;
}
