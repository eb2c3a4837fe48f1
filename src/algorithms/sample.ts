import {
  badArgument,
  checkAddress,
  checkObject,
  checkOptionalFunction,
  checkSignal,
  checkWhole,
} from '../argument-checks.js';
import { adcStep, refuseTooLong, tickOf } from '../board/board-range.js';
import { modelOf } from '../board/calibrated-model.js';
import type { BoardCalibration } from '../board/calibration.js';
import {
  type CheckedSystem,
  checkSystem,
  type EvenedSystem,
  refuseTooLarge,
} from '../board/checked-system.js';
import type { SolverCost } from '../board/cost.js';
import { unweighted, weighted } from '../board/diagonal-scaling.js';
import {
  boardNoise,
  carryNoiseShare,
  type EquilibriumPlan,
  noiseLimitedScale,
  planEquilibrium,
  scalingAt,
} from '../board/equilibrium-plan.js';
import { effectiveNoiseTemperature, noiseRegister, noiseTemperatureOf } from '../board/noise-register.js';
import { cellList, overloadError } from '../board/overload-error.js';
import { programImage, quantizeInitialState } from '../board/quantize.js';
import { type Attempt, ranged } from '../board/ranged.js';
import type { RunAddress } from '../board/run-seed.js';
import { driveLimitedScale, powerOfTwoAbove } from '../board/scaling.js';
import { type BoardSession, inSession } from '../board/session.js';
import type { BoardDevice, DeviceIdentity, RunReport } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import type { LinearSystem } from '../linalg/linear-system.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { isZero, normInf } from '../linalg/products.js';
import { counted, formatCount } from '../number-text.js';

/** A request for draws: the precision and the number of draws. */
export interface SamplingRequest {
  /** P, N×N symmetric positive definite. */
  readonly precision: LinearSystem | CheckedSystem;
  /** Number of draws, at least 1; count × N is at most 2²⁶. */
  readonly count: number;
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /**
   * The calibration of the board. The errors of the board are compensated as in a solve, and the noise
   * temperatures of the cells are made equal. The covariance is then P⁻¹. Default: none.
   */
  readonly calibration?: BoardCalibration;
  /** Called with 0 before the first board run, and with the number of draws so far after each. */
  readonly onProgress?: (done: number) => void;
}

/** The draws, their quality, and their cost. */
export interface SamplingResult {
  /** count × N; each row is a draw. */
  readonly draws: Matrix;
  /** Bound on the correlation of neighbouring draws, given by the slowest mode. */
  readonly correlationMax: number;
  /** Largest share of carried rounding in the noise of a mode; see `SolveResult`. */
  readonly carryNoiseShare: number;
  /**
   * Whether the covariance of the draws is known to be P⁻¹: the board was calibrated, or it is an emulated
   * board that says so (`hasKnownCovariance`). Otherwise the errors of the board change the covariance by an
   * unknown amount.
   */
  readonly isCovarianceKnown: boolean;
  readonly cost: SolverCost;
}

/** The drive of a board while it draws. Its readings then lie around A⁻¹b. */
export interface DrivenDraws {
  /** b, length N. */
  readonly drive: Float64Array;
  /** An approximation of A⁻¹b, length N, for the choice of the scale. */
  readonly mean: Float64Array;
}

/** Options of draws by a plan. */
export interface PlannedRequest extends Omit<SamplingRequest, 'precision'> {
  /** Default: no drive. */
  readonly driven?: DrivenDraws | undefined;
}

/** Draws by a plan. */
export interface PlannedDraws extends SamplingResult {
  /** One step of the ADC, in the unit of y = W⁻¹x for a draw x. */
  readonly readingStep: number;
}

/**
 * Time between two draws, in time constants of the slowest mode. Their correlation is then at most e⁻³ = 5 %.
 */
const SPACING = 3;
export const CORRELATION_MAX = Math.exp(-SPACING);
/** Number of spacings before the first draw. At most e⁻¹² of the start is left then. */
export const BURN_IN_SPACINGS = 4;
/** Largest number of draws of one board run. It bounds the codes that are held in memory. */
const DRAWS_PER_RUN = 256;
/** The sixth overload is an error. */
const ATTEMPTS_MAX = 6;
/** Largest number of entries of a result, 512 MiB. Draw more in parts, each with another seed. */
const DRAWN_VALUES_MAX = 2 ** 26;

/** Refuses more draws than one result holds: BAD_ARGUMENT that names the draws and the cells. */
export function checkDrawCount(count: number, cells: number): void {
  checkWhole('The number of draws', count, 1);
  if (count * cells <= DRAWN_VALUES_MAX) return;
  const most = Math.floor(DRAWN_VALUES_MAX / cells);
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${counted(count, 'draw')} of ${counted(cells, 'cell')} are ${counted(count * cells, 'value')}; one result holds ${formatCount(DRAWN_VALUES_MAX)}.`,
    {
      hint: `Draw at most ${most} at a time, each time with another seed.`,
      data: { count, cells, valuesMax: DRAWN_VALUES_MAX },
    },
  );
}

/**
 * Draws from N(0, P⁻¹) on a board. At equilibrium the undriven board has the covariance κP⁻¹; its samples are
 * divided by √κ.
 *
 * On an ideal board the covariance is exact up to the rounding of couplings and ADC. On another board it also
 * has the errors of the board, or their rest after a calibration. `correlationMax` bounds the correlation of
 * neighbouring draws. Uses of one device take turns.
 *
 * Errors: BAD_ARGUMENT (also for more draws than one result holds), BAD_MATRIX, NOT_POSITIVE_DEFINITE,
 * TOO_LARGE, UNSUPPORTED, BAD_CALIBRATION before any byte is sent; OVERLOAD when no scale keeps the board off
 * its rails; DEVICE_FAULT for a cell whose samples never change; ABORTED; those of the device.
 *
 * Source: Aifer et al., "Thermodynamic linear algebra", arXiv 2308.05660.
 */
export async function drawSamples(device: BoardDevice, request: SamplingRequest): Promise<SamplingResult> {
  return inSession(
    device,
    request,
    () => checkPrecision(request, device),
    async (session, system) => {
      const { evened } = system;
      const plan = session.charge('mapMs', () => planSampling(session.identity, evened, request.calibration));
      return drawPlanned(session, plan, evened.weights, request);
    },
  );
}

/**
 * Draws by an existing plan of W P W, where W are the weights (`diagonalWeights`). Errors: UNSUPPORTED for
 * more ticks than a run may have, before anything is sent; OVERLOAD; DEVICE_FAULT; those of the device.
 */
export async function drawPlanned(
  session: BoardSession,
  equilibrium: EquilibriumPlan,
  weights: Float64Array,
  request: PlannedRequest,
): Promise<PlannedDraws> {
  const { count, calibration, onProgress } = request;
  const plan = spacedPlan(equilibrium, weights, request);
  const draws = matrix(count, weights.length);
  onProgress?.(0);
  const noiseTemperature = await ranged(rangeOf(plan), (scale) =>
    drawAt(plan, session, scale, request, draws),
  );
  refuseStillCells(draws);
  return {
    draws,
    correlationMax: CORRELATION_MAX,
    readingStep: adcStep(plan.identity.adcBits) / Math.sqrt(noiseTemperature * plan.systemScale),
    carryNoiseShare: carryNoiseShare(plan, noiseTemperature),
    isCovarianceKnown: calibration !== undefined || session.identity.hasKnownCovariance,
    cost: session.cost,
  };
}

/**
 * The plan with the spacing of draws, the weights and the drive. Errors: UNSUPPORTED for more ticks than a
 * run may have.
 */
export function spacedPlan(
  equilibrium: EquilibriumPlan,
  weights: Float64Array,
  { count, driven }: Pick<PlannedRequest, 'count' | 'driven'>,
): SamplingPlan {
  const { spectrum, identity, systemScale } = equilibrium;
  const spacingTicks = Math.ceil((SPACING * systemScale) / (tickOf(identity) * spectrum.eigenvalueMin));
  refuseTooLong(spacingTicks * (count + BURN_IN_SPACINGS));
  return {
    ...equilibrium,
    spacingTicks,
    weights,
    drive: driven === undefined ? new Float64Array(weights.length) : weighted(driven.drive, weights),
    mean: driven === undefined ? new Float64Array(weights.length) : unweighted(driven.mean, weights),
  };
}

/**
 * Throws BAD_ARGUMENT if a part of a request to draw is of the wrong kind. It does not check the precision.
 */
export function checkSamplingRequest(request: Omit<SamplingRequest, 'precision'>, dimension: number): void {
  checkDrawCount(request.count, dimension);
  checkAddress(request.address);
  checkSignal(request.signal);
  checkOptionalFunction('onProgress', request.onProgress);
}

export function checkPrecision(request: SamplingRequest, { identity }: BoardDevice): CheckedSystem {
  checkObject('The request', request, '{ precision, count: 100, address: { seed: 1, step: 0, block: 0 } }');
  if (request.precision === undefined)
    throw badArgument('precision', undefined, 'a system', "For example { kind: 'dense', matrix }.");
  const system = checkSystem(request.precision);
  checkSamplingRequest(request, system.dimension);
  refuseTooLarge(system.system, identity);
  return system;
}

/** The plan of a board run that draws. */
export interface SamplingPlan extends EquilibriumPlan {
  readonly spacingTicks: number;
  /** The board has W P W, so a draw is W times a reading (`diagonalWeights`). */
  readonly weights: Float64Array;
  /** W b, and the approximate mean of y = W⁻¹x. */
  readonly drive: Float64Array;
  readonly mean: Float64Array;
}

/**
 * The plan of draws. With a calibration its couplings make the noise temperatures of the cells equal. Errors:
 * those of `planEquilibrium`.
 */
export function planSampling(
  identity: DeviceIdentity,
  { checked }: EvenedSystem,
  calibration: BoardCalibration | undefined,
  dampingMax = 0,
): EquilibriumPlan {
  const model = modelOf(identity, calibration, { equalizeNoise: checked.system.kind === 'dense' });
  return planEquilibrium(checked, identity, model, dampingMax);
}

/**
 * With κ = 1 in the problem's units, samples are draws. The first scale keeps the mean plus six standard
 * deviations below the rail, and the drive in its range.
 */
export function rangeOf(plan: SamplingPlan) {
  const { identity, systemScale, model, drive, mean, rail } = plan;
  const driveFloor = model.driveMargin * driveLimitedScale(drive, systemScale, identity);
  return {
    firstScale: powerOfTwoAbove(Math.max(normInf(mean) / rail + noiseLimitedScale(plan, 1), driveFloor)),
    attemptsMax: ATTEMPTS_MAX,
    giveUp: (scale: number, overload: RunReport | undefined) =>
      overloadError(
        'The board runs into its rails at every scale that was tried.',
        'Its noise seems to be far larger than its register says; characterize the board.',
        overload,
        plan.identity,
        { scale },
      ),
  };
}

/** Loads the program of one scale into the board. Returns the board's κ in V_fs². */
export async function programAt(plan: SamplingPlan, session: BoardSession, scale: number): Promise<number> {
  const { identity } = plan;
  const tick = tickOf(identity);
  const driveCodes = plan.model.quantizeDrive(plan.drive, scalingAt(plan, scale));
  const register = noiseRegister(boardNoise(plan, scale, 1), tick, identity);
  const report = await session.program(
    programImage(plan.codes, driveCodes, quantizeInitialState(plan.mean, scale), register),
  );
  // With rows that are programmed for equal noise, all cells have the noise temperature of the register.
  return plan.model.equalizesNoise
    ? noiseTemperatureOf(register, tick)
    : effectiveNoiseTemperature(report, register.shift, tick);
}

/** Fills `draws` at one scale. The answer is the board's κ in V_fs². */
async function drawAt(
  plan: SamplingPlan,
  session: BoardSession,
  scale: number,
  { count, onProgress }: Pick<SamplingRequest, 'count' | 'onProgress'>,
  draws: Matrix,
): Promise<Attempt<number>> {
  const { spacingTicks } = plan;
  const cells = draws.columns;
  const noiseTemperature = await programAt(plan, session, scale);
  const applied = noiseTemperature * scale ** 2 * plan.systemScale;
  const shift = isZero(plan.mean) ? 0 : 1 - 1 / Math.sqrt(applied);
  for (let done = 0; done < count; ) {
    const run = await session.acquire({
      burnInTicks: done === 0 ? BURN_IN_SPACINGS * spacingTicks : spacingTicks,
      sampleCount: Math.min(DRAWS_PER_RUN, count - done),
      ticksPerSample: spacingTicks,
      continues: done > 0,
    });
    if (run.overloaded) return { overload: run.report };
    for (let at = 0; at < run.codes.length; at += cells, done++) {
      const draw = plan.model.readOut(run.codes.subarray(at, at + cells), scale / Math.sqrt(applied));
      // Only deviations from the mean are divided by √κ; this restores the mean.
      if (shift !== 0) for (let i = 0; i < cells; i++) draw[i] += shift * plan.mean[i];
      draws.data.set(weighted(draw, plan.weights), done * cells);
    }
    onProgress?.(done);
  }
  return { answer: noiseTemperature };
}

/** A smaller number of equal samples may be chance. The noise of a healthy cell spans many ADC steps. */
const STILL_DRAWS_MIN = 32;

/**
 * Throws if the samples of a cell never change: the cell is dead, or its ADC channel is stuck. Errors:
 * DEVICE_FAULT.
 */
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
    `The readings of ${cellList(still)} did not change in ${counted(rows, 'draw')}.`,
    {
      hint: 'The cell is dead or its ADC channel is stuck: use another board, or a smaller problem that leaves it out.',
      data: { cells: still },
    },
  );
}
