import type { BoardCalibration } from '../board/calibration.js';
import type { CheckedSystem } from '../board/checked-system.js';
import type { SolverCost } from '../board/cost.js';
import type { RunAddress } from '../board/run-seed.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import type { Matrix } from '../linalg/matrix.js';

/** A request to relax: the system, the initial state and the time. */
export interface RelaxRequest {
  /** A, N×N symmetric. It need not be positive definite: x(t) exists for every symmetric A. */
  readonly system: LinearSystem | CheckedSystem;
  /**
   * b, length N, or a function that returns b. The function is called once, after all work that does not
   * depend on b; a board has its couplings by then. If the function throws, `relax` throws the same error.
   */
  readonly drive: Float64Array | (() => Promise<Float64Array>);
  /** x₀, length N. */
  readonly initial: Float64Array;
  /** t ≥ 0 in units of 1/eigenvalue of A. A mode with eigenvalue λ shrinks by the factor e^(−λt). */
  readonly time: number;
  /**
   * The relaxation time of the caller's next call with the same system, in units of 1/eigenvalue of A. If
   * that time is too long, this call is refused already, before anything is sent. Default: no such call
   * follows.
   */
  readonly nextTime?: number;
  /**
   * Allows a call of `relaxAhead` to send the couplings of that call while this relaxation runs. Default: no.
   */
  readonly lends?: boolean;
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
}

/** A request to relax as soon as the previous relaxation has ended. */
export interface RelaxAheadRequest extends Omit<RelaxRequest, 'initial' | 'lends'> {
  /** Returns x₀, length N. If it throws, `relaxAhead` throws the same error. */
  readonly initial: () => Promise<Float64Array>;
}

/** The state at the end of a relaxation. */
export interface RelaxResult {
  /** x(t) of dx/dt = −(A x − b), x(0) = x₀, plus the solver's noise; length N. */
  readonly x: Float64Array;
  readonly cost: SolverCost;
}

/** A request to solve: the system, the right-hand side and the tolerance. */
export interface SolveRequest {
  /** A, N×N symmetric positive definite. */
  readonly system: LinearSystem | CheckedSystem;
  /** b, length N. */
  readonly drive: Float64Array;
  /** Bound on the estimated relative error ‖x̂ − x‖₂ / ‖x‖₂, above 0 and below 1. */
  readonly tolerance: number;
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /** Called when a pass begins, each time its samples are looked at, and with the answer. */
  readonly onProgress?: (progress: SolveProgress) => void;
}

/** The progress of a solve. */
export interface SolveProgress {
  /**
   * Board time used so far, as a share of the least board time that this solve can take. It never falls. It
   * is 1 only in the last call, when the answer is known.
   */
  readonly fraction: number;
  /** The current pass, counted from 1. The first call comes before anything is sent. */
  readonly pass: number;
  /** Samples (or draws) so far. */
  readonly samples: number;
  /** The least number of samples that the answer needs. */
  readonly samplesMin: number;
  /**
   * Bound on the relative error after the previous passes, from their residual; infinite while the residual
   * proves nothing.
   */
  readonly relativeErrorBound: number;
  /** Relative standard error of this pass so far; infinite while there is no estimate. */
  readonly relativeStandardError: number;
}

/** The answer, bounds on its error, and its cost. */
export interface SolveResult {
  /** Estimate of A⁻¹b, length N. */
  readonly x: Float64Array;
  /**
   * Standard error of each entry of x, length N; zeros for an exact solver. It covers the noise of the last
   * pass. On a board that is found to be imperfect it also covers errors that change from one board run to
   * the next. Errors that are the same in every run are measured by runs without noise, and corrected until
   * they are below a quarter of the standard error.
   */
  readonly standardError: Float64Array;
  /**
   * Bound on ‖e‖₂ / ‖x‖₂ for the error e of the last pass without its noise. It comes from rounding to device
   * codes and from the measured errors of the board. It is not part of `standardError`. It is at most a
   * quarter of ‖standardError‖₂/‖x‖₂; an answer with a larger bound is refined or refused.
   */
  readonly quantizationError: number;
  /**
   * Largest share of carried rounding in the noise of a mode (device-model.md, "One tick"): the
   * variance that it adds to the stiffest mode, divided by the variance that this mode should have. 0 if no
   * readings of a board were averaged.
   */
  readonly carryNoiseShare: number;
  /** The relative residual ‖b − A x‖₂ / ‖b‖₂, computed by the host in float64. */
  readonly relativeResidual: number;
  /** Number of board solves: 1, and one more for each refinement; 0 when b = 0. */
  readonly passes: number;
  /** Samples (or draws) that entered the answer. */
  readonly samples: number;
  /** How readings were combined if the board was given a damped system; otherwise absent. */
  readonly combined?: CombinedReadings;
  readonly cost: SolverCost;
}

/** The work of the host to solve A x = b with a board that holds A + σI. */
export interface CombinedReadings {
  /** σ divided by the largest eigenvalue of A, a ratio; A is taken after its diagonal was made even. */
  readonly relativeDamping: number;
  /**
   * Number of products of A with a vector on the host: one for each combined reading, and a few that check
   * the sum. Earlier products that measure A are not counted.
   */
  readonly products: number;
  /**
   * ‖b − A x‖₂/‖b‖₂ of the sum of the readings, a ratio, without the noise of the last average. The size of
   * that noise is chosen relative to x. So the residual of x itself may be far above 1 for a badly
   * conditioned system.
   */
  readonly refinedResidual: number;
}

/**
 * A solver for A x = b. Cholesky factorisation (the oracle), the ideal sampler and the board implement it;
 * all pass the same tests.
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
 * A solver for dx/dt = −(A x − b) over a finite time. The ideal sampler and the board implement it; both pass
 * the same tests.
 */
export interface RelaxationSolver {
  readonly name: string;
  /** One solver for each board that can relax at the same time. If absent, this solver is the only one. */
  readonly boards?: readonly RelaxationSolver[];
  /**
   * x(t) after a finite time.
   *
   * Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE (a negative damping), TOO_LARGE, UNSUPPORTED
   * before any byte is sent.
   */
  relax(request: RelaxRequest): Promise<RelaxResult>;
  /**
   * Like `relax`, with the same bits, but x₀ may be the result of the previous call, which is still running.
   * If the previous call has `lends`, a board gets the new couplings in its second bank meanwhile. Solvers
   * that gain nothing by this method do not have it. Errors: those of `relax` and of `initial`.
   */
  relaxAhead?(request: RelaxAheadRequest): Promise<RelaxResult>;
}

/**
 * Identifies a curvature that several calls of `truncated` use. The object itself is the key. A solver keeps
 * the codes of this curvature and sends them once, unless somebody else uses the board in between.
 */
export interface HeldFactor {
  /**
   * Whether the cost of the first upload was counted already, before the training was resumed. If true, it is
   * not counted again.
   */
  readonly isCounted: boolean;
}

/**
 * A curvature A without its damping, given by its factor or by A itself. Its entries must not change until
 * the last solve has ended.
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

/** The curvature to load for any number of truncated solves. */
export type TruncatedRequest = LoadedCurvature & {
  /** Calls with the same object must have the same curvature. Default: no other call has this curvature. */
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
  /** n ≥ 1: the number of ticks. */
  readonly ticks: number;
  /**
   * `nextScale` of an earlier run of a similar problem, in units of x per V_fs; 0 if there is no earlier run.
   */
  readonly scale: number;
}

/** The answer of one truncated solve. */
export interface TruncatedResult {
  /** Estimate of (A + λI)⁻¹b, length N. */
  readonly x: Float64Array;
  /**
   * First guess of s_x for the next run of a similar problem, in units of x per V_fs. It follows from the
   * peak voltage of this run. A training keeps it in its checkpoint, because a resumed training needs it.
   */
  readonly nextScale: number;
}

/** A loaded curvature A. Each run sends only its drive and damping. */
export interface LoadedFactor {
  /** Bound of λ_max(A), a few percent above it. */
  readonly eigenvalueMax: number;
  /** The cost of all runs so far. */
  readonly cost: SolverCost;
  /**
   * Runs n ticks from x = 0 at the largest stable step. In a mode with eigenvalue λ' of A + λI, the answer is
   * the exact one times
   *
   *     1 − (1 − λ't/n)ⁿ,   t = n·h/s_A,   about 1 − e^(−λ't), where λ't/n may be up to 1.9.
   *
   * So a run that is stopped early answers as if λ were larger by about 1/t. Errors: those of
   * `TruncatedSolver.truncated`.
   */
  run(request: TruncatedRun): Promise<TruncatedResult>;
}

/**
 * A rough and fast solver that loads a curvature once for several solves. The board implements it, and so
 * does a control, which returns the drive.
 */
export interface TruncatedSolver {
  readonly name: string;
  /**
   * Loads A or its factor and calls `work` with it. Nobody else can use the board until `work` has ended.
   *
   * Errors: BAD_ARGUMENT, BAD_MATRIX, TOO_LARGE, UNSUPPORTED before any byte is sent; OVERLOAD when no scale
   * keeps the board off its rails; those of `work` and of the device.
   */
  truncated<Result>(
    request: TruncatedRequest,
    work: (loaded: LoadedFactor) => Promise<Result>,
  ): Promise<Result>;
}

/** A request to invert: the matrix and the tolerance. */
export interface InverseSolverRequest {
  /** A, N×N symmetric positive definite. */
  readonly matrix: Matrix;
  /**
   * Bound on ‖e_j − A x_j‖₂ of each column x_j before the inverse is made symmetric, a ratio above 0 and
   * below 1.
   */
  readonly tolerance: number;
  /** Column j uses block `address.block` + j. */
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
}

/**
 * A solver that inverts matrices, for an optimizer that uses one inverse for many steps. The board, a digital
 * solver and a control implement it. The control returns diag(A)⁻¹.
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

/** Options of a solver that uses a board. */
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
   * Lets `relax` and `truncated` repeat each run with the drive negated. An offset that the board adds to
   * every answer then cancels. Default: no.
   */
  readonly relaxChopped?: boolean;
  /**
   * How often `relax` rounds the couplings stochastically; it averages the answers. Default 1: the couplings
   * are rounded once, to the nearest code.
   */
  readonly relaxRoundings?: number;
  /**
   * The calibration of the board. `solve` and `invert` use it to cancel the errors of the board; `relax` and
   * `truncated` do not use it. Default: none.
   */
  readonly calibration?: BoardCalibration;
  /** A board run that would need more ticks than this is refused. Default 2³⁰. */
  readonly ticksMax?: number;
}
