import { tridiagonalEigen } from './tridiagonal-eigen.js';

/** Nodes x_k and weights w_k of ∫ e^(−x²) f(x) dx ≈ Σ w_k f(x_k). */
export interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/**
 * Gauss–Hermite quadrature with n ≥ 1 nodes, in no particular order. It is exact up to rounding for
 * polynomials of degree 2n − 1. The nodes are the eigenvalues of the symmetric tridiagonal matrix with zero
 * diagonal and off-diagonal entries √(k/2), and w_k = √π (first component of the eigenvector)². Source:
 * Golub, Welsch, "Calculation of Gauss quadrature rules", Math. Comp. 23 (1969).
 */
export function gaussHermite(n: number): Quadrature {
  const offDiagonal = Float64Array.from({ length: n - 1 }, (_, k) => Math.sqrt((k + 1) / 2));
  const { values, first } = tridiagonalEigen(new Float64Array(n), offDiagonal);
  return { nodes: values, weights: first.map((component) => Math.sqrt(Math.PI) * component * component) };
}
