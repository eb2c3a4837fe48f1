import { addScaled, type DirectionOf } from '../../linalg/conjugate-directions.js';
import { type DominantSubspace, projectOut } from '../../linalg/dominant-subspace.js';
import { matrix } from '../../linalg/matrix.js';
import { matVec, matVecTransposed, subtract } from '../../linalg/products.js';
import { directSolver } from '../../linalg/woodbury.js';

/**
 * A direction for (KᵀK + λI) z = r whose part in the subspace V the host solves: V's exact part, the rough
 * answer to the rest outside of V, and V's part of what that left. `apply` is the product with KᵀK + λI;
 * `rough` then needs K without V only. Two products a direction.
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
  /** Vᵀ(T + λI)⁻¹V r. T is not finite only where r is not, and the caller sees that. */
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
