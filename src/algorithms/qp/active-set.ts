import { type Matrix, matrix } from '../../linalg/matrix.js';
import { nullBasis, pivotedQr, shortestCombination, shortestWithImage } from '../../linalg/pivoted-qr.js';
import { dot, matVec, matVecTransposed, norm2, normInf, subtract, sum } from '../../linalg/products.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import { type BoardWork, isOfSystem } from './board-work.js';
import type { Judge } from './judge.js';
import type { PrimalDual } from './kkt.js';

const STEPS_MAX = 12;
/** A reduced gradient is solved to this residual. */
const ENOUGH = { tolerance: 1e-9 };
/**
 * Added to the diagonal of ZᵀPZ, over the largest entry of P; what it changes, `PROXIMAL_MAX` solves remove.
 */
const DAMPING = 1e-9;
const PROXIMAL_MAX = 4;
const GRADIENT_MIN = 1e-13;

/**
 * The primal–dual active set method from a point that is near a solution. The rows whose bounds
 *
 *     y + c(Ax − u) > 0  or  y + c(Ax − l) < 0
 *
 * hold count as equalities. A basis Z of their null space leaves ZᵀPZ d = −Zᵀ(Px + q) to the board, and the
 * multipliers are the shortest that fit. `judge` sees each step. It ends when all residuals are at most the
 * tolerance, when a set comes again, or when the board cannot solve the reduced system. Returns the number of
 * steps.
 *
 * Source: Hintermüller, Ito, Kunisch, SIAM J. Optim. 13 (2002).
 */
export async function polish(judge: Judge, start: PrimalDual, work: BoardWork): Promise<number> {
  const { program } = judge;
  const seen = new Set<string>();
  let point = start;
  let steps = 0;
  const image = matVec(program.constraints, start.x);
  const weight = Math.max(1e-6, normInf(start.y) / Math.max(1, normInf(image)));
  while (steps < STEPS_MAX && !judge.isSolved) {
    const sides = activeSides(program, point, weight);
    const key = sides.join('');
    if (seen.has(key)) break;
    seen.add(key);
    const next = await restIn(program, sides, point, work);
    if (next === undefined) break;
    steps++;
    // A multiplier of the wrong sign does not count, but says which set to try next.
    const y = next.y.map((value, i) => (isEquality(program, i) || value * sides[i] > 0 ? value : 0));
    judge.judge({ x: next.x, y }, 'polish', steps);
    point = next;
  }
  return steps;
}

function isEquality({ lower, upper }: QuadraticProgram, i: number): boolean {
  return Number.isFinite(upper[i]) && upper[i] - lower[i] <= 1e-12 * Math.max(1, Math.abs(upper[i]));
}

/** For each row 1 when its upper bound (or an equality) holds, −1 for its lower bound, else 0. */
function activeSides(program: QuadraticProgram, { x, y }: PrimalDual, weight: number): number[] {
  const { constraints, lower, upper } = program;
  const image = matVec(constraints, x);
  const margin = 1e-12 * Math.max(1, normInf(y));
  return Array.from(image, (value, i) => {
    if (isEquality(program, i)) return 1;
    if (y[i] + weight * (value - upper[i]) > margin) return 1;
    return y[i] + weight * (value - lower[i]) < -margin ? -1 : 0;
  });
}

/** The minimum on the rows that hold, and its multipliers; undefined when the board cannot find it. */
async function restIn(
  program: QuadraticProgram,
  sides: readonly number[],
  { x }: PrimalDual,
  work: BoardWork,
): Promise<PrimalDual | undefined> {
  const { hessian, linear, constraints, lower, upper } = program;
  const [n, m] = [x.length, sides.length];
  const rows = sides.flatMap((side, i) => (side === 0 ? [] : [i]));
  const held = matrix(n, rows.length);
  const bounds = Float64Array.from(rows, (row) => (sides[row] > 0 ? upper[row] : lower[row]));
  for (const [k, row] of rows.entries())
    for (let j = 0; j < n; j++) held.data[j * rows.length + k] = constraints.data[row * n + j];
  const qr = pivotedQr(held);
  let at = sum(x, shortestWithImage(qr, subtract(bounds, matVecTransposed(held, x))));
  const basis = nullBasis(qr);
  const gradient = (): Float64Array<ArrayBuffer> => sum(matVec(hessian, at), linear);
  if (basis.columns > 0) {
    try {
      const solve = work.solver(reduced(hessian, basis));
      for (let k = 0; k < PROXIMAL_MAX; k++) {
        const slope = gradient();
        const drive = matVecTransposed(basis, slope).map((value) => -value);
        if (norm2(drive) <= GRADIENT_MIN * (1 + norm2(slope) + norm2(linear))) break;
        at = sum(at, matVec(basis, await solve(drive, ENOUGH)));
      }
    } catch (error) {
      if (isOfSystem(error)) return undefined;
      throw error;
    }
  }
  const combination = shortestCombination(
    qr,
    gradient().map((value) => -value),
  );
  const y = new Float64Array(m);
  for (const [k, row] of rows.entries()) y[row] = combination[k];
  return { x: at, y };
}

/** ZᵀPZ + δI. */
function reduced(hessian: Matrix, basis: Matrix): Matrix {
  const [n, k] = [basis.rows, basis.columns];
  const columns = Array.from({ length: k }, (_, j) =>
    Float64Array.from({ length: n }, (__, i) => basis.data[i * k + j]),
  );
  const images = columns.map((column) => matVec(hessian, column));
  const h = matrix(k, k);
  for (let i = 0; i < k; i++)
    for (let j = 0; j <= i; j++) {
      const value = dot(columns[i], images[j]);
      h.data[i * k + j] = value;
      h.data[j * k + i] = value;
    }
  const damping = DAMPING * (normInf(hessian.data) || 1);
  for (let i = 0; i < k; i++) h.data[i * k + i] += damping;
  return h;
}
