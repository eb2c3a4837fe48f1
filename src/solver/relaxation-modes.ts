import type { LinearSystem } from '../linalg/linear-system.js';
import { gramOfRows, matVec, matVecTransposed } from '../linalg/products.js';
import { symmetricEigen } from '../linalg/symmetric-eigen.js';

/** f(A) x of a symmetric A, for any real f: every mode of x is multiplied by f of its eigenvalue. */
export type FunctionOfSystem = (
  f: (eigenvalue: number) => number,
  x: Float64Array,
) => Float64Array<ArrayBuffer>;

/**
 * Takes A apart into modes, once: f(A) x is then two products.
 *
 * Dense, A = V Λ Vᵀ: f(A) x = V f(Λ) Vᵀ x, O(N³) once.
 * Factored, in dual form: KKᵀ = P S Pᵀ is m×m, A has the eigenvalues s_i + λ in K's row space and λ in the rest, so
 *   f(A) x = f(λ) x + Kᵀ P diag((f(s_i + λ) − f(λ))/s_i) Pᵀ K x,   O(m²N + m³) once.
 */
export function functionOfSystem(system: LinearSystem): FunctionOfSystem {
  if (system.kind === 'dense') {
    const { values, vectors } = symmetricEigen(system.matrix);
    return (f, x) => {
      const coefficients = matVecTransposed(vectors, x);
      for (let k = 0; k < values.length; k++) coefficients[k] *= f(values[k]);
      return matVec(vectors, coefficients);
    };
  }
  const { factor, damping } = system;
  const { values, vectors } = symmetricEigen(gramOfRows(factor));
  // Of a rank-deficient factor rounding leaves values around 1e-16; those directions carry nothing of K x.
  const negligible = values.length * Number.EPSILON * Math.max(0, values[values.length - 1]);
  return (f, x) => {
    const rest = f(damping);
    const coefficients = matVecTransposed(vectors, matVec(factor, x));
    for (let k = 0; k < values.length; k++) {
      const s = values[k];
      coefficients[k] = s > negligible ? (coefficients[k] * (f(s + damping) - rest)) / s : 0;
    }
    const result = matVecTransposed(factor, matVec(vectors, coefficients));
    for (let i = 0; i < result.length; i++) result[i] += rest * x[i];
    return result;
  };
}
