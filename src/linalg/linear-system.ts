import type { Matrix } from './matrix.js';

/** A x = b with A symmetric positive definite, given entry by entry. `matrix` is N×N, dimension of A. */
export interface DenseSystem {
  readonly kind: 'dense';
  readonly matrix: Matrix;
}

/** A = KᵀK + λI given by its factor: `factor` K is m×N, `damping` λ ≥ 0. A is never formed. */
export interface FactoredSystem {
  readonly kind: 'factored';
  readonly factor: Matrix;
  readonly damping: number;
}

export type LinearSystem = DenseSystem | FactoredSystem;
