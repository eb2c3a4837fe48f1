import { dot } from './products.js';

/** Returns a search direction for the residual b − A x of the present x. `index` counts the calls from 0. */
export type DirectionOf = (residual: Float64Array, index: number) => Promise<Float64Array>;

/**
 * Computes x ≈ A⁻¹b for a symmetric positive definite A, which is given by `apply`, its product with a
 * vector. For the residual r of the present x, `direction` returns z, any approximate solution of A z = r.
 * Each z is made A-orthogonal to the directions before it. Then x moves along z to the minimum of ½xᵀAx −
 * bᵀx. With ‖v‖_A = √(vᵀAv) it follows:
 *
 *     ‖x − A⁻¹b‖_A never grows, whatever the directions are.
 *
 * The vectors in `known` are directions too, before those of `direction`. A known vector whose zᵀAz is not
 * positive is skipped.
 *
 * With z = r these are conjugate gradients, fully orthogonalised; with a z from a board they are flexible
 * conjugate gradients, preconditioned by the board. The function ends early if a z of `direction` has no
 * positive zᵀAz. Cost: one product with A for each direction. Source: Notay, "Flexible conjugate gradients",
 * SIAM J. Sci. Comput. 22 (2000).
 */
export async function conjugateDirections(
  apply: (x: Float64Array) => Float64Array,
  b: Float64Array,
  count: number,
  direction: DirectionOf,
  known: readonly Float64Array[] = [],
): Promise<Float64Array<ArrayBuffer>> {
  const x = new Float64Array(b.length);
  const residual = Float64Array.from(b);
  const earlier: { z: Float64Array; az: Float64Array; zaz: number }[] = [];
  /** Moves x along z. Returns whether zᵀAz is positive; if it is not, x stays. */
  const moveAlong = (direction: Float64Array): boolean => {
    const z = Float64Array.from(direction);
    const az = Float64Array.from(apply(z));
    for (const other of earlier) {
      const overlap = dot(other.az, z) / other.zaz;
      addScaled(z, -overlap, other.z);
      addScaled(az, -overlap, other.az);
    }
    const zaz = dot(z, az);
    if (!(zaz > 0)) return false;
    const length = dot(z, residual) / zaz;
    addScaled(x, length, z);
    addScaled(residual, -length, az);
    earlier.push({ z, az, zaz });
    return true;
  };
  for (const z of known) moveAlong(z);
  for (let index = 0; index < count; index++) if (!moveAlong(await direction(residual, index))) break;
  return x;
}

/** x ← x + factor · y. */
export function addScaled(x: Float64Array, factor: number, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i] += factor * y[i];
}
