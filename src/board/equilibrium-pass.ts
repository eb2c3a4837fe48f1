import type { RunReport } from '../driver/device-api.js';
import { applySystem } from '../linalg/linear-system.js';
import { norm2, normInf, subtract } from '../linalg/products.js';
import { adcStep, tickOf } from './board-range.js';
import type { BoardRuns } from './board-runs.js';
import { carryNoiseShare, type EquilibriumPlan, scalingAt } from './equilibrium-plan.js';
import { type Estimate, estimateMean } from './estimate.js';
import { effectiveNoiseTemperature, noiseRegister } from './noise-register.js';
import { overloadError } from './overload-error.js';
import { programImage, quantizeInitialState } from './quantize.js';
import { driveLimitedScale, powerOfTwoAbove } from './scaling.js';

/** A d = r as the board answers it once. */
export interface Reading {
  /** d. */
  readonly x: Float64Array<ArrayBuffer>;
  /** s_x it was read at; a power of two. */
  readonly solutionScale: number;
  /** max |v| in V_fs. */
  readonly peak: number;
  /** r − A d as far as the codes explain it: −[(A − A_q) d + (b_q − r)]. */
  readonly rounding: Float64Array;
  /** The same before what the board gets wrong was measured and taken for explained; absent where it was not. */
  readonly asRead?: Reading;
}

/** The same, averaged over noise. */
export interface Average extends Reading {
  readonly standardError: Float64Array<ArrayBuffer>;
  readonly samples: number;
  readonly effectiveSamples: number;
  /** κ of the problem: a reading's covariance is κA⁻¹ in units of x². */
  readonly noiseTemperature: number;
  readonly carryNoiseShare: number;
}

/** Runs at scales that are too fine for the noise, each twice the one before. */
const RANGING_RUNS_MAX = 16;
/** Standard deviations of the noise that fit below the rail; among 10⁸ independent looks one passes 5.7. */
const NOISE_HEADROOM = 6;
/** Samples between two looks at the standard error. */
const SAMPLES_PER_LOOK = 16;
const SAMPLES_MAX = 512;
/** A look is taken in runs of about so many ticks: in an emulator, the seconds after which progress is due. */
const RUN_TICKS = 2 ** 18;

export interface Looks {
  /** Whether the standard error is small enough; asked after every 16 readings. */
  readonly isEnough: (standardError: Float64Array) => boolean;
  /** Called after each run with the readings so far. */
  readonly onReadings: (samples: number) => void;
}

/**
 * Averages the equilibrium under noise, κ = `noiseTemperature` in the problem's units, starting from a reading that is
 * already there. Stops when there are enough samples for a standard error and `isEnough` of it, or too many.
 */
export async function average(
  plan: EquilibriumPlan,
  board: BoardRuns,
  drive: Float64Array,
  start: Reading,
  noiseTemperature: number,
  looks: Looks,
): Promise<Average> {
  let solutionScale = averagingScale(plan, start, noiseTemperature);
  let overload: RunReport | undefined;
  for (let run = 0; run < RANGING_RUNS_MAX; run++) {
    const committed = await commitProgram(plan, board, drive, solutionScale, start.x, noiseTemperature);
    const estimate = await averageOnce(plan, board, solutionScale, looks);
    if ('outcome' in estimate) {
      overload = estimate;
      solutionScale *= 2;
      continue;
    }
    const x = plan.model.readOut(estimate.mean, solutionScale);
    return {
      x,
      solutionScale,
      peak: normInf(x) / solutionScale,
      rounding: committed.rounding(x),
      standardError: plan.model.readOutSpread(estimate.standardError, solutionScale),
      samples: estimate.samples,
      effectiveSamples: estimate.effectiveSamples,
      noiseTemperature: committed.noiseTemperature * solutionScale ** 2 * plan.systemScale,
      carryNoiseShare: carryNoiseShare(plan, committed.noiseTemperature),
    };
  }
  throw overloadError(
    'The board runs into its rails whenever its noise is on.',
    'Its noise seems far larger than its register says; characterize the board.',
    overload,
    plan.identity,
    { solutionScale, noiseTemperature },
  );
}

/** s_x that holds the mean and six standard deviations of the noisiest cell, √(κ/λ₋) at most. */
function averagingScale(plan: EquilibriumPlan, start: Reading, noiseTemperature: number): number {
  const mean = start.peak * start.solutionScale;
  return Math.max(
    start.solutionScale,
    powerOfTwoAbove(mean / plan.rail + noiseLimitedScale(plan, noiseTemperature)),
  );
}

/** Smallest s_x at which the board can carry noise of temperature κ: within its rails and its noise register. */
export function noiseLimitedScale(plan: EquilibriumPlan, noiseTemperature: number): number {
  return Math.max(
    (NOISE_HEADROOM / plan.rail) * Math.sqrt(noiseTemperature / plan.spectrum.eigenvalueMin),
    Math.sqrt(noiseTemperature / (plan.noiseTemperatureMax * plan.systemScale)),
  );
}

/** The samples of one run, in looks; after an overload the report of the run. */
async function averageOnce(
  plan: EquilibriumPlan,
  board: BoardRuns,
  solutionScale: number,
  { isEnough, onReadings }: Looks,
): Promise<Estimate | RunReport> {
  const { ticksPerSample, codes } = plan;
  const readings = new Int16Array(SAMPLES_MAX * codes.cells);
  const samplesPerRun = Math.max(1, Math.floor(RUN_TICKS / ticksPerSample));
  for (let samples = 0; ; ) {
    const run = await board.acquire({
      // Two spacings: the slowest mode's variance is then within e⁻⁶ of its equilibrium.
      burnInTicks: samples === 0 ? 2 * ticksPerSample : ticksPerSample,
      sampleCount: Math.min(samplesPerRun, SAMPLES_PER_LOOK - (samples % SAMPLES_PER_LOOK)),
      ticksPerSample,
      goesOn: samples > 0,
    });
    if (run.overloaded) return run.report;
    readings.set(run.codes, samples * codes.cells);
    samples += run.codes.length / codes.cells;
    if (samples % SAMPLES_PER_LOOK !== 0) {
      onReadings(samples);
      continue;
    }
    const estimate = board.charge('readoutMs', () =>
      estimateMean(readings.subarray(0, samples * codes.cells), codes.cells),
    );
    const error = plan.model.readOutSpread(estimate.standardError, solutionScale);
    const enough = isEnough(error);
    onReadings(samples);
    if ((enough && samples >= plan.samplesMin) || samples === SAMPLES_MAX) return estimate;
  }
}

export interface Committed {
  /** What part of the residual r − A d the rounding of the codes explains. */
  readonly rounding: (x: Float64Array) => Float64Array;
  /** κ of the board in V_fs², by the codes that its cells really have. */
  readonly noiseTemperature: number;
}

/** Programs A d = `drive` at s_x. */
export async function commitProgram(
  plan: EquilibriumPlan,
  board: BoardRuns,
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
  const report = await board.program(programImage(plan.codes, driveCodes, initialCodes, noise));
  return {
    rounding: (x) => roundingResidual(plan, drive, driveCodes, solutionScale, x),
    noiseTemperature: effectiveNoiseTemperature(report, noise.shift, tick),
  };
}

/** −[(A − A_q) d + (b_q − r)]: what part of the residual r − A d the rounding of the codes explains. */
export function roundingResidual(
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

/** κ in V_fs² of noise κ in the problem's units: κ_board = κ/(s_x²·s_A). */
export function boardNoise(plan: EquilibriumPlan, solutionScale: number, noiseTemperature: number): number {
  return noiseTemperature / solutionScale ** 2 / plan.systemScale;
}

/** ‖rounding‖₂/λ₋: bound on what rounding to codes changed in a reading, in units of x. */
export function roundingErrorBound(plan: EquilibriumPlan, reading: Reading): number {
  return norm2(reading.rounding) / plan.spectrum.eigenvalueMin;
}

/** A d = `drive` settled and read once at s_x; the run's report when a cell passed its rail. */
export type SettleAt = (
  drive: Float64Array,
  solutionScale: number,
) => Promise<Pick<Reading, 'x' | 'rounding'> | RunReport>;

/** Of the rail: where the largest cell should end up at most; on the way it may pass this. */
const PEAK_MAX = 0.8;
/** Of the rail: below this the reading wastes two bits or more, and a finer scale is tried. */
const PEAK_MIN = PEAK_MAX / 4;

/** One run of the board, without noise and from zero. */
export function settlingOnBoard(plan: EquilibriumPlan, board: BoardRuns): SettleAt {
  return async (drive, solutionScale) => {
    const { rounding } = await commitProgram(plan, board, drive, solutionScale, undefined, 0);
    const { codes, overloaded, report } = await board.acquire({
      burnInTicks: plan.settleTicks,
      sampleCount: 1,
      ticksPerSample: 0,
    });
    if (overloaded) return report;
    const x = plan.model.readOut(codes, solutionScale);
    return { x, rounding: rounding(x) };
  };
}

/**
 * Settles at the power of two s_x that puts the largest cell between 20 and 80 % of the rail: doubled after an overload, halved
 * as often as the measured peak allows, but not below `scaleFloor(d)`, at which finer steps would be of no use, nor below
 * what the drive range allows.
 *
 * Errors: OVERLOAD when no scale is found.
 */
export async function settle(
  plan: EquilibriumPlan,
  settleAt: SettleAt,
  drive: Float64Array,
  firstScale: number,
  scaleFloor: (x: Float64Array) => number,
): Promise<Reading> {
  const { identity } = plan;
  const step = adcStep(identity.adcBits);
  const driveFloor = plan.model.driveMargin * driveLimitedScale(drive, plan.systemScale, identity);
  const peakMax = PEAK_MAX * plan.rail;
  const peakMin = PEAK_MIN * plan.rail;
  let solutionScale = firstScale;
  let overloadFloor = 0;
  let overload: RunReport | undefined;
  for (let run = 0; run < RANGING_RUNS_MAX; run++) {
    const settled = await settleAt(drive, solutionScale);
    if ('outcome' in settled) {
      overload = settled;
      solutionScale *= 2;
      overloadFloor = solutionScale;
      continue;
    }
    const peak = normInf(settled.x) / solutionScale;
    const finer = solutionScale * 2 ** -Math.floor(Math.log2(peakMax / (peak + step)));
    const next = Math.max(finer, powerOfTwoAbove(Math.max(driveFloor, overloadFloor, scaleFloor(settled.x))));
    if (peak >= peakMin || next >= solutionScale) return { ...settled, solutionScale, peak };
    solutionScale = next;
  }
  throw overloadError(
    `No scale keeps the board within its rails (${RANGING_RUNS_MAX} tried).`,
    'The programmed couplings may not be positive definite any more: their rounding is larger than the smallest eigenvalue.',
    overload,
    identity,
    { solutionScale, eigenvalueMin: plan.spectrum.eigenvalueMin, systemScale: plan.systemScale },
  );
}
