import { checkNumber, checkObject } from '../argument-checks.js';
import { ZERO_COST } from '../board/cost.js';
import { weighted } from '../board/diagonal-scaling.js';
import { estimateMean } from '../board/estimate.js';
import type { RunAddress } from '../board/run-seed.js';
import { relaxedTime } from '../board/scaling.js';
import { throwIfAborted } from '../errors.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import { gramOfRows, isZero, matVec, matVecTransposed, norm2 } from '../linalg/products.js';
import { RANDOM_STREAM, type RandomSource, randomSource } from '../linalg/random.js';
import { certify, refuseBeyondFloat64, toleranceNotMet, zeroSolution } from './acceptance.js';
import type {
  EquilibriumSolver,
  RelaxationSolver,
  RelaxRequest,
  RelaxResult,
  SolveRequest,
  SolveResult,
} from './contract.js';
import { checkRelaxRequest, checkSolveRequest, lateVector } from './request-checks.js';

/** Options of the ideal sampler. */
export interface IdealSamplerOptions {
  /** κ in units of the problem: the covariance at equilibrium is κA⁻¹. Default 0: the mean without noise. */
  readonly noiseTemperature?: number;
}

/**
 * Draws are added in groups of this size until the standard error is small enough or the limit is reached.
 */
const DRAWS_PER_LOOK = 48;
const DRAWS_MAX = 4800;
/**
 * Relaxation time of a solve, in time constants of the slowest mode. e⁻⁴⁰ is below the resolution of float64,
 * so nothing of the initial state is left.
 */
const SETTLED = 40;

/**
 * A solver that computes in float64 the behaviour of a board without imperfections: the exact solution of dx
 * = −(A x − b) dt + √(2κ) dW, mode by mode,
 *
 *     x(t) = e^(−At) x₀ + A⁻¹(1 − e^(−At)) b + [κA⁻¹(1 − e^(−2At))]^½ z,   z standard normal.
 *
 * The mean of each mode is computed from its eigenvalue λ by (1 − e^(−λt))/λ; no linear system is solved. A
 * comparison with it separates the cost of sampling from the errors of a device. t = 0 returns x₀ bit for
 * bit.
 *
 * Errors: BAD_ARGUMENT for a noise temperature that is not a number ≥ 0. Its methods throw those of
 * `EquilibriumSolver` and `RelaxationSolver`.
 */
export function createIdealSampler(options: IdealSamplerOptions = {}): EquilibriumSolver & RelaxationSolver {
  checkObject('options', options, '{ noiseTemperature: 0.01 }');
  const { noiseTemperature = 0 } = options;
  checkNumber('noiseTemperature', noiseTemperature, 0);
  return {
    name: 'ideal sampler',
    relax: async (request) => relax(request, noiseTemperature),
    solve: async (request) => solve(request, noiseTemperature),
  };
}

async function relax(request: RelaxRequest, noiseTemperature: number): Promise<RelaxResult> {
  const checked = checkRelaxRequest(request);
  const { system } = checked;
  const { initial, time, address, signal } = request;
  throwIfAborted(signal);
  const drive =
    typeof request.drive === 'function'
      ? await lateVector(request.drive, 'drive', checked, signal)
      : request.drive;
  if (time === 0 || (isZero(drive) && isZero(initial) && noiseTemperature === 0))
    return { x: Float64Array.from(initial), cost: ZERO_COST };
  const apply = await functionOfSystem(system);
  const x = apply((eigenvalue) => Math.exp(-eigenvalue * time), initial);
  add(
    x,
    apply((eigenvalue) => relaxedTime(eigenvalue, time), drive),
  );
  if (noiseTemperature > 0)
    add(x, fluctuation(apply, noiseTemperature, time, drive.length, noiseOf(address)));
  return { x, cost: ZERO_COST };
}

async function solve(request: SolveRequest, noiseTemperature: number): Promise<SolveResult> {
  const { evened } = checkSolveRequest(request);
  throwIfAborted(request.signal);
  const { tolerance, address } = request;
  const { weights, checked } = evened;
  const drive = weighted(request.drive, weights);
  if (isZero(drive)) return zeroSolution(drive.length);
  refuseBeyondFloat64(evened, tolerance);
  const { system, spectrum } = checked;
  const apply = await functionOfSystem(system);
  const time = SETTLED / spectrum.eigenvalueMin;
  const equilibrium = apply((eigenvalue) => relaxedTime(eigenvalue, time), drive);
  const random = noiseOf(address);
  const draws: Float64Array[] = [];
  for (;;) {
    throwIfAborted(request.signal);
    const y = Float64Array.from(equilibrium);
    let standardError = new Float64Array(y.length);
    if (noiseTemperature > 0) {
      for (let k = 0; k < DRAWS_PER_LOOK; k++)
        draws.push(fluctuation(apply, noiseTemperature, time, y.length, random));
      const estimate = estimateMean(concatenate(draws), y.length);
      add(y, estimate.mean);
      standardError = weighted(estimate.standardError, weights);
    }
    const { relativeErrorBound, relativeResidual } = certify(evened, drive, y);
    const x = weighted(y, weights);
    const relativeStandardError = norm2(standardError) / norm2(x);
    const samples = Math.max(1, draws.length);
    const isMet = relativeErrorBound <= tolerance && relativeStandardError <= tolerance / 2;
    request.onProgress?.({
      fraction: isMet ? 1 : Math.min(0.99, draws.length / DRAWS_MAX),
      pass: 1,
      samples,
      samplesMin: isMet ? samples : samples + DRAWS_PER_LOOK,
      relativeErrorBound,
      relativeStandardError,
    });
    if (isMet)
      return {
        x,
        standardError,
        quantizationError: 0,
        carryNoiseShare: 0,
        relativeResidual,
        passes: 1,
        samples,
        cost: ZERO_COST,
      };
    if (noiseTemperature === 0 || draws.length >= DRAWS_MAX)
      throw toleranceNotMet('The ideal sampler', 'the residual does not prove the tolerance', {
        tolerance,
        passes: 1,
        samples,
        relativeResidual,
        relativeErrorBound,
        relativeStandardError,
      });
  }
}

/** A draw of N(0, κA⁻¹(1 − e^(−2At))). */
function fluctuation(
  apply: FunctionOfSystem,
  noiseTemperature: number,
  time: number,
  dimension: number,
  random: RandomSource,
): Float64Array<ArrayBuffer> {
  const z = Float64Array.from({ length: dimension }, () => random.normal());
  return apply((eigenvalue) => Math.sqrt(noiseTemperature * relaxedTime(2 * eigenvalue, time) * 2), z);
}

function noiseOf({ seed, step, block }: RunAddress): RandomSource {
  return randomSource({ seed, stream: RANDOM_STREAM.idealSampler, step, block });
}

function concatenate(draws: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(draws.length * draws[0].length);
  for (let k = 0; k < draws.length; k++) all.set(draws[k], k * draws[0].length);
  return all;
}

function add(x: Float64Array, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i] += y[i];
}

/** f(A) x for a symmetric A and any real f: every mode of x is multiplied by f of its eigenvalue. */
export type FunctionOfSystem = (
  f: (eigenvalue: number) => number,
  x: Float64Array,
) => Float64Array<ArrayBuffer>;

/**
 * Finds the modes of A once. After that, f(A) x costs two products.
 *
 * Dense, A = V Λ Vᵀ: f(A) x = V f(Λ) Vᵀ x, O(N³) once. Factored, in dual form: KKᵀ = P S Pᵀ is m×m. A has the
 * eigenvalues s_i + λ in K's row space and λ in the rest, so
 *
 *     f(A) x = f(λ) x + Kᵀ P diag((f(s_i + λ) − f(λ))/s_i) Pᵀ K x,   O(m²N + m³) once.
 */
export async function functionOfSystem(system: LinearSystem): Promise<FunctionOfSystem> {
  // This module is loaded only here, because it takes as long to load as the rest of the library.
  const { symmetricEigen } = await import('../linalg/symmetric-eigen.js');
  if (system.kind === 'dense') {
    const { values, vectors } = symmetricEigen(system.matrix);
    return (f, x) => {
      const coefficients = matVecTransposed(vectors, x);
      for (let k = 0; k < values.length; k++) coefficients[k] *= f(values[k]);
      return matVec(vectors, coefficients);
    };
  }
  const { factor, damping } = system;
  const { values, vectors } = symmetricEigen(gramOfRows(factor));
  // If the factor has less than full rank, rounding leaves eigenvalues around 1e-16. K x is 0 in these
  // directions.
  const negligible = values.length * Number.EPSILON * Math.max(0, values[values.length - 1]);
  return (f, x) => {
    const rest = f(damping);
    const coefficients = matVecTransposed(vectors, matVec(factor, x));
    for (let k = 0; k < values.length; k++) {
      const s = values[k];
      coefficients[k] = s > negligible ? (coefficients[k] * (f(s + damping) - rest)) / s : 0;
    }
    const result = matVecTransposed(factor, matVec(vectors, coefficients));
    for (let i = 0; i < result.length; i++) result[i] += rest * x[i];
    return result;
  };
}
