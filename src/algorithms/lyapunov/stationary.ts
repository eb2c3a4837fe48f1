import { adcStep, tickOf } from '../../board/board-range.js';
import { effectiveNoiseTemperature, noiseRegister, noiseTemperatureOf } from '../../board/noise-register.js';
import { overloadError } from '../../board/overload-error.js';
import { programImage } from '../../board/quantize.js';
import { type Attempt, ranged } from '../../board/ranged.js';
import { powerOfTwoAbove } from '../../board/scaling.js';
import type { BoardSession } from '../../board/session.js';
import type { RunReport } from '../../driver/device-api.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import type { DriftPlan } from './drift.js';

/** Number of batches of the readings. The scatter of the batches gives the standard errors. */
export const BATCHES = 32;
/** Largest number of readings of one board run. It bounds the codes that are held in memory. */
const READINGS_PER_RUN = 256;
/** Number of standard deviations that fit below the rail. */
const HEADROOM = 6;
const ATTEMPTS_MAX = 8;

/** Spacing and number of the readings of a plan. */
export interface StationaryRun {
  readonly spacingTicks: number;
  readonly burnInTicks: number;
  /** A multiple of `BATCHES`. */
  readonly readings: number;
  /** A first guess of the largest variance of T⁻¹x. */
  readonly variance: number;
  /**
   * Whether the noise of the cells comes from a calibration. Otherwise the board reports it in its answer to
   * the commit.
   */
  readonly isNoiseMeasured: boolean;
  readonly onReadings: (done: number) => void;
}

/** The covariance of T⁻¹x, N×N, batch by batch. */
export interface Stationary {
  readonly covariances: readonly Matrix[];
  readonly isCovarianceKnown: boolean;
}

/**
 * Runs a plan until it is stationary, and reads the board. Errors: OVERLOAD; ABORTED; those of the device.
 */
export async function readStationary(
  session: BoardSession,
  plan: DriftPlan,
  run: StationaryRun,
): Promise<Stationary> {
  const firstScale = powerOfTwoAbove(
    Math.max(plan.solutionScaleMin, (HEADROOM / plan.rail) * Math.sqrt(run.variance)),
  );
  const giveUp = (solutionScale: number, overload: RunReport | undefined) =>
    overloadError(
      'The board runs into its rails at every scale that was tried.',
      'Perhaps A is almost unstable, or the noise of the board is far larger than its register says.',
      overload,
      session.identity,
      { solutionScale },
    );
  const covariances = await ranged<readonly Matrix[]>(
    { firstScale, attemptsMax: ATTEMPTS_MAX, giveUp },
    (scale) => readAt(session, plan, run, scale),
  );
  return {
    covariances,
    isCovarianceKnown: run.isNoiseMeasured || session.identity.hasKnownCovariance,
  };
}

async function readAt(
  session: BoardSession,
  plan: DriftPlan,
  { spacingTicks, burnInTicks, readings, isNoiseMeasured, onReadings }: StationaryRun,
  scale: number,
): Promise<Attempt<readonly Matrix[]>> {
  const { identity, model } = session;
  const n = plan.toProblem.rows;
  const tick = tickOf(identity);
  const wanted = 0.5 / (plan.systemScale * scale ** 2);
  const register = noiseRegister(wanted, tick, identity);
  const none = new Int16Array(n);
  const report = await session.program(
    programImage(plan.codes, driveOf(session, plan, scale), none, register),
  );
  const applied = isNoiseMeasured
    ? noiseTemperatureOf(register, tick)
    : effectiveNoiseTemperature(report, register.shift, tick);
  const unit = scale * Math.sqrt(wanted / applied);
  const moments = new Moments(n, readings / BATCHES);
  for (let done = 0; done < readings; ) {
    const {
      codes,
      overloaded,
      report: ended,
    } = await session.acquire({
      burnInTicks: done === 0 ? burnInTicks : spacingTicks,
      sampleCount: Math.min(READINGS_PER_RUN, readings - done),
      ticksPerSample: spacingTicks,
      continues: done > 0,
    });
    if (overloaded) return { overload: ended };
    session.charge('readoutMs', () => {
      for (let at = 0; at < codes.length; at += n, done++)
        moments.add(model.readOut(codes.subarray(at, at + n), unit));
    });
    onReadings(done);
  }
  return { answer: moments.covariances((unit * adcStep(identity.adcBits)) ** 2 / 12) };
}

/** The codes that leave the cells undriven. */
function driveOf(
  { model, identity }: BoardSession,
  { systemScale, codes }: DriftPlan,
  solutionScale: number,
) {
  const { couplingBits } = identity;
  return model.quantizeDrive(new Float64Array(codes.cells), {
    ...{ systemScale, solutionScale, couplingBits },
    rowAttenuation: 0,
  });
}

/** Sums of z zᵀ for each batch, and the sum of z. */
class Moments {
  readonly #n: number;
  readonly #batchReadings: number;
  readonly #sum: Float64Array<ArrayBuffer>;
  readonly #squares: Float64Array<ArrayBuffer>[] = [];
  #count = 0;

  constructor(n: number, batchReadings: number) {
    this.#n = n;
    this.#batchReadings = batchReadings;
    this.#sum = new Float64Array(n);
  }

  add(z: Float64Array): void {
    const n = this.#n;
    if (this.#count % this.#batchReadings === 0) this.#squares.push(new Float64Array(n * n));
    const squares = this.#squares[this.#squares.length - 1];
    this.#count++;
    for (let i = 0; i < n; i++) {
      this.#sum[i] += z[i];
      for (let j = 0; j <= i; j++) squares[i * n + j] += z[i] * z[j];
    }
  }

  /** Covariances about the mean of all readings, minus the variance that rounding in the ADC adds. */
  covariances(rounding: number): readonly Matrix[] {
    const n = this.#n;
    const mean = this.#sum.map((value) => value / this.#count);
    return this.#squares.map((squares) => {
      const covariance = matrix(n, n);
      for (let i = 0; i < n; i++)
        for (let j = 0; j <= i; j++) {
          const value =
            squares[i * n + j] / this.#batchReadings - mean[i] * mean[j] - (i === j ? rounding : 0);
          covariance.data[i * n + j] = value;
          covariance.data[j * n + i] = value;
        }
      return covariance;
    });
  }
}
