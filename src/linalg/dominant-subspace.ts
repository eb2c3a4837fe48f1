import { lanczosExtremes } from './lanczos.js';
import { type Matrix, matrix } from './matrix.js';
import { dotOfRows, matVec, matVecTransposed } from './products.js';

/** Directions in which KᵀK is large, and their products with K. */
export interface DominantSubspace {
  /** V: `rank` orthonormal rows of length P. */
  readonly basis: Matrix;
  /** K v of each direction v, one per row: rank × m. */
  readonly images: Matrix;
  /** T = (KVᵀ)ᵀ(KVᵀ) = V KᵀK Vᵀ, rank × rank. */
  readonly gram: Matrix;
  /**
   * The largest eigenvalue of T. It is a lower bound of the largest eigenvalue of KᵀK, and close to it when
   * the subspace has converged.
   */
  readonly largest: number;
}

/**
 * Subspace iteration: V ← orth(V KᵀK), `sweeps` times, from the rows of `start` (rank × P, linearly
 * independent). K is m × P. A sweep takes 2·rank·m·P multiplications; the matrices at the end take half as
 * many. Source: Parlett, "The Symmetric Eigenvalue Problem", chapter 14.
 */
export function dominantSubspace(factor: Matrix, start: Matrix, sweeps: number): DominantSubspace {
  const basis = matrix(start.rows, start.columns, Float64Array.from(start.data));
  const images = matrix(start.rows, factor.rows);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (let i = 0; i < basis.rows; i++)
      matVecTransposed(factor, matVec(factor, rowOf(basis, i)), rowOf(basis, i));
    orthonormaliseRows(basis);
  }
  for (let i = 0; i < basis.rows; i++) matVec(factor, rowOf(basis, i), rowOf(images, i));
  const gram = matrix(basis.rows, basis.rows);
  for (let i = 0; i < basis.rows; i++)
    for (let j = 0; j < basis.rows; j++)
      gram.data[i * basis.rows + j] = dotOfRows(
        images.data,
        i * images.columns,
        images.data,
        j * images.columns,
        images.columns,
      );
  return { basis, images, gram, largest: largestOf(gram) };
}

/** The largest eigenvalue of a small symmetric matrix whose diagonal entries are at least 0. */
function largestOf(gram: Matrix): number {
  // The diagonal is a good start: the wanted eigenvector is large where the diagonal is large.
  const start = Float64Array.from({ length: gram.rows }, (_, i) => gram.data[i * gram.columns + i]);
  return start.some((value) => value > 0)
    ? lanczosExtremes((x) => matVec(gram, x), start, { relativeResidual: 1e-12 }).max
    : 0;
}

/** K(I − VᵀV), m × P: the rows of K projected to the complement of the subspace. */
export function withoutSubspace(factor: Matrix, { basis, images }: DominantSubspace): Matrix {
  const rest = matrix(factor.rows, factor.columns, Float64Array.from(factor.data));
  for (let row = 0; row < rest.rows; row++) {
    const target = rowOf(rest, row);
    for (let i = 0; i < basis.rows; i++) {
      const share = images.data[i * images.columns + row];
      const direction = rowOf(basis, i);
      for (let j = 0; j < target.length; j++) target[j] -= share * direction[j];
    }
  }
  return rest;
}

/** x − VᵀV x. */
export function projectOut(x: Float64Array, { basis }: DominantSubspace): Float64Array<ArrayBuffer> {
  const rest = Float64Array.from(x);
  const shares = matVec(basis, rest);
  const inside = matVecTransposed(basis, shares);
  for (let j = 0; j < rest.length; j++) rest[j] -= inside[j];
  return rest;
}

/**
 * The method of Gram and Schmidt, applied twice: after one pass, rows that were nearly equal are not
 * orthogonal because of rounding.
 */
function orthonormaliseRows(rows: Matrix): void {
  for (let i = 0; i < rows.rows; i++) {
    const row = rowOf(rows, i);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = rowOf(rows, j);
        const share = dotOfRows(row, 0, other, 0, row.length);
        for (let k = 0; k < row.length; k++) row[k] -= share * other[k];
      }
      const length = Math.sqrt(dotOfRows(row, 0, row, 0, row.length));
      // A row of length 0 stays zero.
      for (let k = 0; k < row.length; k++) row[k] = length > 0 ? row[k] / length : 0;
    }
  }
}

function rowOf({ columns, data }: Matrix, row: number): Float64Array<ArrayBuffer> {
  return data.subarray(row * columns, (row + 1) * columns) as Float64Array<ArrayBuffer>;
}
