import { type Matrix, matrix } from './matrix.js';

/** A x for A m×n, x of length n; the result has length m. `out` must not be x. */
export function matVec(
  a: Matrix,
  x: Float64Array,
  out: Float64Array<ArrayBuffer> = new Float64Array(a.rows),
): Float64Array<ArrayBuffer> {
  const { rows, columns, data } = a;
  for (let i = 0; i < rows; i++) out[i] = dotOfRows(data, i * columns, x, 0, columns);
  return out;
}

/** Aᵀ y for A m×n, y of length m; the result has length n. `out` must not be y. */
export function matVecTransposed(
  a: Matrix,
  y: Float64Array,
  out: Float64Array<ArrayBuffer> = new Float64Array(a.columns),
): Float64Array<ArrayBuffer> {
  const { rows, columns, data } = a;
  out.fill(0);
  for (let i = 0; i < rows; i++) {
    const factor = y[i];
    const start = i * columns;
    for (let j = 0; j < columns; j++) out[j] += factor * data[start + j];
  }
  return out;
}

/** Aᵀ, n×m for A m×n. */
export function transposed({ rows, columns, data }: Matrix): Matrix {
  const result = matrix(columns, rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result.data[j * rows + i] = data[i * columns + j];
  return result;
}

/** A Aᵀ, m×m for A m×n: the Gram matrix of A's rows. It has the same nonzero eigenvalues as AᵀA. */
export function gramOfRows(a: Matrix): Matrix {
  const { rows, columns, data } = a;
  const gram = matrix(rows, rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) {
      const value = dotOfRows(data, i * columns, data, j * columns, columns);
      gram.data[i * rows + j] = value;
      gram.data[j * rows + i] = value;
    }
  }
  return gram;
}

/** RᵀR, N×N for R with N columns. Zero entries of R are skipped. */
export function gramOfColumns({ rows, columns, data }: Matrix): Matrix {
  const gram = matrix(columns, columns);
  const places = new Uint32Array(columns);
  for (let r = 0; r < rows; r++) {
    const start = r * columns;
    let count = 0;
    for (let i = 0; i < columns; i++) if (data[start + i] !== 0) places[count++] = i;
    for (let k = 0; k < count; k++) {
      const value = data[start + places[k]];
      const target = places[k] * columns;
      for (let j = 0; j <= k; j++) gram.data[target + places[j]] += value * data[start + places[j]];
    }
  }
  for (let i = 0; i < columns; i++)
    for (let j = 0; j < i; j++) gram.data[j * columns + i] = gram.data[i * columns + j];
  return gram;
}

/** A B, m×n for A m×k and B k×n. Zero entries of A are skipped. */
export function matMul(a: Matrix, b: Matrix): Matrix {
  const product = matrix(a.rows, b.columns);
  const { columns, data } = b;
  const places = new Uint32Array(a.columns);
  for (let i = 0; i < a.rows; i++) {
    const row = product.data.subarray(i * columns, (i + 1) * columns);
    const left = a.data.subarray(i * a.columns, (i + 1) * a.columns);
    let count = 0;
    for (let k = 0; k < a.columns; k++) if (left[k] !== 0) places[count++] = k;
    let at = 0;
    // Four rows of B at a time: each row of the product is then read and written only a quarter as often.
    for (; at + 4 <= count; at += 4) {
      const [k0, k1, k2, k3] = places.subarray(at, at + 4);
      const [f0, f1, f2, f3] = [left[k0], left[k1], left[k2], left[k3]];
      const [s0, s1, s2, s3] = [k0 * columns, k1 * columns, k2 * columns, k3 * columns];
      for (let j = 0; j < columns; j++)
        row[j] += f0 * data[s0 + j] + f1 * data[s1 + j] + (f2 * data[s2 + j] + f3 * data[s3 + j]);
    }
    for (; at < count; at++) {
      const start = places[at] * columns;
      const factor = left[places[at]];
      for (let j = 0; j < columns; j++) row[j] += factor * data[start + j];
    }
  }
  return product;
}

/** KᵀK + λI, N×N for K m×N: the matrix of a factored system, for small N and for tests. */
export function formDense(factor: Matrix, damping: number): Matrix {
  const { rows, columns, data } = factor;
  const dense = matrix(columns, columns);
  for (let r = 0; r < rows; r++) {
    const row = data.subarray(r * columns, (r + 1) * columns);
    for (let i = 0; i < columns; i++) {
      const left = row[i];
      const start = i * columns;
      for (let j = 0; j <= i; j++) dense.data[start + j] += left * row[j];
    }
  }
  for (let i = 0; i < columns; i++)
    for (let j = 0; j < i; j++) dense.data[j * columns + i] = dense.data[i * columns + j];
  for (let i = 0; i < columns; i++) dense.data[i * columns + i] += damping;
  return dense;
}

export function dot(x: Float64Array, y: Float64Array): number {
  return dotOfRows(x, 0, y, 0, x.length);
}

/**
 * Σ x[xStart + i]·y[yStart + i] over `length` entries. There are four partial sums, because each addition to
 * a single sum would have to wait for the one before.
 */
export function dotOfRows(
  x: Float64Array,
  xStart: number,
  y: Float64Array,
  yStart: number,
  length: number,
): number {
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  const whole = length - (length % 4);
  for (let i = 0; i < whole; i += 4) {
    sum0 += x[xStart + i] * y[yStart + i];
    sum1 += x[xStart + i + 1] * y[yStart + i + 1];
    sum2 += x[xStart + i + 2] * y[yStart + i + 2];
    sum3 += x[xStart + i + 3] * y[yStart + i + 3];
  }
  for (let i = whole; i < length; i++) sum0 += x[xStart + i] * y[yStart + i];
  return sum0 + sum1 + (sum2 + sum3);
}

/**
 * ‖x‖₂. The entries are divided by the largest one first, to avoid underflow and overflow for entries like
 * 1e-200 and 1e200.
 */
export function norm2(x: Float64Array): number {
  const largest = normInf(x);
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const scaled = x[i] / largest;
    sum += scaled * scaled;
  }
  return largest * Math.sqrt(sum);
}

/** max |x_i|; NaN when an entry is NaN. */
export function normInf(x: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < x.length; i++) {
    const magnitude = Math.abs(x[i]);
    // Every comparison with NaN is false, so this negated comparison is true for NaN.
    if (!(magnitude <= largest)) {
      if (Number.isNaN(magnitude)) return magnitude;
      largest = magnitude;
    }
  }
  return largest;
}

/** Whether every entry is 0. */
export function isZero(x: Float64Array): boolean {
  return x.every((value) => value === 0);
}

/** x − y. */
export function subtract(x: Float64Array, y: Float64Array): Float64Array<ArrayBuffer> {
  const difference = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) difference[i] = x[i] - y[i];
  return difference;
}

/** x + y. */
export function sum(x: Float64Array, y: Float64Array): Float64Array<ArrayBuffer> {
  const total = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) total[i] = x[i] + y[i];
  return total;
}
