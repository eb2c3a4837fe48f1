import { cholesky, choleskySolve } from './cholesky.js';
import type { LinearSystem } from './linear-system.js';
import { type Matrix, matrix, symmetricPart } from './matrix.js';
import { formDense, gramOfRows, matVec, matVecTransposed } from './products.js';

/**
 * x = (KᵀK + λI)⁻¹b for K m×N and λ > 0 by Woodbury's identity, x = (b − Kᵀ(KKᵀ + λI)⁻¹K b)/λ. Only an m×m
 * matrix is formed, O(m²N + m³). Undefined if K is not finite, or if λ is so small that KKᵀ + λI is singular
 * in float64.
 */
export function solveByWoodbury(
  factor: Matrix,
  damping: number,
  b: Float64Array,
): Float64Array<ArrayBuffer> | undefined {
  return woodburySolver(factor, damping)?.(b);
}

/** Like `solveByWoodbury`, for many b: O(m²N + m³) once, and O(mN + m²) for each b. */
export function woodburySolver(
  factor: Matrix,
  damping: number,
): ((b: Float64Array) => Float64Array<ArrayBuffer>) | undefined {
  const gram = gramOfRows(factor);
  for (let i = 0; i < gram.rows; i++) gram.data[i * gram.columns + i] += damping;
  const decomposition = cholesky(gram);
  if (!decomposition.ok) return undefined;
  return (b) => {
    const x = matVecTransposed(factor, choleskySolve(decomposition.factor, matVec(factor, b)));
    for (let i = 0; i < x.length; i++) x[i] = (b[i] - x[i]) / damping;
    return x;
  };
}

/** A⁻¹b in float64. */
export type DirectSolver = (b: Float64Array) => Float64Array<ArrayBuffer>;

/**
 * Factorises A once, for many right-hand sides. A factored system with m < N uses Woodbury's identity,
 * O(m²N), and A is not formed. Otherwise Cholesky factorisation is used, O(N³). Undefined if A is not
 * positive definite in float64.
 */
export function directSolver(system: LinearSystem): DirectSolver | undefined {
  if (system.kind === 'dense') return byCholesky(system.matrix);
  const { factor, damping } = system;
  if (factor.rows >= factor.columns) return byCholesky(formDense(factor, damping));
  return damping > 0 ? woodburySolver(factor, damping) : undefined;
}

function byCholesky(a: Matrix): DirectSolver | undefined {
  const outcome = cholesky(a);
  return outcome.ok ? (b) => choleskySolve(outcome.factor, b) : undefined;
}

/**
 * A⁻¹ of an N×N symmetric positive definite matrix, by Cholesky factorisation, O(N³). Undefined if A is not
 * positive definite in float64.
 */
export function inverseOf(a: Matrix): Matrix | undefined {
  const solve = byCholesky(a);
  if (solve === undefined) return undefined;
  const inverse = matrix(a.rows, a.rows);
  for (let j = 0; j < a.rows; j++) {
    const unit = new Float64Array(a.rows);
    unit[j] = 1;
    // Column j is stored as row j; the inverse is symmetric up to rounding.
    inverse.data.set(solve(unit), j * a.rows);
  }
  return symmetricPart(inverse);
}
