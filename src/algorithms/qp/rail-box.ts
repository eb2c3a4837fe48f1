import { adcStep, railOf, tickOf } from '../../board/board-range.js';
import { HeldCouplings } from '../../board/board-use.js';
import { type BoardCalibration, refuseForeign } from '../../board/calibration.js';
import { type CheckedSystem, checkSystem, refuseTooLarge } from '../../board/checked-system.js';
import type { SolverCost } from '../../board/cost.js';
import { programImage, quantizeInitialState, type SystemCodes } from '../../board/quantize.js';
import type { RunAddress } from '../../board/run-seed.js';
import { unsaturatedScale } from '../../board/scaling.js';
import { type BoardSession, inSession } from '../../board/session.js';
import type { BoardDevice, DeviceIdentity } from '../../driver/device-api.js';
import { ThermolinkError } from '../../errors.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { matVec } from '../../linalg/products.js';

/** min ½xᵀPx + qᵀx over l ≤ x ≤ u, for many q. */
export interface RailBoxRequest {
  /** P, N×N symmetric positive definite. */
  readonly hessian: Matrix;
  /** l and u, length N, finite, l < u. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly calibration?: BoardCalibration;
}

/** One q. */
export interface RailBoxDrive {
  /** q, length N. */
  readonly linear: Float64Array;
  /** The point at which the board starts, length N. */
  readonly start?: Float64Array;
  /** The solve ends at this residual; see `RailBoxResult`. */
  readonly tolerance: number;
  /** Called after each level with its x. If it returns true, the solve ends. */
  readonly onLevel?: (x: Float64Array<ArrayBuffer>) => boolean;
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
}

export interface RailBoxResult {
  /** x, length N, within the box. */
  readonly x: Float64Array<ArrayBuffer>;
  /**
   * max |y − clamp(y − ∇/σ, −1, 1)|: 0 at the minimum. y is x in units of the box, which then reaches from −1
   * to 1. ∇ is the gradient with respect to y, and σ bounds the largest eigenvalue of the Hessian in y.
   */
  readonly residual: number;
  /** How many times the drives were changed. */
  readonly levels: number;
  readonly cost: SolverCost;
}

/** Largest h·σ, where σ is the row sum. Below it no mode overshoots. */
const STEP_MAX = 1;
/** A full drive holds a cell at its rail against all other cells, with this margin. */
const HOLD_MARGIN = 1.001;
/**
 * The box shrinks by the first factor around each reading. When a cell stands at the edge of the box, the box
 * grows by the second factor; later it shrinks by the second factor.
 */
const SHRINK = 16;
const GROWTH = 4;
const LEVELS_MAX = 20;
/**
 * Ticks between the first two looks; they double each time. Looking ends when two readings agree to one code.
 */
const LOOK_TICKS = 256;
const LOOK_TICKS_MAX = 65_536;
const LOOKS_MAX = 40;
/**
 * Limits for a board whose noise keeps readings from agreeing. The first is a time in time constants of the
 * slowest mode (e⁻¹⁶ of the start is left, a thousandth of a code). The second is a number of looks, because
 * a cell that leaves its rail takes longer.
 */
const SETTLED = 16;
const LOOKS_MIN = 5;
/**
 * Number of levels in a row that may leave more than half of the residual. From the second one on, each level
 * settles longer.
 */
const IDLE_LEVELS_MAX = 4;
const PATIENCE = 4;

/**
 * Solves box programs by the rails. The cells clamp at ± rail, so a board without noise comes to rest where
 * x = c + f D v meets the conditions of Karush, Kuhn and Tucker. Here v are the voltages,
 * D = (u − l)/(2 rail), and each level solves in a part of the box: c is its centre, and f its share of the
 * width. The first level has the whole box. Each further level has a smaller box around the last reading, at
 * first 16 times smaller.
 * If a cell stands at the edge of that box, the next box is larger again. Couplings are sent once, and a
 * level changes only drives. Each level is judged in float64.
 *
 * Errors of the constructor: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE, UNSUPPORTED,
 * BAD_CALIBRATION; it sends nothing.
 */
export class RailBox {
  /** Bound on the condition number of P after the box is scaled to ±1, a ratio. */
  readonly condition: number;
  readonly #device: BoardDevice;
  readonly #request: RailBoxRequest;
  readonly #held = new HeldCouplings();
  readonly #scaled: CheckedSystem;
  /** Half the width of the box, and its middle. */
  readonly #half: Float64Array;
  readonly #middle: Float64Array;
  readonly #rowSum: number;
  #plan: BoxPlan | undefined;

  constructor(device: BoardDevice, request: RailBoxRequest) {
    const { hessian, lower, upper, calibration } = request;
    refuseEmptyBox(lower, upper);
    if (calibration !== undefined) refuseForeign(calibration.board, device.identity);
    this.#device = device;
    this.#request = request;
    this.#half = upper.map((value, i) => (value - lower[i]) / 2);
    this.#middle = upper.map((value, i) => (value + lower[i]) / 2);
    const n = lower.length;
    const scaled = matrix(
      n,
      n,
      hessian.data.map((value, k) => value * this.#half[Math.floor(k / n)] * this.#half[k % n]),
    );
    this.#scaled = checkSystem({ kind: 'dense', matrix: scaled });
    refuseTooLarge(this.#scaled.system, device.identity);
    const { eigenvalueMin, eigenvalueMax } = this.#scaled.spectrum;
    this.condition = eigenvalueMax / eigenvalueMin;
    let rowSum = 0;
    for (let i = 0; i < n; i++)
      rowSum = Math.max(
        rowSum,
        scaled.data.subarray(i * n, (i + 1) * n).reduce((sum, v) => sum + Math.abs(v), 0),
      );
    this.#rowSum = rowSum;
  }

  /** Solves for one q. Errors: ABORTED; those of the device. */
  solve(drive: RailBoxDrive): Promise<RailBoxResult> {
    const { address, signal, tolerance } = drive;
    const { calibration } = this.#request;
    return inSession(
      this.#device,
      { address, signal, calibration, held: this.#held },
      () => undefined,
      async (session) => {
        this.#plan ??= session.charge('mapMs', () => this.#planOn(session));
        let y = Float64Array.from(this.#half, (half, i) =>
          drive.start === undefined ? 0 : clamped((drive.start[i] - this.#middle[i]) / half, 1),
        );
        let best = { y, residual: Infinity };
        let centre = new Float64Array(y.length);
        let width = 1;
        let shrink = SHRINK;
        let levels = 0;
        let lookTicks = LOOK_TICKS;
        let idleLevels = 0;
        while (levels < LEVELS_MAX) {
          centre = centre.map((value) => clamped(value, 1 - width));
          const box = { centre, width, from: y, lookTicks };
          const read = await this.#settle(session, this.#plan, drive.linear, box);
          levels++;
          y = read.y;
          const residual = this.#residual(drive.linear, y);
          idleLevels = residual > best.residual / 2 ? idleLevels + 1 : 0;
          if (residual < best.residual) best = { y, residual };
          const isEnough = drive.onLevel?.(this.#pointOf(y)) ?? false;
          if (isEnough || best.residual <= tolerance || idleLevels === IDLE_LEVELS_MAX) break;
          centre = y;
          if (read.isAtEdge) shrink = GROWTH;
          width = read.isAtEdge ? Math.min(1, width * GROWTH) : width / shrink;
          // A slow mode may have moved less than a code between two looks.
          if (idleLevels > 1 && lookTicks < this.#plan.slowestTicks) lookTicks *= PATIENCE;
        }
        const x = this.#pointOf(best.y);
        return { x, residual: best.residual, levels, cost: session.cost };
      },
    );
  }

  #planOn({ identity, model }: BoardSession): BoxPlan {
    const { system, measure } = this.#scaled;
    const rail = railOf(identity);
    const tick = tickOf(identity);
    // The voltage of a cell in V_fs is y·rail, so the couplings are those of P scaled to the box, divided by
    // rail².
    const unit = rail * rail;
    const systemScale =
      Math.max(
        unsaturatedScale(system, measure.largestEntry * model.couplingMargin, identity.couplingBits),
        (this.#rowSum * tick) / STEP_MAX,
        (HOLD_MARGIN * model.driveMargin * this.#rowSum * rail) / identity.driveRange,
      ) / unit;
    const { couplingBits } = identity;
    const scaling = { systemScale, solutionScale: 1, couplingBits, rowAttenuation: 0 };
    const onBoard = matrix(
      this.#half.length,
      this.#half.length,
      (system.kind === 'dense' ? system.matrix.data : new Float64Array()).map((value) => value / unit),
    );
    const codes = model.quantizeSystem({ kind: 'dense', matrix: onBoard }, scaling, 0);
    const slowestTicks = systemScale / ((this.#scaled.spectrum.eigenvalueMin / unit) * tick);
    return { scaling, codes, rail, identity, slowestTicks };
  }

  /** x for a y within ±1. If an entry of y is at its bound, the entry of x is exactly at its bound. */
  #pointOf(y: Float64Array): Float64Array<ArrayBuffer> {
    const { lower, upper } = this.#request;
    return Float64Array.from(y, (value, i) =>
      Math.max(lower[i], Math.min(upper[i], this.#middle[i] + this.#half[i] * value)),
    );
  }

  /** ∇ at y, in units of the box. */
  #gradient(linear: Float64Array, y: Float64Array): Float64Array {
    const { system } = this.#scaled;
    const { hessian } = this.#request;
    const fromMiddle = matVec(hessian, this.#middle);
    const curved = system.kind === 'dense' ? matVec(system.matrix, y) : y;
    return curved.map((value, i) => value + this.#half[i] * (linear[i] + fromMiddle[i]));
  }

  #residual(linear: Float64Array, y: Float64Array): number {
    const gradient = this.#gradient(linear, y);
    return y.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - clamped(value - gradient[i] / this.#rowSum, 1))),
      0,
    );
  }

  /** Lets the board settle. */
  async #settle(
    session: BoardSession,
    { scaling, codes, rail, identity, slowestTicks }: BoxPlan,
    linear: Float64Array,
    { centre, width, from, lookTicks }: SmallerBox,
  ): Promise<{ readonly y: Float64Array<ArrayBuffer>; readonly isAtEdge: boolean }> {
    const { model } = session;
    const gradient = this.#gradient(linear, centre);
    const drive = gradient.map((value) => -value / (width * rail));
    const initial = from.map((value, i) => rail * clamped((value - centre[i]) / width, 1));
    const image = programImage(codes, model.quantizeDrive(drive, scaling), quantizeInitialState(initial, 1), {
      amplitude: 0,
      shift: identity.noiseShiftMin,
    });
    await session.program(image);
    let last: Int16Array | undefined;
    let ticks = lookTicks;
    let ticksSoFar = 0;
    for (let look = 0; look < LOOKS_MAX; look++) {
      const { codes: read } = await session.acquire({
        burnInTicks: ticks,
        sampleCount: 1,
        ticksPerSample: 0,
        continues: look > 0,
        onOverload: 'mark',
      });
      const before = last;
      last = read;
      ticksSoFar += ticks;
      if (before !== undefined && read.every((code, i) => Math.abs(code - before[i]) <= 1)) break;
      if (look >= LOOKS_MIN && ticksSoFar >= SETTLED * slowestTicks) break;
      ticks = Math.max(lookTicks, Math.min(LOOK_TICKS_MAX, ticks * 2));
    }
    const v = model.readOut(last ?? new Int16Array(centre.length), 1);
    const step = adcStep(identity.adcBits);
    let isAtEdge = false;
    const y = v.map((value, i) => {
      const edge = centre[i] + width * Math.sign(value);
      if (Math.abs(value) >= rail - step && Math.abs(edge) < 1 - 1e-12) isAtEdge = true;
      return clamped(centre[i] + (width * value) / rail, 1);
    });
    return { y, isAtEdge };
  }
}

interface BoxPlan {
  readonly scaling: {
    readonly systemScale: number;
    readonly solutionScale: number;
    readonly couplingBits: number;
    readonly rowAttenuation: number;
  };
  readonly codes: SystemCodes;
  readonly rail: number;
  readonly identity: DeviceIdentity;
  /** Time constant of the slowest mode while no cell stands at a rail. */
  readonly slowestTicks: number;
}

/** The box `centre` ± `width`, the start of the board in it, and the settling time before the first look. */
interface SmallerBox {
  readonly centre: Float64Array;
  readonly width: number;
  readonly from: Float64Array;
  readonly lookTicks: number;
}

function clamped(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value));
}

function refuseEmptyBox(lower: Float64Array, upper: Float64Array): void {
  const found = upper.findIndex((value, i) => !(value - lower[i] > 0 && value - lower[i] < Infinity));
  if (found < 0) return;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `The bounds of unknown ${found} are ${lower[found]} and ${upper[found]}.`,
    {
      hint: 'The bounds must be finite, and each lower bound must be below its upper bound.',
      data: { index: found },
    },
  );
}
