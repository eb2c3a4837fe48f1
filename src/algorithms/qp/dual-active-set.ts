import { type Matrix, matrix } from '../../linalg/matrix.js';
import { nullBasis, pivotedQr, shortestCombination } from '../../linalg/pivoted-qr.js';
import { matMul, matVec, norm2, normInf, transposed } from '../../linalg/products.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import { activeSides } from './active-set.js';
import type { BoardWork } from './board-work.js';
import { type HeldRows, hold, isEquality, restIn, type Side } from './held-rows.js';
import type { Judge } from './judge.js';
import { type KktResiduals, type PrimalDual, withoutUnbounded, worstOf } from './kkt.js';
import { ruizScaled, type ScaledProgram, scaledPoint, unscaled } from './ruiz.js';

/** First and smallest δ, in units of the scaled program, whose P and q are of the order 1. */
const PROXIMAL_FIRST = 1e-4;
const PROXIMAL_MIN = 1e-8;
/** δ is divided by this number if the last centre reduced the residual by less than this factor. */
const PROXIMAL_STEP = 10;
const CENTRES_MAX = 30;
/** A multiplier or a distance below this ratio counts as 0. */
const MULTIPLIER_MIN = 1e-11;
const DISTANCE_MIN = 1e-10;
/**
 * A row is left out of the first set if its part orthogonal to the rows before it is below this share of the
 * longest such part.
 */
const INDEPENDENT_MIN = 1e-6;
/** Rows are dropped together if their multipliers are at least this share of the worst one. */
const DROP_TOGETHER = 0.3;

/**
 * The dual active set method of Goldfarb and Idnani. It begins with the rows that hold near `start` and
 * changes one row at a time, so no set comes again. It runs on the scaled program with ½δ‖x − x_k‖² added to
 * the objective; x_{k+1} is its minimum. The term with δ makes the minimum on any set of rows unique, even if
 * P is nearly 0, and bounds the condition number of the board's systems. The board solves Zᵀ(P + δI)Z d = r,
 * where Z is a basis of the null space of the held rows. `judge` sees each x_k and its multipliers.
 *
 * It ends when all residuals are at most the tolerance, after `stepsMax` systems, when the rows contradict
 * each other, or when the board cannot solve a system. Returns the number of steps.
 *
 * Source: Goldfarb, Idnani, Math. Programming 27 (1983); Rockafellar, SIAM J. Control Optim. 14 (1976), for
 * the centres x_k.
 */
export async function finish(
  judge: Judge,
  start: PrimalDual,
  work: BoardWork,
  stepsMax: number,
): Promise<number> {
  const scaled = ruizScaled(judge.program);
  const set = new DualActiveSet(scaled.program, scaledPoint(scaled, start), work, stepsMax);
  let delta = PROXIMAL_FIRST;
  let before = Infinity;
  for (let k = 1; k <= CENTRES_MAX; k++) {
    const point = await set.minimize(delta);
    if (point === undefined) break;
    const worst = worstOf(judged(judge, scaled, point, k));
    if (judge.isSolved) break;
    if (worst * PROXIMAL_STEP > before) delta = Math.max(PROXIMAL_MIN, delta / PROXIMAL_STEP);
    before = worst;
  }
  return set.steps;
}

function judged(judge: Judge, scaled: ScaledProgram, point: PrimalDual, k: number): KktResiduals {
  const { x, y } = unscaled(scaled, point);
  return judge.judge({ x, y: withoutUnbounded(judge.program, y) }, 'polish', k);
}

/** The rows that hold, with their multipliers, from one centre to the next. */
class DualActiveSet {
  steps = 0;
  readonly #program: QuadraticProgram;
  readonly #work: BoardWork;
  readonly #stepsMax: number;
  readonly #isEquality: readonly boolean[];
  readonly #sizes: readonly number[];
  readonly #sides: Side[];
  #x: Float64Array<ArrayBuffer>;
  #y: Float64Array<ArrayBuffer>;

  constructor(program: QuadraticProgram, start: PrimalDual, work: BoardWork, stepsMax: number) {
    const { constraints, lower } = program;
    const n = constraints.columns;
    this.#program = program;
    this.#work = work;
    this.#stepsMax = stepsMax;
    this.#isEquality = Array.from(lower, (_, i) => isEquality(program, i));
    this.#sizes = Array.from(lower, (_, i) => norm2(constraints.data.subarray(i * n, (i + 1) * n)));
    this.#sides = independentSides(program, start);
    this.#x = start.x;
    this.#y = start.y;
  }

  /**
   * The minimum with ½δ‖x − centre‖² added, where the centre is the last minimum; undefined if it was not
   * found.
   */
  async minimize(delta: number): Promise<PrimalDual | undefined> {
    const near = proximal(this.#program, this.#x, delta);
    if (!(await this.#dropUntilDualFeasible(near))) return undefined;
    for (;;) {
      const row = this.#farthestOutside();
      if (row === undefined) return { x: this.#x, y: this.#y };
      if (!(await this.#add(near, row))) return undefined;
    }
  }

  async #dropUntilDualFeasible(near: QuadraticProgram): Promise<boolean> {
    for (;;) {
      const rest = await this.#rest(near, hold(near, this.#sides));
      if (rest === undefined) return false;
      const margin = MULTIPLIER_MIN * (1 + normInf(rest.y));
      const signed = rest.y.map((y, i) => (this.#isEquality[i] ? 0 : y * this.#sides[i]));
      const worst = signed.reduce((least, value) => Math.min(least, value), 0);
      if (worst >= -margin) {
        this.#x = rest.x;
        this.#y = rest.y.map((y, i) => (signed[i] < 0 ? 0 : y));
        return true;
      }
      for (const [i, value] of signed.entries()) if (value <= DROP_TOGETHER * worst) this.#sides[i] = 0;
    }
  }

  /** The row whose bound x violates most. */
  #farthestOutside(): number | undefined {
    const { constraints, lower, upper } = this.#program;
    const image = matVec(constraints, this.#x);
    let farthest = DISTANCE_MIN * (1 + normInf(this.#x));
    let row: number | undefined;
    for (const [i, value] of image.entries()) {
      if (this.#sides[i] !== 0 || this.#isEquality[i]) continue;
      const outside = Math.max(value - upper[i], lower[i] - value) / this.#sizes[i];
      if (outside <= farthest) continue;
      [farthest, row] = [outside, i];
    }
    if (row !== undefined) this.#sides[row] = image[row] > this.#program.upper[row] ? 1 : -1;
    return row;
  }

  /** Holds a row; rows whose multiplier would change its sign on the way are dropped. */
  async #add(near: QuadraticProgram, row: number): Promise<boolean> {
    for (;;) {
      const held = hold(near, this.#sides);
      const isDependent = held.qr.rank < held.rows.length;
      const target = isDependent ? undefined : await this.#rest(near, held);
      if (!isDependent && target === undefined) return false;
      const change = target?.y.map((y, i) => y - this.#y[i]) ?? this.#dependence(row);
      const { part, blocking } = this.#firstBlocking(change, row, isDependent ? Infinity : 1);
      if (part === Infinity) return false;
      this.#y = this.#y.map((y, i) => y + part * change[i]);
      if (target !== undefined) this.#x = this.#x.map((x, j) => x + part * (target.x[j] - x));
      if (blocking === undefined) return true;
      this.#sides[blocking] = 0;
      this.#y[blocking] = 0;
    }
  }

  /**
   * Multipliers v with Aᵀv = 0 for a `row` that is a combination of the other held rows. The entry of `row`
   * is its side.
   */
  #dependence(row: number): Float64Array<ArrayBuffer> {
    const { constraints } = this.#program;
    const n = constraints.columns;
    const others = this.#sides.map((side, i) => (i === row ? 0 : side));
    const { rows, qr } = hold(this.#program, others);
    const combination = shortestCombination(qr, constraints.data.subarray(row * n, (row + 1) * n));
    const direction = new Float64Array(this.#sides.length);
    for (const [k, other] of rows.entries()) direction[other] = -combination[k] * this.#sides[row];
    direction[row] = this.#sides[row];
    return direction;
  }

  async #rest(near: QuadraticProgram, held: HeldRows): Promise<PrimalDual | undefined> {
    if (this.steps >= this.#stepsMax) return undefined;
    this.steps++;
    return restIn(near, held, this.#x, this.#work);
  }

  #firstBlocking(change: Float64Array, added: number, whole: number): { part: number; blocking?: number } {
    // Smaller changes are rounding. They would let multipliers grow without bound.
    const least = MULTIPLIER_MIN * normInf(change);
    let part = whole;
    let blocking: number | undefined;
    for (const [i, side] of this.#sides.entries()) {
      if (side === 0 || i === added || this.#isEquality[i] || change[i] * side >= -least) continue;
      const until = Math.max(0, -this.#y[i] / change[i]);
      if (until >= part) continue;
      [part, blocking] = [until, i];
    }
    return blocking === undefined ? { part } : { part, blocking };
  }
}

/** The program with ½δ‖x − centre‖² added. */
function proximal(program: QuadraticProgram, centre: Float64Array, delta: number): QuadraticProgram {
  const { hessian, linear } = program;
  const n = hessian.rows;
  const data = Float64Array.from(hessian.data);
  for (let j = 0; j < n; j++) data[j * n + j] += delta;
  return { ...program, hessian: matrix(n, n, data), linear: linear.map((q, j) => q - delta * centre[j]) };
}

/**
 * The sides of the rows that hold near a point, without rows that depend on others. Equalities come first.
 */
function independentSides(program: QuadraticProgram, start: PrimalDual): Side[] {
  const image = matVec(program.constraints, start.x);
  const weight = Math.max(1e-6, normInf(start.y) / Math.max(1, normInf(image)));
  const near = activeSides(program, start, weight);
  const equalities = hold(
    program,
    near.map((side, i) => (isEquality(program, i) ? side : 0)),
  );
  const others = hold(
    program,
    near.map((side, i) => (isEquality(program, i) ? 0 : side)),
  );
  const sides: Side[] = near.map(() => 0);
  for (const row of independentRows(equalities)) sides[row] = near[row];
  for (const row of independentRows(outside(others, nullBasis(equalities.qr)))) sides[row] = near[row];
  return sides;
}

/** The parts of the rows that lie in the space of `basis`, in its coordinates. */
function outside(held: HeldRows, basis: Matrix): HeldRows {
  const columns = matMul(transposed(basis), held.columns);
  return { ...held, columns, qr: pivotedQr(columns) };
}

function independentRows({ rows, qr: { r, rank, order } }: HeldRows): number[] {
  const long = order.slice(0, rank).filter((_, k) => {
    return Math.abs(r.data[k * r.columns + k]) > INDEPENDENT_MIN * Math.abs(r.data[0]);
  });
  return long.map((k) => rows[k]);
}
