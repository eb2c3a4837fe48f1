import {
  checkAddress,
  checkObject,
  checkOptionalFunction,
  checkSignal,
  checkWhole,
} from '../argument-checks.js';
import { nominalModel } from '../board/board-model.js';
import { tickOf } from '../board/board-range.js';
import { BoardRuns, takeTurn } from '../board/board-runs.js';
import { calibratedModel } from '../board/calibrated-model.js';
import { type BoardCalibration, refuseForeign } from '../board/calibration.js';
import type { SolverCost } from '../board/cost.js';
import { inspectSystem } from '../board/definiteness.js';
import { boardNoise, noiseLimitedScale } from '../board/equilibrium-pass.js';
import {
  carryNoiseShare,
  type EquilibriumPlan,
  planEquilibrium,
  refuseTooLarge,
  refuseTooLong,
  scalingAt,
} from '../board/equilibrium-plan.js';
import { effectiveNoiseTemperature, noiseRegister, noiseTemperatureOf } from '../board/noise-register.js';
import { cellList, overloadError } from '../board/overload-error.js';
import { programImage } from '../board/quantize.js';
import type { RunAddress } from '../board/run-seed.js';
import { powerOfTwoAbove } from '../board/scaling.js';
import { checkBoard, checkForm } from '../board/validation.js';
import type { BoardDevice, RunReport } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { dimensionOf, type LinearSystem } from '../linalg/linear-system.js';
import { type Matrix, matrix } from '../linalg/matrix.js';

export interface SamplingRequest {
  /** P, symmetric positive definite. */
  readonly precision: LinearSystem;
  /** How many draws, ≥ 1. */
  readonly count: number;
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /** As in `createAnalogSolver`; cells' noise temperatures are made equal too, so that the covariance is P⁻¹. */
  readonly calibration?: BoardCalibration;
  /** Called with 0 before the first run, and after each run. */
  readonly onProgress?: (done: number) => void;
}

export interface SamplingResult {
  /** count × N, a draw a row. */
  readonly draws: Matrix;
  /** Bound on the correlation of neighbouring draws, that of the slowest mode. */
  readonly correlationMax: number;
  /** See `SolveResult`. */
  readonly carryNoiseShare: number;
  /**
   * Whether the board's errors are known to leave the covariance P⁻¹: it was calibrated, or is an emulated board that calls itself
   * ideal. Else the draws have whatever covariance the board has.
   */
  readonly isCovarianceKnown: boolean;
  readonly cost: SolverCost;
}

const REQUEST_EXAMPLE = '{ precision, count: 100, address: { seed: 1, step: 0, block: 0 } }';
/** Three time constants of the slowest mode between two draws: at most e⁻³ = 5 % of one is in the next. */
const SPACING = 3;
/** The first draw comes after so many of these: what is left of the start is e⁻¹². */
const BURN_IN_SPACINGS = 4;
/** Draws of one run, the bound of what is held in codes. */
const DRAWS_PER_RUN = 256;
const OVERLOADS_MAX = 6;
/** What models without imperfections are called. */
const IDEAL_MODELS = 'ideal-';
/** Entries of a result, 512 MiB: more is better drawn in parts, under several seeds. */
const DRAWN_VALUES_MAX = 2 ** 26;

/** Refuses more draws than one result holds: BAD_ARGUMENT naming the draws and the cells. */
export function checkDrawCount(count: number, cells: number): void {
  checkWhole('The number of draws', count, 1);
  if (count * cells <= DRAWN_VALUES_MAX) return;
  const most = Math.floor(DRAWN_VALUES_MAX / cells);
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${count} draws of ${cells} cells are ${count * cells} values; one result holds ${DRAWN_VALUES_MAX}.`,
    {
      hint: `Draw at most ${most} at a time, each time under another seed.`,
      data: { count, cells, valuesMax: DRAWN_VALUES_MAX },
    },
  );
}

/**
 * Draws from N(0, P⁻¹): the undriven board at equilibrium has covariance κP⁻¹, and its readings are divided by √κ.
 *
 * Exact up to the rounding of couplings and ADC, on a board that is ideal; on another one up to its errors, or to what a calibration
 * leaves of them. The correlation of the draws is given. Takes turns with the calls of
 * `createAnalogSolver`. Errors: BAD_ARGUMENT for too many, BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE before any byte is sent; OVERLOAD.
 * Source: Aifer et al., "Thermodynamic linear algebra", arXiv 2308.05660.
 */
export async function drawSamples(device: BoardDevice, request: SamplingRequest): Promise<SamplingResult> {
  checkBoard(device);
  checkObject('The request', request, REQUEST_EXAMPLE);
  checkSignal(request.signal);
  checkOptionalFunction('onProgress', request.onProgress);
  checkForm(request.precision);
  checkDrawCount(request.count, dimensionOf(request.precision));
  checkAddress(request.address);
  return takeTurn(device, request.signal, () => drawOnBoard(device, request));
}

async function drawOnBoard(device: BoardDevice, request: SamplingRequest): Promise<SamplingResult> {
  const { identity } = device;
  const { precision, address, signal, calibration } = request;
  if (calibration !== undefined) refuseForeign(calibration.board, identity);
  const model =
    calibration === undefined
      ? nominalModel(identity)
      : calibratedModel(calibration, identity, { equalizeNoise: precision.kind === 'dense' });
  const board = new BoardRuns(device, address, signal);
  const spectrum = board.charge('mapMs', () => inspectSystem(precision));
  refuseTooLarge(precision, identity);
  const plan = board.charge('mapMs', () => planEquilibrium(precision, spectrum, identity, model));
  const spacingTicks = Math.ceil((SPACING * plan.systemScale) / (tickOf(identity) * spectrum.eigenvalueMin));
  refuseTooLong(spacingTicks * (request.count + BURN_IN_SPACINGS));
  const draws = matrix(request.count, dimensionOf(precision));
  request.onProgress?.(0);
  // With κ = 1 in the problem's units the readings are the draws; the scale keeps six standard deviations off the rail.
  let scale = powerOfTwoAbove(noiseLimitedScale(plan, 1));
  let overload: RunReport | undefined;
  for (let overloads = 0; overloads < OVERLOADS_MAX; overloads++, scale *= 2) {
    const noiseTemperature = await drawAt(plan, board, scale, spacingTicks, request, draws);
    if (typeof noiseTemperature !== 'number') {
      overload = noiseTemperature;
      continue;
    }
    return {
      draws,
      correlationMax: Math.exp(-SPACING),
      carryNoiseShare: carryNoiseShare(plan, noiseTemperature),
      isCovarianceKnown: calibration !== undefined || identity.model.startsWith(IDEAL_MODELS),
      cost: board.cost,
    };
  }
  throw overloadError(
    'The board runs into its rails at every scale that was tried.',
    'Its noise seems far larger than its register says; characterize the board.',
    overload,
    identity,
    { scale },
  );
}

/** Fills `draws` at one scale and returns the board's κ in V_fs²; the run's report when a cell ran into its rail. */
async function drawAt(
  plan: EquilibriumPlan,
  board: BoardRuns,
  scale: number,
  spacingTicks: number,
  { count, onProgress }: SamplingRequest,
  draws: Matrix,
): Promise<number | RunReport> {
  const { identity } = plan;
  const cells = draws.columns;
  const tick = tickOf(identity);
  const undriven = plan.model.quantizeDrive(new Float64Array(cells), scalingAt(plan, scale));
  const register = noiseRegister(boardNoise(plan, scale, 1), tick, identity);
  const report = await board.program(programImage(plan.codes, undriven, new Int16Array(cells), register));
  // Rows programmed for it have equal temperatures, the register's.
  const noiseTemperature = plan.model.equalizesNoise
    ? noiseTemperatureOf(register, tick)
    : effectiveNoiseTemperature(report, register.shift, tick);
  const applied = noiseTemperature * scale ** 2 * plan.systemScale;
  for (let done = 0; done < count; ) {
    const {
      codes,
      overloaded,
      report: run,
    } = await board.acquire({
      burnInTicks: done === 0 ? BURN_IN_SPACINGS * spacingTicks : spacingTicks,
      sampleCount: Math.min(DRAWS_PER_RUN, count - done),
      ticksPerSample: spacingTicks,
      goesOn: done > 0,
    });
    if (overloaded) return run;
    for (let at = 0; at < codes.length; at += cells, done++) {
      const draw = plan.model.readOut(codes.subarray(at, at + cells), scale / Math.sqrt(applied));
      draws.data.set(draw, done * cells);
    }
    onProgress?.(done);
  }
  refuseStillCells(draws);
  return noiseTemperature;
}

/** With fewer draws equal readings may be chance: the noise of a healthy cell spans many ADC steps. */
const STILL_DRAWS_MIN = 32;

/** A cell whose readings never change is dead, or its ADC channel is stuck: its draws are no draws. Errors: DEVICE_FAULT. */
function refuseStillCells({ rows, columns, data }: Matrix): void {
  if (rows < STILL_DRAWS_MIN) return;
  const still: number[] = [];
  for (let cell = 0; cell < columns; cell++) {
    let moves = false;
    for (let draw = 1; draw < rows && !moves; draw++) moves = data[draw * columns + cell] !== data[cell];
    if (!moves) still.push(cell);
  }
  if (still.length === 0) return;
  throw new ThermolinkError(
    'DEVICE_FAULT',
    `The readings of ${cellList(still)} did not change in ${rows} draws.`,
    {
      hint: 'The cell is dead or its ADC channel is stuck: use another board, or a smaller problem that leaves it out.',
      data: { cells: still },
    },
  );
}
