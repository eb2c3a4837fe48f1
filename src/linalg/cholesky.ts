import { type Matrix, matrix } from './matrix.js';
import { dotOfRows } from './products.js';

export type CholeskyOutcome =
  | { readonly ok: true; readonly factor: Matrix }
  /** The leading (pivot + 1)×(pivot + 1) block is not positive definite in float64. */
  | { readonly ok: false; readonly pivot: number };

/**
 * A = L Lᵀ with a lower triangular L, for a symmetric N×N matrix. Only the lower triangle of A is read. Cost:
 * N³/6 multiplications. The work goes row by row, so every inner product runs over consecutive memory. The
 * factorisation stops at a pivot that is not positive or not finite.
 */
export function cholesky(a: Matrix): CholeskyOutcome {
  const n = a.rows;
  const factor = matrix(n, n);
  const l = factor.data;
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j < i; j++) {
      const other = j * n;
      l[row + j] = (a.data[row + j] - dotOfRows(l, row, l, other, j)) / l[other + j];
    }
    const pivot = a.data[row + i] - dotOfRows(l, row, l, row, i);
    if (!(pivot > 0) || pivot === Infinity) return { ok: false, pivot: i };
    l[row + i] = Math.sqrt(pivot);
  }
  return { ok: true, factor };
}

/** x with L Lᵀ x = b, by forward and back substitution. */
export function choleskySolve(factor: Matrix, b: Float64Array): Float64Array<ArrayBuffer> {
  const n = factor.rows;
  const l = factor.data;
  const x = new Float64Array(n);
  for (let i = 0; i < n; i++) x[i] = (b[i] - dotOfRows(l, i * n, x, 0, i)) / l[i * n + i];
  for (let i = n - 1; i >= 0; i--) {
    const value = x[i] / l[i * n + i];
    x[i] = value;
    for (let j = 0; j < i; j++) x[j] -= value * l[i * n + j];
  }
  return x;
}

/** ln det A = 2 Σ ln L_ii. */
export function logDeterminantOf({ rows, data }: Matrix): number {
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += Math.log(data[i * rows + i]);
  return 2 * sum;
}
