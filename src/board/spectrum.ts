import { ThermolinkError } from '../errors.js';
import { cholesky } from '../linalg/cholesky.js';
import { type ExtremeEigenvalues, lanczosExtremes } from '../linalg/lanczos.js';
import { applySystem, dimensionOf, type LinearSystem, traceOf } from '../linalg/linear-system.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { RANDOM_STREAM, randomSource } from '../linalg/random.js';
import { counted, formatNumber } from '../number-text.js';

/**
 * Bounds of the eigenvalues of A. The host uses them to choose scales and times; they never enter an answer.
 */
export interface Spectrum {
  /** N, the number of unknowns. */
  readonly dimension: number;
  /**
   * Lower bound λ₋ of the smallest eigenvalue, within a few percent of it; for a factor with m < N it is the
   * damping λ. For a dense system of up to 1,024 unknowns, a Cholesky factorisation proves that no eigenvalue
   * is below 0.98 λ₋. For other systems Lanczos' method finds the smallest eigenvalue with a probability near
   * 1.
   */
  readonly eigenvalueMin: number;
  /** Upper bound λ₊ of the largest eigenvalue, within a few percent of it. */
  readonly eigenvalueMax: number;
  /** tr A, the sum of the eigenvalues, in units of A. */
  readonly trace: number;
  /** Estimate of tr A⁻¹, good to a factor of two. */
  readonly inverseTrace: number;
}

/**
 * Up to this N a Cholesky factorisation decides whether a matrix is positive definite. For larger N, Lanczos'
 * method decides.
 */
export const CHOLESKY_CELLS_MAX = 1024;
/**
 * Number of steps of Lanczos' method for larger N. Each step keeps a vector: 512 vectors of 8,192 entries are
 * 34 MB.
 */
const LANCZOS_STEPS_MAX = 512;
/** Start vectors of the trace estimate. The first of them also finds the extreme eigenvalues. */
const PROBES = 4;
const PROBE_STEPS_MAX = 40;

/**
 * Bounds the spectrum of a finite, symmetric system, and refuses one that has no equilibrium.
 *
 * A system is positive definite when its Cholesky factorisation succeeds (N ≤ 1,024), when it is a factor
 * with damping λ > 0, or when Lanczos' method puts its smallest eigenvalue above zero by more than the
 * residual.
 *
 * Errors: NOT_POSITIVE_DEFINITE.
 */
export function spectrumOf(system: LinearSystem): Spectrum {
  refuseSingularFactor(system);
  if (system.kind === 'dense') refuseIndefinite(system);
  const dimension = dimensionOf(system);
  const extremes = provedExtremes(system);
  const eigenvalueMin = smallestEigenvalue(system, extremes);
  let inverseMoment = extremes.inverseMoment;
  let eigenvalueMax = boundOf(extremes);
  for (let k = 1; k < PROBES; k++) {
    const other = probe(system, k, Math.min(dimension, PROBE_STEPS_MAX));
    inverseMoment += other.inverseMoment;
    eigenvalueMax = raisedBy(other, eigenvalueMax);
  }
  return {
    dimension,
    eigenvalueMin,
    eigenvalueMax,
    trace: traceOf(system),
    inverseTrace: Math.min((dimension * inverseMoment) / PROBES, dimension / eigenvalueMin),
  };
}

/** A factorisation of A − 0.98 λ₋ I proves λ₋. The margin of 2 % is for rounding. */
const PROVED_SHARE = 0.98;

/**
 * The extreme eigenvalues. If a spectrum falls steeply, as that of Hilbert matrices does, Lanczos' method may
 * stop at the second smallest eigenvalue. If a factorisation shows this, all N steps are made.
 */
function provedExtremes(system: LinearSystem): ExtremeEigenvalues {
  const dimension = dimensionOf(system);
  const stepsMax = dimension <= CHOLESKY_CELLS_MAX ? dimension : LANCZOS_STEPS_MAX;
  const extremes = probe(system, 0, stepsMax);
  if (system.kind === 'factored' || dimension > CHOLESKY_CELLS_MAX) return extremes;
  const shift = PROVED_SHARE * (extremes.min - extremes.minResidual);
  if (shift <= 0 || isDefiniteBeyond(system.matrix, shift)) return extremes;
  const all = probe(system, 0, stepsMax, 0);
  if (isDefiniteBeyond(system.matrix, PROVED_SHARE * (all.min - all.minResidual))) return all;
  // The smallest eigenvalue is zero within rounding.
  return { ...all, min: Math.min(all.min, 0), minResidual: 0 };
}

/** Whether A − shift·I is positive definite. */
function isDefiniteBeyond(a: Matrix, shift: number): boolean {
  const shifted = matrix(a.rows, a.columns, Float64Array.from(a.data));
  for (let i = 0; i < a.rows; i++) shifted.data[i * a.columns + i] -= shift;
  return cholesky(shifted).ok;
}

/**
 * Lanczos' method from a random unit vector v. N·vᵀA⁻¹v is an unbiased estimate of tr A⁻¹. The usual choice,
 * vectors of random signs, does not work here: they are eigenvectors of matrices like [[2, 1], [1, 2]], so
 * half of such a spectrum would stay unseen.
 */
function probe(
  system: LinearSystem,
  index: number,
  stepsMax: number,
  relativeResidual?: number,
): ExtremeEigenvalues {
  return lanczosExtremes((x) => applySystem(system, x), probeStart(system, index), {
    stepsMax,
    relativeResidual,
  });
}

function probeStart(system: LinearSystem, index: number): Float64Array {
  const random = randomSource({ seed: 0, stream: RANDOM_STREAM.spectrumProbe, block: index });
  return Float64Array.from({ length: dimensionOf(system) }, () => random.normal());
}

/** Lanczos' method for λ_max ends when its residual is below this share of λ_max. */
const LARGEST_RESIDUAL = 0.02;
/** Number of independent starts. They seldom miss the same eigenvector. */
const STARTS = 2;
/** Ritz values of one eigenvalue from two starts differ by less than this share. */
const ROUNDING = 1e-9;

/** `largestEigenvalue` of KᵀK. */
export function factorEigenvalueMax(factor: Matrix): number {
  return largestEigenvalue({ kind: 'factored', factor, damping: 0 });
}

/**
 * Upper bound of λ_max(A) for a system that is finite: the largest Ritz value plus its residual, a few
 * percent above λ_max. Some eigenvalue lies within the residual of the Ritz value. It is not the largest one
 * if the start vector is almost orthogonal to the eigenvector of the largest one, which happened in 3 of 400
 * curvatures of trainings (docs/decisions/0065). So several independent `starts` are made. The first one
 * counts unless another finds a larger value. Each takes about eight products with A.
 */
export function largestEigenvalue(system: LinearSystem, starts = STARTS): number {
  const stepsMax = Math.min(dimensionOf(system), LANCZOS_STEPS_MAX);
  const from = (index: number): ExtremeEigenvalues =>
    lanczosExtremes((x) => applySystem(system, x), probeStart(system, index), {
      ...{ relativeResidual: LARGEST_RESIDUAL, stepsMax, end: 'max' },
    });
  let bound = boundOf(from(0));
  for (let index = 1; index < starts; index++) bound = raisedBy(from(index), bound);
  return bound;
}

const boundOf = ({ max, maxResidual }: ExtremeEigenvalues): number => max + maxResidual;

/**
 * The bound of λ_max after another start. If a Ritz value of the new start lies above the old bound, the old
 * bound was that of a smaller eigenvalue.
 */
function raisedBy(other: ExtremeEigenvalues, bound: number): number {
  return other.max > bound * (1 + ROUNDING) ? boundOf(other) : bound;
}

function refuseSingularFactor(system: LinearSystem): void {
  if (system.kind === 'dense' || system.damping > 0) return;
  const { rows, columns } = system.factor;
  if (rows >= columns) return;
  throw new ThermolinkError(
    'NOT_POSITIVE_DEFINITE',
    `KᵀK of a ${rows}×${columns} factor is singular, and the damping is 0.`,
    { hint: 'Choose a damping λ > 0.', data: { rows, columns } },
  );
}

function refuseIndefinite(system: LinearSystem & { kind: 'dense' }): void {
  const { columns, data } = system.matrix;
  for (let i = 0; i < columns; i++) {
    const entry = data[i * columns + i];
    if (entry <= 0) throw notDefinite(`its diagonal entry ${i} is ${entry}`, { index: i });
  }
  if (columns > CHOLESKY_CELLS_MAX) return;
  const outcome = cholesky(system.matrix);
  if (outcome.ok) return;
  const extremes = probe(system, 0, columns);
  const { pivot } = outcome;
  if (extremes.min < -roundingOf(system, extremes)) throw hasNegative(extremes, { pivot });
  throw isSingular(system, extremes, { pivot });
}

function smallestEigenvalue(system: LinearSystem, extremes: ExtremeEigenvalues): number {
  const found = extremes.min - extremes.minResidual;
  // If the factor has a null space, λ is exactly the smallest eigenvalue; otherwise λ is only a lower bound.
  const floor = system.kind === 'factored' ? system.damping : 0;
  if (system.kind === 'factored' && system.factor.rows < system.factor.columns) return floor;
  const eigenvalueMin = Math.max(found, floor);
  const rounding = roundingOf(system, extremes);
  if (eigenvalueMin > rounding) return eigenvalueMin;
  if (extremes.min < -rounding) throw hasNegative(extremes, {});
  if (extremes.min <= rounding) throw isSingular(system, extremes, {});
  const { min, minResidual, steps } = extremes;
  throw notDefinite(
    `its smallest eigenvalue is known only as ${formatNumber(min, 2)} ± ${formatNumber(minResidual, 2)} after ${counted(steps, 'step')} of Lanczos' method`,
    { eigenvalueMin: min, residual: minResidual },
    'could not be shown to be',
  );
}

/** The error of eigenvalues from the rounding of one product with A. A smaller eigenvalue may be zero. */
function roundingOf(system: LinearSystem, { max }: ExtremeEigenvalues): number {
  return dimensionOf(system) * Number.EPSILON * Math.abs(max);
}

/**
 * A negative Ritz value shows a negative eigenvalue, because no Ritz value lies below the smallest
 * eigenvalue.
 */
function hasNegative({ min }: ExtremeEigenvalues, data: Record<string, number>): ThermolinkError {
  return notDefinite(`it has an eigenvalue of ${formatNumber(min, 2)} or below`, {
    ...data,
    eigenvalueMin: min,
  });
}

function isSingular(
  system: LinearSystem,
  extremes: ExtremeEigenvalues,
  data: Record<string, number>,
): ThermolinkError {
  const { min, max } = extremes;
  if (max === 0) return notDefinite('every entry is zero', data);
  const rounding = roundingOf(system, extremes);
  return new ThermolinkError(
    'NOT_POSITIVE_DEFINITE',
    `The matrix is singular within the rounding of float64: its smallest eigenvalue is 0 ± ${formatNumber(rounding, 2)}, ` +
      `and its largest one is ${formatNumber(max, 2)} (condition number ${formatNumber(max / rounding, 2)} or more).`,
    {
      hint: `Remove unknowns that the equations do not determine, precondition, or add damping: A + λI with λ well above ${formatNumber(rounding, 2)}.`,
      data: { ...data, eigenvalueMin: min, eigenvalueMax: max, rounding },
    },
  );
}

function notDefinite(reason: string, data: Record<string, number>, verdict = 'is not'): ThermolinkError {
  return new ThermolinkError('NOT_POSITIVE_DEFINITE', `The matrix ${verdict} positive definite: ${reason}.`, {
    hint: 'A relaxation has an equilibrium only when every eigenvalue is above zero; a larger damping (A + λI) gives one.',
    data,
  });
}
