import {
  badArgument,
  checkAddress,
  checkObject,
  checkOptionalFunction,
  checkSignal,
} from '../argument-checks.js';
import { type SolverCost, ZERO_COST } from '../board/cost.js';
import type { RunAddress } from '../board/run-seed.js';
import { measureSystem, type SystemMeasure } from '../board/system-measure.js';
import {
  checkDamping,
  checkForm,
  checkMagnitude,
  checkSystem,
  checkTolerance,
  checkVector,
} from '../board/validation.js';
import type { LinearSystem } from '../linalg/linear-system.js';

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

/**
 * Refuses what has no finite-time relaxation, in one pass over the entries (training calls it each step).
 * Definiteness is not needed: x(t) exists for every symmetric A.
 *
 * Errors: BAD_MATRIX, NOT_POSITIVE_DEFINITE for a negative damping, BAD_ARGUMENT for the time and for parts of the wrong kind.
 */
export function checkRelaxation(request: RelaxRequest): SystemMeasure {
  checkObject(
    'The request',
    request,
    '{ system, drive, initial, time: 1, address: { seed: 1, step: 0, block: 0 } }',
  );
  const { system, time } = request;
  checkForm(system);
  checkAddress(request.address);
  checkSignal(request.signal);
  const measure = measureSystem(system);
  // A non-finite entry shows in the sum of squares; only then is it worth looking for it.
  const isSuspect = !Number.isFinite(measure.eigenvalueBound) || system.kind === 'dense';
  if (isSuspect || system.factor.data.length === 0) checkSystem(system);
  else checkDamping(system.damping);
  checkMagnitude(measure.eigenvalueBound, 'largest eigenvalue');
  checkVector(request.drive, system, 'drive');
  checkVector(request.initial, system, 'initial state');
  if (typeof time !== 'number' || !(time >= 0 && time < Infinity))
    throw badArgument(
      'The relaxation time',
      time,
      'a finite number of at least 0',
      'Its unit is that of 1/eigenvalue: e^(−λt) is what is left of a mode with eigenvalue λ.',
    );
  return measure;
}

/** Nothing drives the cells and nothing is in them: x(t) = 0. */
export function isZeroRelaxation({ drive, initial }: RelaxRequest): boolean {
  return drive.every((value) => value === 0) && initial.every((value) => value === 0);
}

/**
 * Refuses a request to solve whose parts are of the wrong kind, before anything is computed. Says nothing of the matrix.
 * Errors: BAD_ARGUMENT; BAD_MATRIX for a shape that does not fit.
 */
export function checkSolveRequest(request: SolveRequest): void {
  checkObject(
    'The request',
    request,
    '{ system, drive, tolerance: 1e-2, address: { seed: 1, step: 0, block: 0 } }',
  );
  checkForm(request.system);
  checkTolerance(request.tolerance);
  checkVector(request.drive, request.system, 'right-hand side');
  checkAddress(request.address);
  checkSignal(request.signal);
  checkOptionalFunction('onProgress', request.onProgress);
}
