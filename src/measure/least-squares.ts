import { cholesky, choleskySolve } from '../linalg/cholesky.js';
import { matrix } from '../linalg/matrix.js';

export interface LinearFit {
  readonly coefficients: Float64Array;
  readonly standardErrors: Float64Array;
  /** Standard deviation of the observations about the fit; at least the floor. */
  readonly scatter: number;
}

export interface FitOptions {
  /** Lower bound of the estimated standard deviation of an observation: the one that rounding causes. */
  readonly floor: number;
  /**
   * Group 0…G−1 of every observation. Errors within a group may be correlated and of any size. Default: all
   * errors are independent and of one size.
   */
  readonly groups?: Int32Array;
}

/**
 * y ≈ Σ_j β_j·x_j by least squares, for n observations and k columns. The standard errors are the roots of
 * the diagonal of σ̂²(XᵀX)⁻¹ with σ̂² = RSS/(n − k − 2). The 2 in the denominator gives (deviation)/(standard
 * error) a variance of 1; with n − k it would be larger, as for Student's t. With groups that matrix is
 * replaced by the sandwich (XᵀX)⁻¹·Σ_g(X_gᵀu_g)(X_gᵀu_g)ᵀ·(XᵀX)⁻¹·G/(G − k − 2) of Liang and Zeger (1986).
 * Undefined if the columns are linearly dependent or there are too few observations.
 */
export function fitLinear(
  columns: readonly Float64Array[],
  y: Float64Array,
  { floor, groups }: FitOptions,
): LinearFit | undefined {
  const count = y.length;
  const size = columns.length;
  if (count <= size + 2) return undefined;
  // The columns are scaled to length 1, because the normal equations square the condition number.
  const norms = columns.map((column) => Math.hypot(...column));
  if (norms.some((norm) => !(norm > 0))) return undefined;
  const gram = matrix(size, size);
  const moments = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    moments[i] = dot(columns[i], y) / norms[i];
    for (let j = 0; j <= i; j++)
      gram.data[i * size + j] = gram.data[j * size + i] = dot(columns[i], columns[j]) / (norms[i] * norms[j]);
  }
  const factored = cholesky(gram);
  if (!factored.ok) return undefined;
  const { factor } = factored;
  const scaled = choleskySolve(factor, moments);
  const coefficients = scaled.map((value, i) => value / norms[i]);
  const residuals = y.map((value, n) => columns.reduce((sum, x, i) => sum - coefficients[i] * x[n], value));
  const inverse = norms.map((_, i) =>
    choleskySolve(
      factor,
      Float64Array.from(norms, (_, j) => +(i === j)),
    ),
  );
  const plain = dot(residuals, residuals) / (count - size - 2);
  const sandwich = groups === undefined ? undefined : meat(columns, norms, residuals, groups);
  const standardErrors = Float64Array.from(inverse, (row, i) => {
    const least = floor * floor * row[i];
    const variance = sandwich === undefined ? plain * row[i] : sandwich(row);
    return Math.sqrt(Math.max(least, variance)) / norms[i];
  });
  return { coefficients, standardErrors, scatter: Math.max(floor, Math.sqrt(plain)) };
}

/** Σ_g (aᵀX_gᵀu_g)²·G/(G − k − 2) as a function of a, a row of the inverse. */
function meat(
  columns: readonly Float64Array[],
  norms: readonly number[],
  residuals: Float64Array,
  groups: Int32Array,
): (row: Float64Array) => number {
  const groupCount = groups.reduce((most, group) => Math.max(most, group + 1), 0);
  const scores = Array.from({ length: groupCount }, () => new Float64Array(columns.length));
  for (let n = 0; n < residuals.length; n++)
    for (let i = 0; i < columns.length; i++)
      scores[groups[n]][i] += (columns[i][n] / norms[i]) * residuals[n];
  const correction = groupCount / Math.max(1, groupCount - columns.length - 2);
  return (row) => correction * scores.reduce((sum, score) => sum + dot(row, score) ** 2, 0);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let n = 0; n < a.length; n++) sum += a[n] * b[n];
  return sum;
}
