import { dot, norm2 } from './products.js';
import { type TridiagonalEigen, tridiagonalEigen } from './tridiagonal-eigen.js';

export interface ExtremeEigenvalues {
  /** Smallest Ritz value: λ_min is not above it, and some eigenvalue lies within `minResidual` of it. */
  readonly min: number;
  readonly minResidual: number;
  readonly max: number;
  readonly maxResidual: number;
  /**
   * Gauss quadrature Σ τ_k²/θ_k of vᵀA⁻¹v for the unit start vector v. N times its mean over random v is tr
   * A⁻¹. Solvers choose scales by this estimate; it never becomes a result. Infinite when a Ritz value is not
   * positive.
   */
  readonly inverseMoment: number;
  readonly steps: number;
}

export interface LanczosOptions {
  /**
   * The iteration stops when the residual bounds are below this fraction of their Ritz values. Default 0.02.
   */
  readonly relativeResidual?: number;
  /**
   * The end whose residual must converge. The value of the other end is then less accurate. Default `both`.
   */
  readonly end?: 'both' | 'min' | 'max';
  /** Largest number of steps. Default: N. */
  readonly stepsMax?: number;
}

/**
 * Extreme eigenvalues of a symmetric N×N matrix, which is given only by its product with a vector. The method
 * is that of Lanczos with full reorthogonalisation. Each residual bound |β_k·s_k| proves that some eigenvalue
 * lies within this distance of the Ritz value. For a random `start` this eigenvalue is the extreme one with
 * probability near 1. After N steps, or when the Krylov space is exhausted, the values are exact up to
 * rounding.
 *
 * Cost: k products and O(k²N) for k steps. Source: Parlett, "The Symmetric Eigenvalue Problem", chapter 13.
 */
export function lanczosExtremes(
  apply: (x: Float64Array) => Float64Array,
  start: Float64Array,
  options: LanczosOptions = {},
): ExtremeEigenvalues {
  const { relativeResidual = 0.02, end = 'both' } = options;
  const stepsMax = Math.min(start.length, options.stepsMax ?? start.length);
  const basis: Float64Array[] = [normalised(start)];
  const alpha: number[] = [];
  const beta: number[] = [];
  let nextCheck = Math.min(8, stepsMax);
  for (;;) {
    const step = alpha.length;
    const w = Float64Array.from(apply(basis[step]));
    alpha.push(dot(w, basis[step]));
    orthogonalise(w, basis);
    const remainder = norm2(w);
    const scale = Math.abs(alpha[step]) + (beta[step - 1] ?? 0);
    const exhausted = !(remainder > 1e-14 * Math.max(scale, largestMagnitude(alpha)));
    const finished = exhausted || alpha.length === stepsMax;
    if (finished || alpha.length === nextCheck) {
      const extremes = extremesOf(alpha, beta, exhausted ? 0 : remainder);
      if (finished || isConverged(extremes, relativeResidual, end)) return extremes;
      nextCheck = Math.min(stepsMax, Math.ceil(1.3 * nextCheck));
    }
    beta.push(remainder);
    basis.push(normalised(w, remainder));
  }
}

function extremesOf(alpha: number[], beta: number[], remainder: number): ExtremeEigenvalues {
  const eigen = tridiagonalEigen(Float64Array.from(alpha), Float64Array.from(beta));
  let low = 0;
  let high = 0;
  for (let k = 1; k < eigen.values.length; k++) {
    if (eigen.values[k] < eigen.values[low]) low = k;
    if (eigen.values[k] > eigen.values[high]) high = k;
  }
  return {
    min: eigen.values[low],
    minResidual: Math.abs(remainder * eigen.last[low]),
    max: eigen.values[high],
    maxResidual: Math.abs(remainder * eigen.last[high]),
    inverseMoment: eigen.values[low] > 0 ? inverseMomentOf(eigen) : Infinity,
    steps: alpha.length,
  };
}

function inverseMomentOf(eigen: TridiagonalEigen): number {
  let moment = 0;
  for (let k = 0; k < eigen.values.length; k++) moment += eigen.first[k] ** 2 / eigen.values[k];
  return moment;
}

function isConverged(
  { min, minResidual, max, maxResidual }: ExtremeEigenvalues,
  relativeResidual: number,
  end: LanczosOptions['end'],
): boolean {
  const minIsClose = minResidual <= relativeResidual * Math.abs(min);
  const maxIsClose = maxResidual <= relativeResidual * Math.abs(max);
  return (minIsClose || end === 'max') && (maxIsClose || end === 'min');
}

/**
 * Makes w orthogonal to the basis. Two sweeps are enough (Parlett): the second removes the rounding error of
 * the first.
 */
function orthogonalise(w: Float64Array, basis: readonly Float64Array[]): void {
  for (let sweep = 0; sweep < 2; sweep++) {
    for (const q of basis) {
      const overlap = dot(w, q);
      for (let i = 0; i < w.length; i++) w[i] -= overlap * q[i];
    }
  }
}

function normalised(x: Float64Array, length = norm2(x)): Float64Array {
  const unit = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) unit[i] = x[i] / length;
  return unit;
}

function largestMagnitude(values: readonly number[]): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}
