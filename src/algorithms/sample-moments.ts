import { checkObject } from '../argument-checks.js';
import { adcStep } from '../board/board-range.js';
import { carryNoiseShare, type EquilibriumPlan } from '../board/equilibrium-plan.js';
import { cellList } from '../board/overload-error.js';
import { type Attempt, ranged } from '../board/ranged.js';
import { type BoardSession, inSession } from '../board/session.js';
import type { Averages, BoardDevice, DeviceIdentity } from '../driver/device-api.js';
import { ThermolinkError } from '../errors.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { isZero } from '../linalg/products.js';
import { counted, formatCount } from '../number-text.js';
import {
  BURN_IN_SPACINGS,
  CORRELATION_MAX,
  checkPrecision,
  type DrivenDraws,
  planSampling,
  programAt,
  rangeOf,
  type SamplingPlan,
  type SamplingRequest,
  type SamplingResult,
  spacedPlan,
} from './sample.js';

/**
 * A request for draws that the board adds up. Calibrated readings cannot be added up by the board: see
 * `sampleMoments`.
 */
export interface MomentsRequest extends Omit<SamplingRequest, 'calibration' | 'onProgress'> {
  /** Whether the covariance of all pairs of cells is wanted. Default: true if the board can add it up. */
  readonly covariance?: boolean;
}

/** Moments of the draws, in units of the problem. */
export interface MomentsResult
  extends Pick<SamplingResult, 'correlationMax' | 'carryNoiseShare' | 'isCovarianceKnown' | 'cost'> {
  /** How many draws: the number asked for, rounded up to a multiple of `batches`. */
  readonly count: number;
  /** Number of batches from which the standard errors are computed. */
  readonly batches: number;
  /** Mean of the draws, length N. */
  readonly mean: Float64Array;
  /** Standard error of each mean by batch means, length N. Its own relative error is 1/√(2·batches − 2). */
  readonly standardError: Float64Array;
  /** Independent draws that would give this error, length N: variance/standardError². */
  readonly effectiveSampleSize: Float64Array;
  /** Variance of the draws, length N. */
  readonly variance: Float64Array;
  /** Covariance of the draws, N × N; undefined if only means were added up. */
  readonly covariance: Matrix | undefined;
}

const BATCHES = 32;
const BATCH_DRAWS_MAX = 65535;
/** Least number of draws of a request: two in each batch. */
const COUNT_MIN = 2 * BATCHES;

/**
 * Draws from N(0, P⁻¹) as `drawSamples` does, and lets the board add the readings up. The host gets mean,
 * standard errors and covariance, but no draws. Over a serial line, means take 128 + 8 bytes a cell, and a
 * covariance takes 4·(N + 1) bytes a cell. This does not depend on the count. Draws take 2·count bytes a
 * cell.
 *
 * Sums are exact integers of ADC codes. Standard errors come from batch means (Flegal and Jones, arXiv
 * 0811.1729). A calibration corrects single readings, so it cannot be used here.
 *
 * Errors: those of `drawSamples`; BAD_ARGUMENT for fewer than 64 draws or more than 2,097,120; UNSUPPORTED
 * for a board without averages, or for a covariance of more cells than it adds up.
 */
export function sampleMoments(device: BoardDevice, request: MomentsRequest): Promise<MomentsResult> {
  return inSession(
    device,
    request,
    () => {
      checkObject(
        'The request',
        request,
        '{ precision, count: 4000, address: { seed: 1, step: 0, block: 0 } }',
      );
      const system = checkPrecision({ ...request, count: 1 }, device);
      return { system, wanted: checkMoments(request, system.dimension, device.identity) };
    },
    (session, { system: { evened }, wanted }) => {
      const plan = session.charge('mapMs', () => planSampling(session.identity, evened, undefined));
      return averagePlanned(session, plan, evened.weights, wanted);
    },
  );
}

/** The moments to ask of the board. */
interface WantedMoments {
  /** A multiple of the batches. */
  readonly count: number;
  readonly secondMoments: boolean;
  /** Default: no drive. */
  readonly driven?: DrivenDraws | undefined;
}

/** Moments by an existing plan, as `drawPlanned` draws. Errors: those of `drawPlanned`. */
export async function averagePlanned(
  session: BoardSession,
  equilibrium: EquilibriumPlan,
  weights: Float64Array,
  wanted: WantedMoments,
): Promise<MomentsResult> {
  const plan = spacedPlan(equilibrium, weights, wanted);
  const { moments, noiseTemperature } = await ranged(rangeOf(plan), (scale) =>
    averageAt(plan, session, scale, wanted),
  );
  return {
    ...moments,
    correlationMax: CORRELATION_MAX,
    carryNoiseShare: carryNoiseShare(plan, noiseTemperature),
    isCovarianceKnown: session.identity.hasKnownCovariance,
    cost: session.cost,
  };
}

/**
 * Chooses the moments to ask of the board. Errors: BAD_ARGUMENT for a number of draws that the board cannot
 * add up; UNSUPPORTED for a board without averages, or for a covariance of more cells than it adds up.
 */
export function checkMoments(
  { count, covariance }: Pick<MomentsRequest, 'count' | 'covariance'>,
  cells: number,
  identity: DeviceIdentity,
): WantedMoments {
  const most = BATCHES * BATCH_DRAWS_MAX;
  if (!Number.isInteger(count) || count < COUNT_MIN || count > most)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `The number of draws is ${count}; the board adds up ${COUNT_MIN} to ${formatCount(most)}.`,
      { hint: 'For few draws, ask for the draws themselves.', data: { argument: 'count', count } },
    );
  if (!identity.hasAverages)
    throw new ThermolinkError('UNSUPPORTED', 'This board does not add up its samples.', {
      hint: 'Ask for the draws themselves.',
    });
  const fits = cells <= identity.momentCellsMax;
  if (covariance === true && !fits)
    throw new ThermolinkError(
      'UNSUPPORTED',
      `This board adds up second moments of at most ${counted(identity.momentCellsMax, 'cell')}; the system has ${formatCount(cells)}.`,
      { hint: 'Ask for means only, or for the draws themselves.' },
    );
  return { count: BATCHES * Math.ceil(count / BATCHES), secondMoments: covariance ?? fits };
}

type Moments = Omit<MomentsResult, 'correlationMax' | 'carryNoiseShare' | 'isCovarianceKnown' | 'cost'>;

/** Reads averages at one scale. */
async function averageAt(
  plan: SamplingPlan,
  session: BoardSession,
  scale: number,
  { count, secondMoments }: WantedMoments,
): Promise<Attempt<{ moments: Moments; noiseTemperature: number }>> {
  const noiseTemperature = await programAt(plan, session, scale);
  const averages = await session.average({
    burnInTicks: BURN_IN_SPACINGS * plan.spacingTicks,
    sampleCount: count,
    ticksPerSample: plan.spacingTicks,
    batches: BATCHES,
    secondMoments,
  });
  if (averages.report.outcome === 'overload') return { overload: averages.report };
  const applied = noiseTemperature * scale ** 2 * plan.systemScale;
  // A draw is W·κ^−½ times a reading. A reading is its code times this factor.
  const step = (adcStep(plan.identity.adcBits) * scale) / Math.sqrt(applied);
  const units = plan.weights.map((weight) => weight * step);
  const moments = session.charge('readoutMs', () => momentsOf(averages, units, secondMoments));
  // Only deviations from the mean are divided by √κ, as in draws; this restores the mean.
  const shift = 1 - 1 / Math.sqrt(applied);
  const mean = moments.mean.map((value, i) => value + shift * plan.mean[i] * plan.weights[i]);
  return { answer: { moments: isZero(plan.mean) ? moments : { ...moments, mean }, noiseTemperature } };
}

/** Moments of draws whose codes the board has added up; `units` turns codes into draws. */
function momentsOf(
  { samples: n, batchSums, products }: Averages,
  units: Float64Array,
  ofPairs: boolean,
): Moments {
  const cells = units.length;
  const length = n / BATCHES;
  const codeMean = new Float64Array(cells);
  for (let at = 0; at < batchSums.length; at++) codeMean[at % cells] += batchSums[at] / n;
  /** The index at which the products of row i begin. */
  const rowAt = (i: number) => (ofPairs ? i * cells - (i * (i - 1)) / 2 : i);
  const ofCodes = (i: number, j: number) =>
    (products[rowAt(i) + j - i] - n * codeMean[i] * codeMean[j]) / (n - 1);
  // If one of n codes differs by 1, the variance is 1/n.
  refuseStill(codeMean.map((_, i) => (ofCodes(i, i) < 1 / (2 * n) ? 0 : 1)));
  const covarianceOf = (i: number, j: number) => ofCodes(i, j) * units[i] * units[j];
  const variance = codeMean.map((_, i) => covarianceOf(i, i));
  const ofMeans = new Float64Array(cells);
  for (let at = 0; at < batchSums.length; at++)
    ofMeans[at % cells] += (batchSums[at] / length - codeMean[at % cells]) ** 2 / (BATCHES - 1);
  const standardError = ofMeans.map((x, i) => Math.sqrt(x / BATCHES) * units[i]);
  return {
    count: n,
    batches: BATCHES,
    mean: codeMean.map((x, i) => x * units[i]),
    standardError,
    effectiveSampleSize: standardError.map((error, i) => variance[i] / error ** 2),
    variance,
    covariance: ofPairs ? symmetric(cells, covarianceOf) : undefined,
  };
}

function symmetric(n: number, entry: (i: number, j: number) => number): Matrix {
  const out = matrix(n, n);
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) out.data[i * n + j] = out.data[j * n + i] = entry(i, j);
  return out;
}

/** Throws DEVICE_FAULT if an entry of `moves` is 0, because the readings of this cell never changed. */
function refuseStill(moves: Float64Array): void {
  const still = [...moves.keys()].filter((cell) => moves[cell] === 0);
  if (still.length === 0) return;
  throw new ThermolinkError('DEVICE_FAULT', `The readings of ${cellList(still)} did not change.`, {
    hint: 'The cell is dead or its ADC channel is stuck: use another board, or a smaller problem that leaves it out.',
    data: { cells: still },
  });
}
