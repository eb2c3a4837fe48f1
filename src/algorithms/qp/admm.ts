import { type Matrix, matrix } from '../../linalg/matrix.js';
import { matVec, matVecTransposed, normInf, subtract, sum } from '../../linalg/products.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import type { BoardWork } from './board-work.js';
import type { InfeasibilityCertificate } from './contract.js';
import { dualCertificate, primalCertificate } from './infeasibility.js';
import type { Judge } from './judge.js';
import { type PrimalDual, withoutUnbounded } from './kkt.js';
import { ruizScaled, type ScaledProgram, scaledPoint, unscaled } from './ruiz.js';

/** σ of the iteration, in the units of the scaled program. */
const SIGMA = 1e-6;
const RHO_FIRST = 0.1;
const RHO_MIN = 1e-6;
const RHO_MAX = 1e6;
/**
 * Rows with l = u get a penalty that is larger by this factor. A larger factor costs board time, because the
 * condition number grows with it.
 */
const EQUALITY_FACTOR = 30;
/** Over-relaxation. */
const ALPHA = 1.6;
/** An increment is solved to this residual, with at most this number of passes. */
const INCREMENT = { tolerance: 0.1, passesMax: 3 };
/** Iterations between two looks at the residuals, and between two looks at ρ. */
const LOOK = 10;
const ADAPT = 50;
/** A new ρ is used only if it differs by at least this factor, because it costs an upload. */
const RHO_CHANGE = 5;
/**
 * Distance, in looks at the residuals, of the two iterates whose difference may be a dual certificate. Noise
 * averages out over this distance.
 */
const LOOKS_BACK = 10;
/** Number of looks in a row that have to find the same result. */
const CERTIFICATES_NEEDED = 2;

export interface Certified {
  readonly status: 'primalInfeasible' | 'dualInfeasible';
  readonly certificate: InfeasibilityCertificate;
}

/**
 * Operator splitting as in OSQP, with increments: each iteration solves
 *
 *     (P + σI + AᵀRA) δ = r,  r = σx − q + Aᵀ(Rz − y) − (P + σI + AᵀRA) x̃
 *
 * and adds δ to x̃. So the error of a board is a fixed share of δ and vanishes with δ. The matrix stays on
 * the board until the penalties R change.
 *
 * Source: Stellato et al., Math. Prog. Comp. 12 (2020); the increments are this project's own.
 */
export class Admm {
  iterations = 0;
  readonly #program: QuadraticProgram;
  readonly #scaled: ScaledProgram;
  readonly #work: BoardWork;
  readonly #isEquality: readonly boolean[];
  #x: Float64Array<ArrayBuffer>;
  #tilde: Float64Array<ArrayBuffer>;
  #z: Float64Array<ArrayBuffer>;
  #y: Float64Array<ArrayBuffer>;
  #yBefore: Float64Array<ArrayBuffer>;
  #rho = RHO_FIRST;
  #penalties = new Float64Array(0);
  #matrix: Matrix = matrix(0, 0);
  #solve: ReturnType<BoardWork['solver']> | undefined;
  readonly #looks: Float64Array[] = [];
  #found: Certified['status'] | undefined;
  #foundTimes = 0;

  constructor(program: QuadraticProgram, work: BoardWork, start: PrimalDual) {
    this.#program = program;
    this.#work = work;
    this.#scaled = ruizScaled(program);
    const { x, y } = scaledPoint(this.#scaled, start);
    const { constraints, lower, upper } = this.#scaled.program;
    this.#isEquality = Array.from(lower, (low, i) => upper[i] - low < 1e-10);
    this.#x = x;
    this.#tilde = Float64Array.from(x);
    this.#y = y;
    this.#yBefore = y;
    this.#z = clamped(matVec(constraints, x), lower, upper);
  }

  /** x and y in the units of the program. */
  get point(): PrimalDual {
    const { x, y } = unscaled(this.#scaled, { x: this.#x, y: this.#y });
    return { x, y: withoutUnbounded(this.#program, y) };
  }

  /**
   * Iterates until the primal and the dual residual are at most `tolerance` and the gap is at most ten times
   * `tolerance`, until the program is shown to have no solution, or until there were `iterationsMax`
   * iterations in all. Errors: those of `BoardWork`.
   */
  async run(
    judge: Judge,
    tolerance: number,
    iterationsMax: number,
  ): Promise<Certified | 'reached' | 'iterationsMax'> {
    while (this.iterations < iterationsMax) {
      await this.#iterate();
      if (++this.iterations % LOOK !== 0) continue;
      const { primal, dual, gap } = judge.judge(this.point, 'admm', this.iterations);
      if (Math.max(primal, dual, gap / 10) <= tolerance) return 'reached';
      const certified = this.#certified();
      if (certified !== undefined) return certified;
      if (this.iterations % ADAPT === 0) this.#adapt();
    }
    return 'iterationsMax';
  }

  async #iterate(): Promise<void> {
    const { linear, constraints, lower, upper } = this.#scaled.program;
    this.#solve ??= this.#program2board();
    const pulled = matVecTransposed(
      constraints,
      this.#z.map((z, i) => this.#penalties[i] * z - this.#y[i]),
    );
    const wanted = pulled.map((value, j) => SIGMA * this.#x[j] - linear[j] + value);
    const increment = await this.#solve(subtract(wanted, matVec(this.#matrix, this.#tilde)), INCREMENT);
    this.#tilde = sum(this.#tilde, increment);
    const image = matVec(constraints, this.#tilde);
    this.#x = this.#x.map((x, j) => ALPHA * this.#tilde[j] + (1 - ALPHA) * x);
    const relaxed = this.#z.map((z, i) => ALPHA * image[i] + (1 - ALPHA) * z);
    const z = clamped(
      relaxed.map((value, i) => value + this.#y[i] / this.#penalties[i]),
      lower,
      upper,
    );
    this.#yBefore = this.#y;
    this.#y = this.#y.map((y, i) => y + this.#penalties[i] * (relaxed[i] - z[i]));
    this.#z = z;
  }

  #program2board(): ReturnType<BoardWork['solver']> {
    const { hessian, constraints } = this.#scaled.program;
    const n = hessian.rows;
    this.#penalties = Float64Array.from(this.#isEquality, (isEquality) =>
      Math.min(RHO_MAX, isEquality ? EQUALITY_FACTOR * this.#rho : this.#rho),
    );
    const h = matrix(n, n, Float64Array.from(hessian.data));
    const a = constraints.data;
    for (let row = 0; row < constraints.rows; row++)
      for (let i = 0; i < n; i++) {
        const left = this.#penalties[row] * a[row * n + i];
        if (left === 0) continue;
        for (let j = 0; j <= i; j++) h.data[i * n + j] += left * a[row * n + j];
      }
    for (let i = 0; i < n; i++) {
      h.data[i * n + i] += SIGMA;
      for (let j = 0; j < i; j++) h.data[j * n + i] = h.data[i * n + j];
    }
    this.#matrix = h;
    return this.#work.solver(h);
  }

  /** The certificate that this look and the previous one agree on. */
  #certified(): Certified | undefined {
    const { columnScale, rowScale } = this.#scaled;
    const dy = this.#y.map((y, i) => (y - this.#yBefore[i]) * rowScale[i]);
    this.#looks.push(this.#x);
    const before = this.#looks[Math.max(0, this.#looks.length - 1 - LOOKS_BACK)];
    const dx = this.#x.map((x, j) => (x - before[j]) * columnScale[j]);
    const primal = primalCertificate(this.#program, dy);
    const dual = primal === undefined ? dualCertificate(this.#program, dx) : undefined;
    const certificate = primal ?? dual;
    const status = primal === undefined ? 'dualInfeasible' : 'primalInfeasible';
    this.#foundTimes = certificate === undefined ? 0 : status === this.#found ? this.#foundTimes + 1 : 1;
    this.#found = status;
    return certificate !== undefined && this.#foundTimes >= CERTIFICATES_NEEDED
      ? { status, certificate }
      : undefined;
  }

  /** ρ ← ρ √(primal/dual residual), if that changes much. */
  #adapt(): void {
    const { hessian, linear, constraints } = this.#scaled.program;
    const image = matVec(constraints, this.#x);
    const curved = matVec(hessian, this.#x);
    const pulled = matVecTransposed(constraints, this.#y);
    const slope = curved.map((value, j) => value + linear[j] + pulled[j]);
    const primal = normInf(subtract(image, this.#z)) / Math.max(normInf(image), normInf(this.#z), 1e-10);
    const dual = normInf(slope) / Math.max(normInf(curved), normInf(pulled), normInf(linear), 1e-10);
    const wanted = this.#rho * Math.sqrt(Math.max(primal, 1e-12) / Math.max(dual, 1e-12));
    const rho = Math.max(RHO_MIN, Math.min(RHO_MAX, wanted));
    if (rho <= RHO_CHANGE * this.#rho && rho >= this.#rho / RHO_CHANGE) return;
    this.#rho = rho;
    this.#solve = undefined;
  }
}

function clamped(v: Float64Array, lower: Float64Array, upper: Float64Array): Float64Array<ArrayBuffer> {
  return Float64Array.from(v, (value, i) => Math.min(upper[i], Math.max(lower[i], value)));
}
