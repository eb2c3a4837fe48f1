import type { LinearSystem } from '../linalg/linear-system.js';

/**
 * Names one use of the board, so that its noise is a pure function of the training run and of nothing else:
 * the run seed is Philox(seed; step, block, attempt). No two uses may share an address.
 */
export interface RunAddress {
  /** Chosen by the user; u32. */
  readonly seed: number;
  /** Training step, or 0; u32. */
  readonly step: number;
  /** Which block of parameters, or which right-hand side, of that step; u16. */
  readonly block: number;
}

export interface RelaxRequest {
  readonly system: LinearSystem;
  /** b, length N. */
  readonly drive: Float64Array;
  /** x₀, length N. */
  readonly initial: Float64Array;
  /** t ≥ 0 in units of 1/eigenvalue of A (algorithm time: e^(−λt) is what is left of a mode with eigenvalue λ). */
  readonly time: number;
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
}

export interface RelaxResult {
  /** x(t) of dx/dt = −(A x − b), x(0) = x₀, plus the solver's noise; length N. */
  readonly x: Float64Array;
  readonly cost: SolverCost;
}

export interface SolveRequest {
  readonly system: LinearSystem;
  /** b, length N. */
  readonly drive: Float64Array;
  /** Bound r on the estimated ‖x̂ − x‖₂ / ‖x‖₂. */
  readonly tolerance: number;
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /** Called as each pass begins, after each look at its readings, and with the answer. */
  readonly onProgress?: (progress: SolveProgress) => void;
}

export interface SolveProgress {
  /** Share of the least board time that this solve can take: never falls, and is 1 in the last call alone, when there is an answer. */
  readonly fraction: number;
  /** The pass that is on its way, from 1. The first call comes before anything is sent. */
  readonly pass: number;
  /** ADC readings (or draws) so far, and how many the answer takes at least. */
  readonly samples: number;
  readonly samplesMin: number;
  /** Bound on the relative error of the passes before this one, from their residual; infinite while it proves nothing. */
  readonly relativeErrorBound: number;
  /** Relative standard error so far, of this pass; infinite while there is none. */
  readonly relativeStandardError: number;
}

export interface SolveResult {
  /** Estimate of A⁻¹b, length N. */
  readonly x: Float64Array;
  /**
   * Standard error of each entry of x, length N; zeros for an exact solver. It covers the noise of the last pass, and what wanders
   * from run to run on a board that is found to be imperfect; what such a board gets wrong each time is measured by runs without
   * noise and corrected until it is below a quarter of the standard error.
   */
  readonly standardError: Float64Array;
  /**
   * Bound on ‖error from rounding to device codes, and from what the board was found to get wrong‖₂ / ‖x‖₂ of the last pass;
   * reported apart from the noise.
   */
  readonly quantizationError: number;
  /**
   * Largest share of carried rounding in the noise of a mode, over κ/λ_max: it widens the standard error of the stiffest mode
   * by that factor. 0 where no board was averaged.
   */
  readonly carryNoiseShare: number;
  /** ‖b − A x‖₂ / ‖b‖₂, computed by the host in float64. */
  readonly relativeResidual: number;
  /** Board solves used: 1, and one more for each refinement; 0 when b = 0. */
  readonly passes: number;
  /** ADC readings (or draws) that entered the answer. */
  readonly samples: number;
  readonly cost: SolverCost;
}

/** What one call cost. Board time is modelled (ticks × h × τ); every `…Ms` is host time and never enters a result. */
export interface SolverCost {
  readonly boardSeconds: number;
  readonly ticks: number;
  readonly uploadBytes: number;
  /** Runs repeated because a cell or row ran into its rail. */
  readonly overloadRetries: number;
  /** Coupling and noise codes that the board clamped to its range, the most of any commit; 0 on an ideal board. */
  readonly clampedCodes: number;
  /** Host time: checking, scaling and rounding. */
  readonly mapMs: number;
  /** Host time until the program was in the board. */
  readonly uploadMs: number;
  /** Host time waiting for the board to run. */
  readonly boardMs: number;
  /** Host time receiving and averaging samples. */
  readonly readoutMs: number;
}

export const ZERO_COST: SolverCost = Object.freeze({
  boardSeconds: 0,
  ticks: 0,
  uploadBytes: 0,
  overloadRetries: 0,
  clampedCodes: 0,
  mapMs: 0,
  uploadMs: 0,
  boardMs: 0,
  readoutMs: 0,
});

export function addCost(a: SolverCost, b: SolverCost): SolverCost {
  return {
    boardSeconds: a.boardSeconds + b.boardSeconds,
    ticks: a.ticks + b.ticks,
    uploadBytes: a.uploadBytes + b.uploadBytes,
    overloadRetries: a.overloadRetries + b.overloadRetries,
    clampedCodes: Math.max(a.clampedCodes, b.clampedCodes),
    mapMs: a.mapMs + b.mapMs,
    uploadMs: a.uploadMs + b.uploadMs,
    boardMs: a.boardMs + b.boardMs,
    readoutMs: a.readoutMs + b.readoutMs,
  };
}

/** b = 0 has the answer 0, for which no board is needed: no pass, no sample. */
export function zeroSolution(dimension: number): SolveResult {
  return {
    x: new Float64Array(dimension),
    standardError: new Float64Array(dimension),
    quantizationError: 0,
    carryNoiseShare: 0,
    relativeResidual: 0,
    passes: 0,
    samples: 0,
    cost: ZERO_COST,
  };
}

/**
 * Answers linear systems. Three implementations pass one suite: Cholesky (oracle), ideal sampler (float
 * Ornstein–Uhlenbeck), analog (any device).
 *
 * Errors: BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE before any byte is sent; TOLERANCE_NOT_MET when the answer is
 * not good enough; UNSUPPORTED for an operation the implementation does not have.
 */
export interface LinearSolver {
  readonly name: string;
  /** Whether `relax` exists (Cholesky knows the equilibrium only). */
  readonly canRelax: boolean;
  relax(request: RelaxRequest): Promise<RelaxResult>;
  /** The equilibrium A⁻¹b to a tolerance. */
  solve(request: SolveRequest): Promise<SolveResult>;
}
