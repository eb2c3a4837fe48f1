import { Matrix as DenseMatrix, EigenvalueDecomposition } from 'ml-matrix';
import { type Matrix, matrix } from './matrix.js';

export interface SymmetricEigen {
  /** Eigenvalues, ascending. */
  readonly values: Float64Array;
  /** Column k is the normalised eigenvector of `values[k]`. */
  readonly vectors: Matrix;
}

/**
 * Eigendecomposition A = V diag(values) Vᵀ of an N×N matrix, O(N³). The matrix must be symmetric; this is not
 * checked.
 */
export function symmetricEigen(a: Matrix): SymmetricEigen {
  const n = a.rows;
  const decomposition = new EigenvalueDecomposition(DenseMatrix.from1DArray(n, n, a.data), {
    assumeSymmetric: true,
  });
  const found = decomposition.realEigenvalues;
  const order = found.map((_, k) => k).sort((i, j) => found[i] - found[j]);
  const vectors = matrix(n, n);
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < n; i++) vectors.data[i * n + k] = decomposition.eigenvectorMatrix.get(i, order[k]);
  }
  return { values: Float64Array.from(order, (k) => found[k]), vectors };
}
