import { matVec, normInf } from '../../linalg/products.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import type { BoardWork } from './board-work.js';
import { hold, isEquality, restIn, type Side } from './held-rows.js';
import type { Judge } from './judge.js';
import type { PrimalDual } from './kkt.js';

const STEPS_MAX = 12;

/**
 * The primal–dual active set method from a point that is near a solution. A row counts as an equality if
 *
 *     y + c(Ax − u) > 0  or  y + c(Ax − l) < 0
 *
 * With a basis Z of the null space of these rows, the board solves ZᵀPZ d = −Zᵀ(Px + q). The multipliers are
 * those of least norm. `judge` sees each step. The method ends when all residuals are at most the tolerance,
 * when a set comes again, or when the board cannot solve the reduced system. Returns the number of steps.
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
    // A multiplier of the wrong sign is not part of the answer. It only tells which set to try next.
    const y = next.y.map((value, i) => (isEquality(program, i) || value * sides[i] > 0 ? value : 0));
    judge.judge({ x: next.x, y }, 'polish', steps);
    point = next;
  }
  return steps;
}

/**
 * For each row: 1 if it is held at its upper bound (or is an equality), −1 if it is held at its lower bound,
 * 0 if it is free.
 */
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
