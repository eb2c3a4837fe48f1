import { badArgument, checkObject } from '../../argument-checks.js';
import type { BoardCalibration } from '../../board/calibration.js';
import { addCost, type SolverCost, ZERO_COST } from '../../board/cost.js';
import type { RunAddress } from '../../board/run-seed.js';
import type { BoardDevice } from '../../driver/device-api.js';
import type { Matrix } from '../../linalg/matrix.js';
import { isZero, norm2 } from '../../linalg/products.js';
import { prepare } from '../prepare.js';
import type { SamplingResult } from '../sample.js';
import type { GaussianPosterior } from './gaussian.js';

/** One chain on one board. */
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
  /** What was measured of the board. Default: nothing. */
  readonly calibration?: BoardCalibration;
  readonly signal?: AbortSignal;
  /** Called with the number of draws so far. */
  readonly onProgress?: (done: number) => void;
}

/** Draws of one chain, how good they are, and what they cost. */
export interface PosteriorChain
  extends Pick<SamplingResult, 'correlationMax' | 'carryNoiseShare' | 'isCovarianceKnown'> {
  /** draws × N, a draw a row. */
  readonly draws: Matrix;
  /** The mean that the board settled to and the host refined, length N. */
  readonly mean: Float64Array<ArrayBuffer>;
  /** Bound on |mean_i − exact_i| in units of the posterior's standard deviation, for every i. */
  readonly meanErrorBound: number;
  readonly cost: SolverCost;
}

/** The bound on the error of the mean that is asked for, in units of the posterior's standard deviation. */
const MEAN_ERROR = 0.01;
/** What `settle` takes as tolerances, and what float64 residuals can tell. */
const TOLERANCE_MIN = 1e-13;
const TOLERANCE_MAX = 0.5;

/**
 * Draws of N(A⁻¹b, A⁻¹) from one board that holds A. It settles to the mean without noise, which the host
 * refines to 0.01 posterior standard deviations; then the undriven board gives deviations from it. With
 * `mean: 'board'` the driven board's readings are the draws.
 *
 * With the residual r of the mean, |mean_i − exact_i| ≤ sd_i √(rᵀA⁻¹r) ≤ sd_i ‖r‖₂/√λ_min, so the bound
 * needs nothing but the residual. The covariance is A⁻¹ as far as the board holds A, as in `drawSamples`.
 *
 * Errors: those of `prepare`, and of `settle` and `sample` of a prepared system.
 */
export async function drawPosterior(
  device: BoardDevice,
  request: PosteriorChainRequest,
): Promise<PosteriorChain> {
  checkObject('The request', request, '{ posterior, draws: 1000, address: { seed: 1, step: 0, block: 0 } }');
  const { posterior, draws, address, calibration, signal, onProgress, mean = 'refined' } = request;
  if (mean !== 'refined' && mean !== 'board') throw badArgument('mean', mean, "'refined' or 'board'");
  checkObject('posterior', posterior, 'regressionPosterior({ … })');
  const { precision, drive } = posterior;
  const prepared = prepare(device, { system: precision, calibration });
  const { eigenvalueMin } = precision.spectrum;
  const sampling = { count: draws, address, signal, onProgress };
  if (isZero(drive)) {
    const drawn = await prepared.sample(sampling);
    return chainOf(drawn, new Float64Array(drive.length), 0);
  }
  const norm = norm2(drive);
  const wanted = (MEAN_ERROR * Math.sqrt(eigenvalueMin)) / norm;
  const settled = await prepared.settle({
    drive,
    tolerance: Math.min(TOLERANCE_MAX, Math.max(TOLERANCE_MIN, wanted)),
    address,
    signal,
  });
  const isDriven = mean === 'board';
  const drawn = await prepared.sample({
    ...sampling,
    ...(isDriven && { driven: { drive, mean: settled.x } }),
    address: { ...address, block: address.block + 1 },
  });
  if (!isDriven) addMean(drawn.draws, settled.x);
  const bound = (settled.relativeResidual * norm) / Math.sqrt(eigenvalueMin);
  return chainOf(drawn, settled.x, bound, settled.cost);
}

function addMean({ data }: Matrix, mean: Float64Array): void {
  for (let k = 0; k < data.length; k++) data[k] += mean[k % mean.length];
}

function chainOf(
  { draws, correlationMax, carryNoiseShare, isCovarianceKnown, cost }: SamplingResult,
  mean: Float64Array<ArrayBuffer>,
  meanErrorBound: number,
  settled: SolverCost = ZERO_COST,
): PosteriorChain {
  return {
    draws,
    mean,
    meanErrorBound,
    correlationMax,
    carryNoiseShare,
    isCovarianceKnown,
    cost: addCost(settled, cost),
  };
}
