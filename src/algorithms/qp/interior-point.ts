import { type Matrix, matrix } from '../../linalg/matrix.js';
import { nullBasis, pivotedQr, shortestCombination, shortestWithImage } from '../../linalg/pivoted-qr.js';
import { dot, matMul, matVec, matVecTransposed, normInf, sum, transposed } from '../../linalg/products.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import type { Certified } from './admm.js';
import { type BoardWork, isOfSystem } from './board-work.js';
import { dualCertificate, primalCertificate } from './infeasibility.js';
import type { Judge } from './judge.js';
import { type PrimalDual, withoutUnbounded, worstOf } from './kkt.js';

/** Added to the diagonal of H, in units of the largest entry of ZᵀPZ, or of 1 if that is larger. */
const DAMPING = 1e-9;
/** A step goes at most this share of the way to the nearest bound. */
const STEP_SHARE = 0.99;
/**
 * Systems are solved to 0.3 of the largest residual. The tolerance becomes ten times finer after an iteration
 * that leaves more than 0.7 of the residual.
 */
const INNER_SHARE = 0.3;
const BAD_ITERATION = 0.7;
const INNER_MAX = 0.1;
const INNER_MIN = 1e-7;
const PASSES_MAX = 24;
/** A shorter step makes no progress. */
const STEP_MIN = 1e-9;
/**
 * If multipliers or unknowns grew by this factor, their direction may be a certificate that no solution
 * exists.
 */
const GROWTH_MIN = 1e3;

/** One bound of one row: `scale`·(row of A)·x ≤ …, negative for a lower bound. */
interface Side {
  readonly row: number;
  readonly scale: number;
}

/** The reduced program min ½wᵀPw + qᵀw, Gw + s = b with s ≥ 0 and multipliers z ≥ 0. */
interface Reduced {
  readonly hessian: Matrix;
  readonly linear: Float64Array;
  readonly rows: Matrix;
  readonly bounds: Float64Array;
  readonly sides: readonly Side[];
}

interface Iterate {
  readonly w: Float64Array<ArrayBuffer>;
  readonly s: Float64Array<ArrayBuffer>;
  readonly z: Float64Array<ArrayBuffer>;
}

/**
 * Mehrotra's predictor and corrector. Equalities are removed once by a basis Z of their null space,
 * x = x₀ + Zw. Each iteration sends one matrix and solves two systems with it:
 *
 *     H = ZᵀPZ + GᵀDG,  D = z/s of each bound
 *
 * Near the solution both systems are solved to a finer tolerance. The condition number of H grows without
 * bound. When it is too large for the codes of the board, the polish has to take over.
 *
 * Source: Mehrotra, SIAM J. Optim. 2 (1992); the schedule of tolerances is this project's own.
 */
export class InteriorPoint {
  iterations = 0;
  readonly #program: QuadraticProgram;
  readonly #judge: Judge;
  readonly #work: BoardWork;
  readonly #equalities: readonly number[];
  readonly #equalityQr: ReturnType<typeof pivotedQr>;
  readonly #basis: Matrix;
  readonly #origin: Float64Array<ArrayBuffer>;
  readonly #reduced: Reduced;
  #at: Iterate;
  #before: Float64Array;
  #innerFactor = 1;
  #least = Infinity;
  readonly #firstMultiplier: number;

  constructor(judge: Judge, work: BoardWork) {
    const { program } = judge;
    const { constraints, lower, upper } = program;
    this.#program = program;
    this.#judge = judge;
    this.#work = work;
    this.#equalities = [...lower.keys()].filter((i) => lower[i] === upper[i]);
    const n = constraints.columns;
    const held = matrix(this.#equalities.length, n);
    for (const [k, row] of this.#equalities.entries())
      held.data.set(constraints.data.subarray(row * n, (row + 1) * n), k * n);
    this.#equalityQr = pivotedQr(transposed(held));
    const bounds = Float64Array.from(this.#equalities, (row) => lower[row]);
    this.#origin = shortestWithImage(this.#equalityQr, bounds);
    this.#basis = nullBasis(this.#equalityQr);
    this.#reduced = reducedProgram(program, this.#origin, this.#basis);
    this.#firstMultiplier = Math.max(1, normInf(this.#reduced.linear));
    const m = this.#reduced.bounds.length;
    this.#at = {
      w: new Float64Array(this.#basis.columns),
      s: this.#reduced.bounds.map((value) => Math.max(1, Math.abs(value))),
      z: new Float64Array(m).fill(this.#firstMultiplier),
    };
    this.#before = this.point.x;
  }

  /** x and y in the units of the program. */
  get point(): PrimalDual {
    const { hessian, linear, constraints, lower } = this.#program;
    const { w, z } = this.#at;
    const x = sum(this.#origin, matVec(this.#basis, w));
    const y = new Float64Array(lower.length);
    for (const [k, { row, scale }] of this.#reduced.sides.entries()) y[row] += scale * z[k];
    const slope = sum(sum(matVec(hessian, x), linear), matVecTransposed(constraints, y));
    const held = shortestCombination(
      this.#equalityQr,
      slope.map((value) => -value),
    );
    for (const [k, row] of this.#equalities.entries()) y[row] = held[k];
    return { x, y: withoutUnbounded(this.#program, y) };
  }

  /**
   * Iterates until all residuals are at most `tolerance`, until the program is shown to have no solution,
   * until the board or the steps fail ('stuck'), or until there were `iterationsMax` in all. Errors: those of
   * the device.
   */
  async run(tolerance: number, iterationsMax: number): Promise<Certified | 'reached' | 'stuck'> {
    for (;;) {
      const { point } = this;
      const worst = worstOf(this.#judge.judge(point, 'ipm', this.iterations + 1));
      if (worst <= tolerance) return 'reached';
      const certified = this.#certified(point);
      if (certified !== undefined) return certified;
      if (this.iterations >= iterationsMax || this.#basis.columns === 0 || !(worst < Infinity))
        return 'stuck';
      const isBad = worst > BAD_ITERATION * this.#least;
      this.#innerFactor = isBad ? this.#innerFactor / 10 : Math.min(1, this.#innerFactor * 3);
      this.#least = Math.min(this.#least, worst);
      this.iterations++;
      const inner = Math.max(INNER_MIN, this.#innerFactor * Math.min(INNER_MAX, INNER_SHARE * worst));
      if (!(await this.#iterate(inner))) return 'stuck';
    }
  }

  /** Whether a step was taken. */
  async #iterate(tolerance: number): Promise<boolean> {
    const { rows, linear, hessian, bounds } = this.#reduced;
    const { w, s, z } = this.#at;
    const m = s.length;
    const slope = sum(sum(matVec(hessian, w), linear), matVecTransposed(rows, z));
    const image = matVec(rows, w);
    const violation = image.map((value, k) => value + s[k] - bounds[k]);
    try {
      const solve = this.#work.solver(this.#barrierMatrix());
      const direction = async (target: Float64Array): Promise<Iterate> => {
        const pushed = target.map((value, k) => (value + z[k] * violation[k]) / s[k]);
        const drive = sum(slope, matVecTransposed(rows, pushed)).map((value) => -value);
        const dw = await solve(drive, { tolerance, passesMax: PASSES_MAX });
        const ds = matVec(rows, dw).map((value, k) => -violation[k] - value);
        return { w: dw, s: ds, z: target.map((value, k) => (value - z[k] * ds[k]) / s[k]) };
      };
      const products = s.map((value, k) => -value * z[k]);
      let step = await direction(products);
      if (m > 0) {
        const mean = dot(s, z) / m;
        const reached = moved(this.#at, step, lengthOf(s, step.s), lengthOf(z, step.z));
        const centring = (dot(reached.s, reached.z) / m / mean) ** 3;
        step = await direction(products.map((value, k) => value + centring * mean - step.s[k] * step.z[k]));
      }
      // Unknowns and multipliers take the same step length, so the dual residual of a quadratic program
      // shrinks linearly.
      const length = Math.min(1, STEP_SHARE * Math.min(lengthOf(s, step.s), lengthOf(z, step.z)));
      this.#before = this.point.x;
      this.#at = moved(this.#at, step, m > 0 ? length : 1);
      return length > STEP_MIN;
    } catch (error) {
      if (isOfSystem(error)) return false;
      throw error;
    }
  }

  #barrierMatrix(): Matrix {
    const { rows, hessian } = this.#reduced;
    const { s, z } = this.#at;
    const n = hessian.rows;
    const h = matrix(n, n, Float64Array.from(hessian.data));
    for (let k = 0; k < s.length; k++)
      for (let i = 0; i < n; i++) {
        const left = (z[k] / s[k]) * rows.data[k * n + i];
        if (left === 0) continue;
        for (let j = 0; j <= i; j++) h.data[i * n + j] += left * rows.data[k * n + j];
      }
    const damping = DAMPING * Math.max(1, normInf(hessian.data));
    for (let i = 0; i < n; i++) {
      h.data[i * n + i] += damping;
      for (let j = 0; j < i; j++) h.data[j * n + i] = h.data[i * n + j];
    }
    return h;
  }

  /** If there is no solution, the multipliers or the unknowns grow along a certificate. */
  #certified({ x, y }: PrimalDual): Certified | undefined {
    if (normInf(this.#at.z) > GROWTH_MIN * this.#firstMultiplier) {
      const certificate = primalCertificate(this.#program, y);
      if (certificate !== undefined) return { status: 'primalInfeasible', certificate };
    }
    const step = x.map((value, j) => value - this.#before[j]);
    if (normInf(step) > normInf(this.#before) / 2 && this.iterations > 2) {
      const certificate = dualCertificate(this.#program, step);
      if (certificate !== undefined) return { status: 'dualInfeasible', certificate };
    }
    return undefined;
  }
}

function reducedProgram(program: QuadraticProgram, origin: Float64Array, basis: Matrix): Reduced {
  const { hessian, linear, constraints, lower, upper } = program;
  const size = basis.columns;
  const inner = matMul(constraints, basis);
  const image = matVec(constraints, origin);
  const sides: Side[] = [];
  const bounds: number[] = [];
  for (let row = 0; row < lower.length; row++) {
    if (lower[row] === upper[row]) continue;
    const length = Math.hypot(...inner.data.subarray(row * size, (row + 1) * size)) || 1;
    for (const [sign, bound] of [
      [1, upper[row]],
      [-1, lower[row]],
    ] as const) {
      if (!Number.isFinite(bound)) continue;
      sides.push({ row, scale: sign / length });
      bounds.push((sign / length) * (bound - image[row]));
    }
  }
  const rows = matrix(sides.length, size);
  for (const [k, { row, scale }] of sides.entries())
    for (let j = 0; j < size; j++) rows.data[k * size + j] = scale * inner.data[row * size + j];
  return {
    hessian: matMul(transposed(basis), matMul(hessian, basis)),
    linear: matVecTransposed(basis, sum(linear, matVec(hessian, origin))),
    rows,
    bounds: Float64Array.from(bounds),
    sides,
  };
}

/** The largest t up to 1 for which v + t d stays positive. */
function lengthOf(v: Float64Array, d: Float64Array): number {
  return v.reduce((length, value, k) => (d[k] < 0 ? Math.min(length, -value / d[k]) : length), 1);
}

function moved(at: Iterate, step: Iterate, primal: number, dual = primal): Iterate {
  const along = (v: Float64Array, d: Float64Array, length: number) =>
    Float64Array.from(v, (value, k) => value + length * d[k]);
  return { w: along(at.w, step.w, primal), s: along(at.s, step.s, primal), z: along(at.z, step.z, dual) };
}
