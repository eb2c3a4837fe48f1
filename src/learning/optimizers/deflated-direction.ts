import { addScaled, type DirectionOf } from '../../linalg/conjugate-directions.js';
import { type DominantSubspace, projectOut } from '../../linalg/dominant-subspace.js';
import { matrix } from '../../linalg/matrix.js';
import { matVec, matVecTransposed, subtract } from '../../linalg/products.js';
import { directSolver } from '../../linalg/woodbury.js';

/**
 * Computes a search direction z for (KᵀK + λI) z = r. The host solves exactly in the subspace V: first for r,
 * and again for the residual at the end. Between them `rough` gives an approximate answer outside of V; it
 * needs only the part of K outside of V. `apply` is the product with KᵀK + λI. Cost: two such products.
 */
export function deflatedDirection(
  subspace: DominantSubspace,
  damping: number,
  apply: (x: Float64Array) => Float64Array,
  rough: DirectionOf,
): DirectionOf {
  const { basis, gram } = subspace;
  const damped = matrix(gram.rows, gram.columns, Float64Array.from(gram.data));
  for (let i = 0; i < damped.rows; i++) damped.data[i * damped.columns + i] += damping;
  const solveInside = directSolver({ kind: 'dense', matrix: damped });
  const outside = (x: Float64Array): Float64Array => projectOut(x, subspace);
  /** Vᵀ(T + λI)⁻¹V r. If T is not finite, r is not finite either, and the caller detects that. */
  const inside = (r: Float64Array): Float64Array<ArrayBuffer> => {
    const shares = matVec(basis, r);
    return matVecTransposed(basis, solveInside?.(shares) ?? shares);
  };
  return async (residual, index) => {
    const z = inside(residual);
    const answer = await rough(outside(subtract(residual, apply(z))), index);
    addScaled(z, 1, outside(answer));
    addScaled(z, 1, inside(subtract(residual, apply(z))));
    return z;
  };
}
