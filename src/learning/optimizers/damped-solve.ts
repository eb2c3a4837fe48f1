import { addCost, type SolverCost, ZERO_COST } from '../../board/cost.js';
import { type DominantSubspace, projectOut } from '../../linalg/dominant-subspace.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { dot, matVec, matVecTransposed, subtract } from '../../linalg/products.js';
import { directSolver } from '../../linalg/woodbury.js';

/** What one use of a loaded curvature gives. */
export interface RoughSolution {
  /** Roughly (KᵀK + λI)⁻¹ of the drive, length P. */
  readonly x: Float64Array;
  readonly cost: SolverCost;
}

/** A curvature that was loaded once, for any number of drives and dampings. */
export type RoughSolve = (drive: Float64Array, damping: number) => Promise<RoughSolution>;

/** What is solved: (KᵀK + λI) x = g. */
export interface DampedProblem {
  /** K, m × P. */
  readonly factor: Matrix;
  /** λ > 0. */
  readonly damping: number;
  /** g, length P. */
  readonly drive: Float64Array;
  /** Directions that the host solves exactly; the rough solver then holds K without them. */
  readonly subspace: DominantSubspace | undefined;
}

export interface DampedSolution {
  /** x, length P. */
  readonly x: Float64Array;
  /** gᵀx − ½ xᵀ(KᵀK)x: how much the parabola says that the loss falls. */
  readonly predictedFall: number;
  readonly cost: SolverCost;
}

/**
 * x ≈ (KᵀK + λI)⁻¹g from `runs` answers of a rough solver. Each answer to what is left of g becomes a
 * direction that is A-orthogonal to those before, and its length minimises ½xᵀAx − gᵀx. So the error in the
 * A-norm never grows, however bad an answer is. The products A z are exact and the host's: one per run, three
 * with a subspace.
 *
 * With a subspace V a direction is V's exact part, the rough answer to the rest, and V's part of what that
 * left.
 * Source: flexible conjugate gradients, Notay, SIAM J. Sci. Comput. 22 (2000).
 */
export async function dampedSolve(
  { factor, damping, drive, subspace }: DampedProblem,
  rough: RoughSolve,
  runs: number,
): Promise<DampedSolution> {
  const apply = (x: Float64Array): Float64Array => {
    const product = matVecTransposed(factor, matVec(factor, x));
    for (let i = 0; i < product.length; i++) product[i] += damping * x[i];
    return product;
  };
  const x = new Float64Array(drive.length);
  const rest = Float64Array.from(drive);
  const earlier: { z: Float64Array; az: Float64Array; zaz: number }[] = [];
  let cost = ZERO_COST;
  const ask: RoughSolve = async (wanted, lambda) => {
    const answer = await rough(wanted, lambda);
    cost = addCost(cost, answer.cost);
    return answer;
  };
  const direction = subspace === undefined ? plainDirection : deflatedDirection(subspace, damping, apply);
  for (let run = 0; run < runs; run++) {
    const z = await direction(rest, damping, ask);
    const az = apply(z);
    for (const before of earlier) {
      const overlap = dot(before.az, z) / before.zaz;
      addScaled(z, -overlap, before.z);
      addScaled(az, -overlap, before.az);
    }
    const zaz = dot(z, az);
    // No new direction, or one that is not finite.
    if (!(zaz > 0) || zaz === Infinity) break;
    const length = dot(z, rest) / zaz;
    addScaled(x, length, z);
    addScaled(rest, -length, az);
    earlier.push({ z, az, zaz });
  }
  const image = matVec(factor, x);
  return { x, predictedFall: dot(drive, x) - dot(image, image) / 2, cost };
}

type Direction = (rest: Float64Array, damping: number, rough: RoughSolve) => Promise<Float64Array>;

const plainDirection: Direction = async (rest, damping, rough) =>
  Float64Array.from((await rough(rest, damping)).x);

function deflatedDirection(
  subspace: DominantSubspace,
  damping: number,
  apply: (x: Float64Array) => Float64Array,
): Direction {
  const { basis, gram } = subspace;
  const damped = matrix(gram.rows, gram.columns, Float64Array.from(gram.data));
  for (let i = 0; i < damped.rows; i++) damped.data[i * damped.columns + i] += damping;
  const solveInside = directSolver({ kind: 'dense', matrix: damped });
  /** Vᵀ(T + λI)⁻¹V r. T is not finite only where r is not, and the caller sees that. */
  const inside = (r: Float64Array): Float64Array => {
    const shares = matVec(basis, r);
    return matVecTransposed(basis, solveInside?.(shares) ?? shares);
  };
  return async (rest, _damping, rough) => {
    const z = inside(rest);
    const answer = await rough(projectOut(subtract(rest, apply(z)), subspace), damping);
    addScaled(z, 1, projectOut(answer.x, subspace));
    addScaled(z, 1, inside(subtract(rest, apply(z))));
    return z;
  };
}

/** x ← x + factor · y. */
function addScaled(x: Float64Array, factor: number, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i] += factor * y[i];
}
