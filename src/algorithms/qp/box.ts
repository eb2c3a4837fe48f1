import type { BoardDevice } from '../../driver/device-api.js';
import { ThermolinkError } from '../../errors.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { matVec, sum } from '../../linalg/products.js';
import type { QuadraticProgram } from '../../linalg/quadratic-program.js';
import { formatNumber } from '../../number-text.js';
import type { BoardWork } from './board-work.js';
import type { QpRequest } from './contract.js';
import type { Judge } from './judge.js';
import type { PrimalDual } from './kkt.js';
import { RailBox } from './rail-box.js';

/** A bound on one unknown, with the row of A that gives it and the only entry of this row. */
interface Bound {
  readonly value: number;
  readonly row: number;
  readonly entry: number;
}

/**
 * A program whose rows are bounds on single unknowns. Each unknown has two bounds; if rows repeat, the
 * tightest bound counts.
 */
export interface BoxForm {
  readonly lower: readonly Bound[];
  readonly upper: readonly Bound[];
}

/** The bounds of a program, or the reason why the rails cannot hold them. */
export function boxForm(program: QuadraticProgram): BoxForm | string {
  const n = program.linear.length;
  const none = { row: -1, entry: 1 };
  const lower = Array.from({ length: n }, (): Bound => ({ ...none, value: -Infinity }));
  const upper = Array.from({ length: n }, (): Bound => ({ ...none, value: Infinity }));
  for (let row = 0; row < program.lower.length; row++) {
    const entries = program.constraints.data.subarray(row * n, (row + 1) * n);
    const at = entries.findIndex((value) => value !== 0);
    if (at < 0 || entries.subarray(at + 1).some((value) => value !== 0))
      return `row ${row} of the constraints has ${at < 0 ? 'no entry' : 'more entries than one'}`;
    const entry = entries[at];
    const ends = [program.lower[row] / entry, program.upper[row] / entry];
    const [low, high] = entry > 0 ? ends : [ends[1], ends[0]];
    if (low > lower[at].value) lower[at] = { value: low, row, entry };
    if (high < upper[at].value) upper[at] = { value: high, row, entry };
  }
  for (let j = 0; j < n; j++) {
    const [low, high] = [lower[j].value, upper[j].value];
    if (low > high) return `the rows leave no value for unknown ${j}`;
    if (high - low === Infinity)
      return `the bounds of unknown ${j} are ${formatNumber(low, 6)} and ${formatNumber(high, 6)}`;
  }
  return { lower, upper };
}

/** Errors: UNSUPPORTED when the program is not a box. */
export function requiredBox(program: QuadraticProgram): BoxForm {
  const form = boxForm(program);
  if (typeof form !== 'string') return form;
  throw new ThermolinkError('UNSUPPORTED', `The rails of a board cannot be these bounds: ${form}.`, {
    hint: "Every unknown needs two finite bounds, and there may be no other constraints; method 'admm' takes any rows.",
  });
}

/**
 * The unknowns whose bounds differ, as a box program for the board; the others are fixed at their bound.
 *
 * Errors of the constructor: those of `RailBox`.
 */
export class BoxWork {
  /** Levels of the box so far. */
  levels = 0;
  /** Bound on the condition, a ratio; 1 when all unknowns are fixed. */
  readonly condition: number;
  readonly #program: QuadraticProgram;
  readonly #form: BoxForm;
  /** The unknowns that are not fixed. */
  readonly #free: readonly number[];
  /** The value of every fixed unknown, which is its lower bound. 0 for the other unknowns. */
  readonly #fixed: Float64Array<ArrayBuffer>;
  readonly #box: RailBox | undefined;

  constructor(
    device: BoardDevice,
    program: QuadraticProgram,
    form: BoxForm,
    { calibration }: Pick<QpRequest, 'calibration'>,
  ) {
    const { lower, upper } = form;
    this.#program = program;
    this.#form = form;
    this.#free = [...lower.keys()].filter((j) => lower[j].value < upper[j].value);
    this.#fixed = Float64Array.from(lower, ({ value }, j) => (value < upper[j].value ? 0 : value));
    const bounds = (side: readonly Bound[]) => Float64Array.from(this.#free, (j) => side[j].value);
    this.#box =
      this.#free.length === 0
        ? undefined
        : new RailBox(device, {
            hessian: submatrix(program.hessian, this.#free),
            lower: bounds(lower),
            upper: bounds(upper),
            calibration,
          });
    this.condition = this.#box?.condition ?? 1;
  }

  /**
   * Lets the board settle level by level, until `judge` accepts a point or `RailBox` ends. If all unknowns
   * are fixed, the board is not used. Errors: those of `RailBox`.
   */
  async run(judge: Judge, work: BoardWork, request: QpRequest, start: Float64Array): Promise<void> {
    const { hessian, linear } = this.#program;
    if (this.#box === undefined) {
      judge.judge(this.#pointOf(this.#fixed), 'box', 1);
      return;
    }
    const pull = sum(linear, matVec(hessian, this.#fixed));
    const { levels, cost } = await this.#box.solve({
      linear: Float64Array.from(this.#free, (j) => pull[j]),
      start: Float64Array.from(this.#free, (j) => start[j]),
      // Each level is judged in float64, by the residuals of the program itself.
      tolerance: 0,
      onLevel: (free) => {
        const x = Float64Array.from(this.#fixed);
        for (const [k, j] of this.#free.entries()) x[j] = free[k];
        judge.judge(this.#pointOf(x), 'box', ++this.levels);
        return judge.isSolved;
      },
      address: request.address,
      signal: request.signal,
    });
    work.addBox(levels, cost);
  }

  /** x, with multipliers for the bounds that a gradient step from x would cross. */
  #pointOf(x: Float64Array<ArrayBuffer>): PrimalDual {
    const { hessian, linear, lower } = this.#program;
    const slope = sum(matVec(hessian, x), linear);
    const y = new Float64Array(lower.length);
    for (const [j, value] of slope.entries()) {
      const side = value > 0 ? this.#form.lower[j] : this.#form.upper[j];
      const curvature = rowSum(hessian, j) || 1;
      if (Math.abs(x[j] - side.value) < Math.abs(value) / curvature) y[side.row] = -value / side.entry;
    }
    return { x, y };
  }
}

function rowSum({ columns, data }: Matrix, row: number): number {
  return data.subarray(row * columns, (row + 1) * columns).reduce((total, v) => total + Math.abs(v), 0);
}

function submatrix({ columns, data }: Matrix, kept: readonly number[]): Matrix {
  const size = kept.length;
  return matrix(
    size,
    size,
    Float64Array.from({ length: size * size }, (_, k) => {
      const [i, j] = [kept[Math.floor(k / size)], kept[k % size]];
      return data[i * columns + j];
    }),
  );
}
