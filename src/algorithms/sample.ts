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

/** What is to be drawn, and how often. */
export interface SamplingRequest {
  /** P, N×N symmetric positive definite. */
  readonly precision: LinearSystem | CheckedSystem;
  /** How many draws, at least 1; count × N is at most 2²⁶. */
  readonly count: number;
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /**
   * What was measured of the board. Its errors are compensated as in a solve, and the cells' noise
   * temperatures are made equal, so that the covariance is P⁻¹. Default: nothing.
   */
  readonly calibration?: BoardCalibration;
  /** Called with 0 before the first board run, and with the number of draws so far after each. */
  readonly onProgress?: (done: number) => void;
}

/** The draws, how good they are, and what they cost. */
export interface SamplingResult {
  /** count × N, a draw a row. */
  readonly draws: Matrix;
  /** Bound on the correlation of neighbouring draws: that of the slowest mode. */
  readonly correlationMax: number;
  /** Largest share that carried rounding has in the noise of a mode; see `SolveResult`. */
  readonly carryNoiseShare: number;
  /**
   * Whether the board's errors are known to leave the covariance P⁻¹: it was calibrated, or it is an emulated
   * board that says so (`hasKnownCovariance`). Otherwise the draws have whatever covariance the board has.
   */
  readonly isCovarianceKnown: boolean;
  readonly cost: SolverCost;
}

/** What a board is driven with while it draws, so that its readings lie around A⁻¹b. */
export interface DrivenDraws {
  /** b, length N. */
  readonly drive: Float64Array;
  /** A⁻¹b about, length N: the scale is chosen by it. */
  readonly mean: Float64Array;
}

/** What draws by a plan need. */
export interface PlannedRequest extends Omit<SamplingRequest, 'precision'> {
  /** Default: the board is not driven. */
  readonly driven?: DrivenDraws | undefined;
}

/** Draws by a plan. */
export interface PlannedDraws extends SamplingResult {
  /** One step of the ADC, in the unit of y = W⁻¹x for a draw x. */
  readonly readingStep: number;
}

/** Time constants of the slowest mode between two draws. Their correlation is then at most e⁻³ = 5 %. */
const SPACING = 3;
export const CORRELATION_MAX = Math.exp(-SPACING);
/** Spacings before the first draw. At most e⁻¹² of the start is left then. */
export const BURN_IN_SPACINGS = 4;
/** Draws of one board run at most. It bounds the codes that are held at a time. */
const DRAWS_PER_RUN = 256;
/** After the sixth overload it gives up. */
const ATTEMPTS_MAX = 6;
/** Entries of a result at most, 512 MiB. More is better drawn in parts, each under another seed. */
const DRAWN_VALUES_MAX = 2 ** 26;

/** Refuses more draws than one result holds: BAD_ARGUMENT naming the draws and the cells. */
export function checkDrawCount(count: number, cells: number): void {
  checkWhole('The number of draws', count, 1);
  if (count * cells <= DRAWN_VALUES_MAX) return;
  const most = Math.floor(DRAWN_VALUES_MAX / cells);
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${counted(count, 'draw')} of ${counted(cells, 'cell')} are ${counted(count * cells, 'value')}; one result holds ${formatCount(DRAWN_VALUES_MAX)}.`,
    {
      hint: `Draw at most ${most} at a time, each time under another seed.`,
      data: { count, cells, valuesMax: DRAWN_VALUES_MAX },
    },
  );
}

/**
 * Draws from N(0, P⁻¹) on a board. At equilibrium the undriven board has the covariance κP⁻¹; its samples are
 * divided by √κ.
 *
 * The covariance is exact up to the rounding of couplings and ADC on an ideal board; on another board up to
 * its errors, or to what a calibration leaves of them. `correlationMax` bounds the correlation of
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
 * Draws by a plan that is there already, of W P W with the weights W (`diagonalWeights`). Errors: UNSUPPORTED
 * for more ticks than a run may have, before anything is sent; OVERLOAD; DEVICE_FAULT; those of the device.
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
 * The plan with its spacing of draws, its weights, and what the board is driven with. Errors: UNSUPPORTED for
 * more ticks than a run may have.
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

/** Refuses a request to draw with parts of the wrong kind, but for its precision: BAD_ARGUMENT. */
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

/** What a board is planned to do while it draws. */
export interface SamplingPlan extends EquilibriumPlan {
  readonly spacingTicks: number;
  /** A draw is W times what the board reads, since the board has W P W (`diagonalWeights`). */
  readonly weights: Float64Array;
  /** W b, and where y = W⁻¹x lies. */
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
 * With κ = 1 in the problem's units the samples are the draws. The first scale keeps the mean and six
 * standard deviations off the rail, and the drive in its range.
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
        'Its noise seems far larger than its register says; characterize the board.',
        overload,
        plan.identity,
        { scale },
      ),
  };
}

/** Puts the program of one scale into the board. Returns the board's κ in V_fs². */
export async function programAt(plan: SamplingPlan, session: BoardSession, scale: number): Promise<number> {
  const { identity } = plan;
  const tick = tickOf(identity);
  const driveCodes = plan.model.quantizeDrive(plan.drive, scalingAt(plan, scale));
  const register = noiseRegister(boardNoise(plan, scale, 1), tick, identity);
  const report = await session.program(
    programImage(plan.codes, driveCodes, quantizeInitialState(plan.mean, scale), register),
  );
  // Rows that are programmed for it have equal noise temperatures, and these are the register's.
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
      // The division by √κ was meant for deviations from the mean alone.
      if (shift !== 0) for (let i = 0; i < cells; i++) draw[i] += shift * plan.mean[i];
      draws.data.set(weighted(draw, plan.weights), done * cells);
    }
    onProgress?.(done);
  }
  return { answer: noiseTemperature };
}

/** Fewer equal samples may be chance. The noise of a healthy cell spans many ADC steps. */
const STILL_DRAWS_MIN = 32;

/**
 * Refuses draws of a cell whose samples never change: it is dead, or its ADC channel is stuck. Errors:
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
