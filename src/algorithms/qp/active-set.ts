import { matVec, normInf } from '../../linalg/products.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import type { BoardWork } from './board-work.js';
import { hold, isEquality, restIn, type Side } from './held-rows.js';
import type { Judge } from './judge.js';
import type { PrimalDual } from './kkt.js';

const STEPS_MAX = 12;

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
    const next = await restIn(program, hold(program, sides), point.x, work);
    if (next === undefined) break;
    steps++;
    // A multiplier of the wrong sign does not count, but says which set to try next.
    const y = next.y.map((value, i) => (isEquality(program, i) || value * sides[i] > 0 ? value : 0));
    judge.judge({ x: next.x, y }, 'polish', steps);
    point = next;
  }
  return steps;
}

/** For each row 1 when its upper bound (or an equality) holds, −1 for its lower bound, else 0. */
export function activeSides(program: QuadraticProgram, { x, y }: PrimalDual, weight: number): Side[] {
  const { constraints, lower, upper } = program;
  const image = matVec(constraints, x);
  const margin = 1e-12 * Math.max(1, normInf(y));
  return Array.from(image, (value, i): Side => {
    if (isEquality(program, i)) return 1;
    if (y[i] + weight * (value - upper[i]) > margin) return 1;
    return y[i] + weight * (value - lower[i]) < -margin ? -1 : 0;
  });
}
