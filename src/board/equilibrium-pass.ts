import type { RunReport } from '../driver/device-api.js';
import { applySystem } from '../linalg/linear-system.js';
import { norm2, normInf, subtract } from '../linalg/products.js';
import { adcStep, tickOf } from './board-range.js';
import {
  boardNoise,
  carryNoiseShare,
  type EquilibriumPlan,
  noiseLimitedScale,
  scalingAt,
} from './equilibrium-plan.js';
import { type Estimate, estimateMean } from './estimate.js';
import { effectiveNoiseTemperature, noiseRegister } from './noise-register.js';
import { overloadError } from './overload-error.js';
import { programImage, quantizeInitialState } from './quantize.js';
import { type Attempt, ranged } from './ranged.js';
import { driveLimitedScale, powerOfTwoAbove } from './scaling.js';
import type { BoardSession } from './session.js';

/** The answer of the board to A d = r, read once. */
export interface Reading {
  /** d. */
  readonly x: Float64Array<ArrayBuffer>;
  /** s_x at which it was read; a power of two. */
  readonly solutionScale: number;
  /** max |v| in V_fs. */
  readonly peak: number;
  /** The part of the residual r − A d that the codes explain: −[(A − A_q) d + (b_q − r)]. */
  readonly rounding: Float64Array;
  /**
   * The same reading, but `rounding` does not contain the measured errors of the board. Absent if no errors
   * were measured.
   */
  readonly asRead?: Reading;
}

/** A reading that computes its `rounding`, by two products, at the first access. */
class SettledReading implements Reading {
  readonly x: Float64Array<ArrayBuffer>;
  readonly solutionScale: number;
  readonly peak: number;
  readonly #explain: (x: Float64Array) => Float64Array;
  #rounding: Float64Array | undefined;

  constructor(
    x: Float64Array<ArrayBuffer>,
    solutionScale: number,
    peak: number,
    explain: (x: Float64Array) => Float64Array,
  ) {
    this.x = x;
    this.solutionScale = solutionScale;
    this.peak = peak;
    this.#explain = explain;
  }

  get rounding(): Float64Array {
    this.#rounding ??= this.#explain(this.x);
    return this.#rounding;
  }
}

/** The answer of the board to A d = r, averaged over noise. */
export interface Average extends Reading {
  readonly standardError: Float64Array<ArrayBuffer>;
  readonly samples: number;
  /** κ of the problem: the covariance of a sample is κA⁻¹ in units of x². */
  readonly noiseTemperature: number;
  readonly carryNoiseShare: number;
}

/** Attempts to find a scale. */
const ATTEMPTS_MAX = 16;
/** Samples between two looks at the standard error. */
const SAMPLES_PER_LOOK = 16;
const SAMPLES_MAX = 512;
/**
 * Approximate limit of the ticks of one board run. An emulator takes a few seconds for this number of ticks,
 * and a caller needs a progress report at least as often.
 */
const RUN_TICKS = 2 ** 18;
/** The largest cell should end at this share of the rail or below; on the way it may exceed this. */
const PEAK_MAX = 0.8;
/** A reading below this share of the rail wastes two bits or more, so a finer scale is tried. */
const PEAK_MIN = PEAK_MAX / 4;

/** Callbacks while samples come in. */
export interface Looks {
  /** Whether the standard error is small enough; called after every 16 samples. */
  readonly isEnough: (standardError: Float64Array) => boolean;
  /** Called after each board run with the number of samples so far. */
  readonly onReadings: (samples: number) => void;
}

/**
 * Settles A d = `drive` without noise, from zero, and reads it once. It finds the power of two s_x that puts
 * the largest cell between 20 and 80 % of the rail. After an overload s_x is doubled. After a small peak a
 * smaller s_x is tried, but none below `scaleFloor(d)`, where finer steps would be useless, and none below
 * the limit of the drive range.
 *
 * Errors: OVERLOAD when no scale is found.
 */
export async function settle(
  plan: EquilibriumPlan,
  session: BoardSession,
  drive: Float64Array,
  firstScale: number,
  scaleFloor: (x: Float64Array) => number,
): Promise<Reading> {
  const { identity, systemScale, spectrum } = plan;
  const step = adcStep(identity.adcBits);
  const driveFloor = plan.model.driveMargin * driveLimitedScale(drive, systemScale, identity);
  const peakMax = PEAK_MAX * plan.rail;
  const peakMin = PEAK_MIN * plan.rail;
  const range = {
    firstScale,
    attemptsMax: ATTEMPTS_MAX,
    giveUp: (solutionScale: number, overload: RunReport | undefined) =>
      overloadError(
        `No scale keeps the board within its rails (${ATTEMPTS_MAX} tried).`,
        'Perhaps the programmed couplings are not positive definite, because their rounding is larger than the smallest eigenvalue.',
        overload,
        identity,
        { solutionScale, eigenvalueMin: spectrum.eigenvalueMin, systemScale },
      ),
  };
  return ranged<Reading>(range, async (solutionScale, scaleMin) => {
    const { rounding } = await commitProgram(plan, session, drive, solutionScale, undefined, 0);
    const { codes, overloaded, report } = await session.acquire({
      burnInTicks: plan.settleTicks,
      sampleCount: 1,
      ticksPerSample: 0,
    });
    if (overloaded) return { overload: report };
    const x = plan.model.readOut(codes, solutionScale);
    const peak = normInf(x) / solutionScale;
    const finer = solutionScale * 2 ** -Math.floor(Math.log2(peakMax / (peak + step)));
    const next = Math.max(finer, powerOfTwoAbove(Math.max(driveFloor, scaleMin, scaleFloor(x))));
    if (peak < peakMin && next < solutionScale) return { retryAt: next };
    return { answer: new SettledReading(x, solutionScale, peak, rounding) };
  });
}

/**
 * Averages the equilibrium of A d = `drive` under noise of κ = `noiseTemperature` in the problem's units,
 * starting from an existing reading. It stops when there are enough samples for a standard error and
 * `isEnough` accepts it, or after 512 samples.
 *
 * Errors: OVERLOAD when no scale is found.
 */
export async function average(
  plan: EquilibriumPlan,
  session: BoardSession,
  drive: Float64Array,
  start: Reading,
  noiseTemperature: number,
  looks: Looks,
): Promise<Average> {
  const range = {
    firstScale: averagingScale(plan, start, noiseTemperature),
    attemptsMax: ATTEMPTS_MAX,
    giveUp: (solutionScale: number, overload: RunReport | undefined) =>
      overloadError(
        'The board runs into its rails whenever its noise is on.',
        'Its noise seems to be far larger than its register says; characterize the board.',
        overload,
        plan.identity,
        { solutionScale, noiseTemperature },
      ),
  };
  return ranged<Average>(range, async (solutionScale) => {
    const committed = await commitProgram(plan, session, drive, solutionScale, start.x, noiseTemperature);
    const outcome = await averageOnce(plan, session, solutionScale, looks);
    if (!('answer' in outcome)) return outcome;
    const estimate = outcome.answer;
    const x = plan.model.readOut(estimate.mean, solutionScale);
    return {
      answer: {
        x,
        solutionScale,
        peak: normInf(x) / solutionScale,
        rounding: committed.rounding(x),
        standardError: plan.model.readOutSpread(estimate.standardError, solutionScale),
        samples: estimate.samples,
        noiseTemperature: committed.noiseTemperature * solutionScale ** 2 * plan.systemScale,
        carryNoiseShare: carryNoiseShare(plan, committed.noiseTemperature),
      },
    };
  });
}

/**
 * s_x at which the mean plus six standard deviations of the noisiest cell stay below the rail. A standard
 * deviation is at most √(κ/λ₋).
 */
function averagingScale(plan: EquilibriumPlan, start: Reading, noiseTemperature: number): number {
  const mean = start.peak * start.solutionScale;
  return Math.max(
    start.solutionScale,
    powerOfTwoAbove(mean / plan.rail + noiseLimitedScale(plan, noiseTemperature)),
  );
}

/** Takes samples at one scale until they are enough. */
async function averageOnce(
  plan: EquilibriumPlan,
  session: BoardSession,
  solutionScale: number,
  { isEnough, onReadings }: Looks,
): Promise<Attempt<Estimate>> {
  const { ticksPerSample, codes } = plan;
  const readings = new Int16Array(SAMPLES_MAX * codes.cells);
  const samplesPerRun = Math.max(1, Math.floor(RUN_TICKS / ticksPerSample));
  for (let samples = 0; ; ) {
    const run = await session.acquire({
      // After two spacings, the variance of the slowest mode is within e⁻⁶ of its equilibrium.
      burnInTicks: samples === 0 ? 2 * ticksPerSample : ticksPerSample,
      sampleCount: Math.min(samplesPerRun, SAMPLES_PER_LOOK - (samples % SAMPLES_PER_LOOK)),
      ticksPerSample,
      continues: samples > 0,
    });
    if (run.overloaded) return { overload: run.report };
    readings.set(run.codes, samples * codes.cells);
    samples += run.codes.length / codes.cells;
    if (samples % SAMPLES_PER_LOOK !== 0) {
      onReadings(samples);
      continue;
    }
    const estimate = session.charge('readoutMs', () =>
      estimateMean(readings.subarray(0, samples * codes.cells), codes.cells),
    );
    const error = plan.model.readOutSpread(estimate.standardError, solutionScale);
    const enough = isEnough(error);
    onReadings(samples);
    if ((enough && samples >= plan.samplesMin) || samples === SAMPLES_MAX) return { answer: estimate };
  }
}

export interface Committed {
  /** The part of the residual r − A d that rounding to codes explains, for an answer d. */
  readonly rounding: (x: Float64Array) => Float64Array;
  /** κ of the board in V_fs², from the effective noise codes of its cells. */
  readonly noiseTemperature: number;
}

/** Programs A d = `drive` at s_x, with the start `initial` (default 0) and noise κ in the problem's units. */
export async function commitProgram(
  plan: EquilibriumPlan,
  session: BoardSession,
  drive: Float64Array,
  solutionScale: number,
  initial: Float64Array | undefined,
  noiseTemperature: number,
): Promise<Committed> {
  const { identity } = plan;
  const driveCodes = plan.model.quantizeDrive(drive, scalingAt(plan, solutionScale));
  const initialCodes =
    initial === undefined ? new Int16Array(drive.length) : quantizeInitialState(initial, solutionScale);
  const tick = tickOf(identity);
  const noise = noiseRegister(boardNoise(plan, solutionScale, noiseTemperature), tick, identity);
  const report = await session.program(programImage(plan.codes, driveCodes, initialCodes, noise));
  return {
    rounding: (x) => roundingResidual(plan, drive, driveCodes, solutionScale, x),
    noiseTemperature: effectiveNoiseTemperature(report, noise.shift, tick),
  };
}

/** −[(A − A_q) d + (b_q − r)]: the part of the residual r − A d that rounding to codes explains. */
function roundingResidual(
  plan: EquilibriumPlan,
  drive: Float64Array,
  driveCodes: Int16Array,
  solutionScale: number,
  x: Float64Array,
): Float64Array {
  const asked = subtract(drive, applySystem(plan.system, x));
  const driven = plan.model.programmedDrive(driveCodes, scalingAt(plan, solutionScale));
  return subtract(asked, subtract(driven, applySystem(plan.programmed, x)));
}

/** ‖rounding‖₂/λ₋: bound on the change of a reading by rounding to codes, in units of x. */
export function roundingErrorBound(plan: EquilibriumPlan, reading: Reading): number {
  return norm2(reading.rounding) / plan.spectrum.eigenvalueMin;
}
