import type { Matrix } from './matrix.js';

/**
 * min ½xᵀPx + qᵀx + c subject to l ≤ A x ≤ u, with n unknowns and m rows. A bound on an unknown is a row of
 * A with one entry.
 */
export interface QuadraticProgram {
  /** P, n×n, symmetric positive semidefinite. */
  readonly hessian: Matrix;
  /** q, length n. */
  readonly linear: Float64Array;
  /** A, m×n. */
  readonly constraints: Matrix;
  /** l, length m; −Infinity if there is no lower bound. */
  readonly lower: Float64Array;
  /** u, length m; Infinity if there is no upper bound. */
  readonly upper: Float64Array;
  /** c, in the units of the objective. Default 0. */
  readonly constant?: number;
}
