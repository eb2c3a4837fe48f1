import { badArgument, checkObject } from '../../argument-checks.js';
import type { BoardCalibration } from '../../board/calibration.js';
import { addCost, type SolverCost, ZERO_COST } from '../../board/cost.js';
import type { RunAddress } from '../../board/run-seed.js';
import type { BoardDevice } from '../../driver/device-api.js';
import type { Matrix } from '../../linalg/matrix.js';
import { isZero, norm2, sum } from '../../linalg/products.js';
import { prepare } from '../prepare.js';
import type { PreparedMomentsRequest, PreparedSystem } from '../prepared-system.js';
import type { SamplingResult } from '../sample.js';
import { checkMoments, type MomentsResult } from '../sample-moments.js';
import type { GaussianPosterior } from './gaussian.js';

/** A request for one chain on one board. */
export interface PosteriorChainRequest {
  readonly posterior: GaussianPosterior;
  /** How many draws, at least 1. */
  readonly draws: number;
  readonly address: RunAddress;
  /**
   * `refined`: draws lie around the mean that the host refined. `board`: draws are readings of the driven
   * board, with the errors of its mean, so that R-hat over several boards shows them. Default `refined`.
   */
  readonly mean?: 'refined' | 'board';
  /** The calibration of the board. Default: none. */
  readonly calibration?: BoardCalibration;
  readonly signal?: AbortSignal;
  /** Called with the number of draws so far. */
  readonly onProgress?: (done: number) => void;
}

/** Draws of one chain, bounds on their errors, and their cost. */
export interface PosteriorChain
  extends Pick<SamplingResult, 'correlationMax' | 'carryNoiseShare' | 'isCovarianceKnown'> {
  /** draws × N; each row is a draw. */
  readonly draws: Matrix;
  /** The mean, settled by the board and refined by the host, length N. */
  readonly mean: Float64Array<ArrayBuffer>;
  /** Bound on |mean_i − exact_i| in units of the posterior's standard deviation, for every i. */
  readonly meanErrorBound: number;
  readonly cost: SolverCost;
}

/** Moments of one chain, added up by the board. */
export interface PosteriorMoments extends Omit<PosteriorChain, 'draws'> {
  /** Mean, standard errors, variances and effective number of the draws. */
  readonly moments: Pick<
    MomentsResult,
    'count' | 'batches' | 'mean' | 'standardError' | 'effectiveSampleSize' | 'variance' | 'covariance'
  >;
}

/** The requested bound on the error of the mean, in units of the posterior's standard deviation. */
const MEAN_ERROR = 0.01;
/** Limits of the tolerance of `settle`. Residuals in float64 cannot prove smaller ones. */
const TOLERANCE_MIN = 1e-13;
const TOLERANCE_MAX = 0.5;

/**
 * Draws of N(A⁻¹b, A⁻¹) from one board that holds A. First the board settles to the mean without noise, and
 * the host refines the mean to 0.01 posterior standard deviations. Then the board without drive gives
 * deviations from the mean. With `mean: 'board'` the driven board's readings are the draws.
 *
 * With the residual r of the mean, |mean_i − exact_i| ≤ sd_i √(rᵀA⁻¹r) ≤ sd_i ‖r‖₂/√λ_min, so the bound needs
 * only the residual. The covariance is A⁻¹ with the errors of A on the board, as in `drawSamples`.
 *
 * Errors: those of `prepare`, and of `settle` and `sample` of a prepared system.
 */
export async function drawPosterior(
  device: BoardDevice,
  request: PosteriorChainRequest,
): Promise<PosteriorChain> {
  const prepared = preparedFor(device, request);
  const { settled, use } = await settledMean(prepared, request);
  const { draws, ...drawn } = await prepared.sample({ ...use, onProgress: request.onProgress });
  if (use.driven === undefined) addMean(draws, settled.mean);
  return { draws, ...chainOf(drawn, settled) };
}

/**
 * The moments of the draws of `drawPosterior`. The board adds its readings up, and only the sums come over
 * the line (see `sampleMoments`). Errors: those of `drawPosterior` and `sampleMoments`; UNSUPPORTED with a
 * calibration.
 */
export async function posteriorMoments(
  device: BoardDevice,
  request: Omit<PosteriorChainRequest, 'onProgress'>,
): Promise<PosteriorMoments> {
  const prepared = preparedFor(device, request);
  if (request.calibration === undefined)
    checkMoments({ count: request.draws }, prepared.dimension, device.identity);
  const { settled, use } = await settledMean(prepared, request);
  const { mean, ...found } = await prepared.moments(use);
  const { count, batches, standardError, effectiveSampleSize, variance, covariance } = found;
  const around = use.driven === undefined ? sum(mean, settled.mean) : mean;
  return {
    moments: { count, batches, mean: around, standardError, effectiveSampleSize, variance, covariance },
    ...chainOf(found, settled),
  };
}

function preparedFor(device: BoardDevice, request: PosteriorChainRequest): PreparedSystem {
  checkObject('The request', request, '{ posterior, draws: 1000, address: { seed: 1, step: 0, block: 0 } }');
  const { posterior, calibration, mean = 'refined' } = request;
  if (mean !== 'refined' && mean !== 'board') throw badArgument('mean', mean, "'refined' or 'board'");
  checkObject('posterior', posterior, 'regressionPosterior({ … })');
  return prepare(device, { system: posterior.precision, calibration });
}

type SettledMean = Pick<PosteriorChain, 'mean' | 'meanErrorBound' | 'cost'>;

/** The mean, and the request for draws around it. */
async function settledMean(
  prepared: PreparedSystem,
  { posterior, draws: count, address, signal, mean = 'refined' }: PosteriorChainRequest,
): Promise<{ readonly settled: SettledMean; readonly use: PreparedMomentsRequest }> {
  const { precision, drive } = posterior;
  if (isZero(drive)) {
    const zero = { mean: new Float64Array(drive.length), meanErrorBound: 0, cost: ZERO_COST };
    return { settled: zero, use: { count, address, signal } };
  }
  const { eigenvalueMin } = precision.spectrum;
  const norm = norm2(drive);
  const wanted = (MEAN_ERROR * Math.sqrt(eigenvalueMin)) / norm;
  const { x, relativeResidual, cost } = await prepared.settle({
    drive,
    tolerance: Math.min(TOLERANCE_MAX, Math.max(TOLERANCE_MIN, wanted)),
    address,
    signal,
  });
  return {
    settled: { mean: x, meanErrorBound: (relativeResidual * norm) / Math.sqrt(eigenvalueMin), cost },
    use: {
      count,
      address: { ...address, block: address.block + 1 },
      signal,
      ...(mean === 'board' && { driven: { drive, mean: x } }),
    },
  };
}

function addMean({ data }: Matrix, mean: Float64Array): void {
  for (let k = 0; k < data.length; k++) data[k] += mean[k % mean.length];
}

function chainOf(
  {
    correlationMax,
    carryNoiseShare,
    isCovarianceKnown,
    cost,
  }: Pick<SamplingResult, 'correlationMax' | 'carryNoiseShare' | 'isCovarianceKnown' | 'cost'>,
  { mean, meanErrorBound, cost: settled }: SettledMean,
): Omit<PosteriorChain, 'draws'> {
  return {
    mean,
    meanErrorBound,
    correlationMax,
    carryNoiseShare,
    isCovarianceKnown,
    cost: addCost(settled, cost),
  };
}
