import { badArgument } from '../argument-checks.js';
import { type Blocking, chooseBlocks } from '../traces/verify/block-length.js';
import { studentTails } from '../traces/verify/student.js';

/** A mean, variance or correlation that differs from the expected one. */
export interface SampleDeviation {
  readonly statistic: 'mean' | 'variance' | 'correlation';
  readonly cell: number;
  /** The other cell of a pair. */
  readonly other?: number;
  readonly expected: number;
  readonly found: number;
  /** Probability of a deviation at least this large for samples of the expected distribution. */
  readonly probability: number;
}

/** Samples [samples × cells], row-major, and their division into nearly independent blocks. */
interface CheckedSamples {
  readonly values: ArrayLike<number>;
  readonly cells: number;
  /** Undefined: too few samples for their correlation. */
  readonly blocks: Blocking | undefined;
}

/**
 * Finds the cells whose mean differs from the expected one [cells]. For samples of a Gaussian with that mean,
 * the probability of any finding is at most `rate`, also if they are correlated in time. The test is
 * Student's t of block means, with the rate divided by the number of cells. Returns undefined if there are
 * too few samples for their correlation.
 *
 * Errors: BAD_ARGUMENT.
 */
export function meanDeviations(
  values: ArrayLike<number>,
  expected: ArrayLike<number>,
  rate: number,
): SampleDeviation[] | undefined {
  const samples = checked(values, expected.length, rate);
  const { cells, blocks } = samples;
  if (!blocks) return undefined;
  const deviations: SampleDeviation[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const { mean, error } = blockMean(samples, blocks, (at) => values[at + cell]);
    const t = mean === expected[cell] ? 0 : (mean - expected[cell]) / error;
    const probability = studentTails(t, blocks.count - 1);
    if (probability < rate / cells)
      deviations.push({ statistic: 'mean', cell, expected: expected[cell], found: mean, probability });
  }
  return deviations;
}

/**
 * Finds variances and correlations that differ from the expected covariance [cells × cells], row-major. For
 * samples of a Gaussian with that covariance and any mean, the probability of any finding is at most `rate`,
 * also if they are correlated in time. Half of the rate is divided among the cells, and half among the pairs.
 *
 * A variance is tested by the cube root of its ratio to the expected one (Wilson and Hilferty 1931), a
 * correlation by half the logarithm of the ratio of the variances of sum and difference (Fisher's z). Both
 * are nearly Gaussian even for few samples. Their standard errors come from blocks, so each deviation divided
 * by its standard error has Student's distribution. Returns undefined if there are too few samples for their
 * correlation. Errors: BAD_ARGUMENT.
 */
export function covarianceDeviations(
  values: ArrayLike<number>,
  covariance: ArrayLike<number>,
  rate: number,
): SampleDeviation[] | undefined {
  const cells = Math.sqrt(covariance.length);
  if (!Number.isInteger(cells) || cells === 0)
    throw badArgument('covariance.length', covariance.length, 'N × N for N cells');
  const samples = checked(values, cells, rate);
  const { blocks } = samples;
  if (!blocks) return undefined;
  const centre = new Float64Array(cells);
  const used = blocks.count * blocks.length;
  for (let t = 0; t < used; t++) for (let i = 0; i < cells; i++) centre[i] += values[t * cells + i] / used;
  const spread = Float64Array.from(centre, (_, i) => expectedSpread(covariance, cells, i));
  const limit = rate / 2;
  const deviations: SampleDeviation[] = [];
  const variance = (of: (at: number) => number): Moment => variancesOf(samples, blocks, of);
  for (let cell = 0; cell < cells; cell++) {
    const moment = variance((at) => (values[at + cell] - centre[cell]) / spread[cell]);
    const probability = varianceProbability(moment, blocks);
    if (probability >= limit / cells) continue;
    const expected = covariance[cell * cells + cell];
    deviations.push({ statistic: 'variance', cell, expected, found: moment.value * expected, probability });
  }
  const pairs = (cells * (cells - 1)) / 2;
  for (let cell = 0; cell < cells; cell++)
    for (let other = cell + 1; other < cells; other++) {
      const expected = covariance[cell * cells + other] / (spread[cell] * spread[other]);
      if (!(Math.abs(expected) < 1))
        throw badArgument(`The correlation of cells ${cell} and ${other}`, expected, 'between −1 and 1');
      const x = (at: number): number => (values[at + cell] - centre[cell]) / spread[cell];
      const y = (at: number): number => (values[at + other] - centre[other]) / spread[other];
      const sum = variance((at) => x(at) + y(at));
      const difference = variance((at) => x(at) - y(at));
      const probability = correlationProbability(sum, difference, expected, blocks);
      if (probability >= limit / pairs) continue;
      const found = (sum.value - difference.value) / (sum.value + difference.value);
      deviations.push({ statistic: 'correlation', cell, other, expected, found, probability });
    }
  return deviations;
}

function expectedSpread(covariance: ArrayLike<number>, cells: number, cell: number): number {
  const variance = covariance[cell * cells + cell];
  if (!(variance > 0) || !Number.isFinite(variance))
    throw badArgument(`covariance[${cell}][${cell}]`, variance, 'a number above 0');
  return Math.sqrt(variance);
}

function checked(values: ArrayLike<number>, cells: number, rate: number): CheckedSamples {
  if (!(rate > 0 && rate < 1)) throw badArgument('rate', rate, 'a number above 0 and below 1');
  if (cells === 0 || values.length % cells !== 0 || values.length === 0)
    throw badArgument('samples.length', values.length, `a multiple of ${cells}, and above 0`);
  const series = Float64Array.from(values);
  const wrong = series.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw badArgument(`samples[${wrong}]`, series[wrong], 'a finite number');
  return { values, cells, blocks: chooseBlocks(series, series.length / cells, cells) };
}

function blockMean({ cells }: CheckedSamples, blocks: Blocking, of: (at: number) => number) {
  const { means, mean } = blockMeans(cells, blocks, of);
  return { mean, error: standardError(means, mean, blocks) };
}

function blockMeans(cells: number, { count, length }: Blocking, of: (at: number) => number) {
  const means = new Float64Array(count);
  for (let block = 0; block < count; block++) {
    for (let t = block * length; t < (block + 1) * length; t++) means[block] += of(t * cells);
    means[block] /= length;
  }
  return { means, mean: means.reduce((sum, one) => sum + one, 0) / count };
}

function standardError(means: Float64Array, mean: number, { count, inflation }: Blocking): number {
  const square = means.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (count - 1);
  return Math.sqrt((square / count) * inflation);
}

function samplesIn({ count, length }: Blocking): number {
  return count * length;
}

/** The variance of a series of mean 0, in the unit of the expected one. */
interface Moment {
  readonly value: number;
  /** Contribution of each block, relative to the value. */
  readonly shares: Float64Array;
}

function variancesOf({ cells }: CheckedSamples, blocks: Blocking, of: (at: number) => number): Moment {
  const { means, mean } = blockMeans(cells, blocks, (at) => of(at) ** 2);
  // The mean was estimated from the same samples. This reduces the variance by the variance of the mean.
  const { error } = blockMean({ cells, values: [], blocks }, blocks, of);
  return { value: mean + error * error, shares: means.map((one) => (mean === 0 ? 0 : one / mean)) };
}

function varianceProbability({ value, shares }: Moment, blocks: Blocking): number {
  // Gaussian samples have at least this error. A few blocks of few samples may show a smaller one by chance.
  const relativeError = Math.max(standardError(shares, 1, blocks), Math.sqrt(2 / samplesIn(blocks)));
  // A variance of ν degrees of freedom has the relative error √(2/ν).
  const expected = 1 - (relativeError * relativeError) / 9;
  const t = (3 * (Math.cbrt(value) - expected)) / relativeError;
  return studentTails(value === 0 ? Infinity : t, blocks.count - 1);
}

function correlationProbability(sum: Moment, difference: Moment, expected: number, blocks: Blocking): number {
  if (sum.value === 0 || difference.value === 0) return 0;
  const shares = sum.shares.map((share, block) => (share - difference.shares[block]) / 2);
  const z = Math.log(sum.value / (1 + expected) / (difference.value / (1 - expected))) / 2;
  const error = Math.max(standardError(shares, 0, blocks), Math.sqrt(1 / samplesIn(blocks)));
  return studentTails(z / error, blocks.count - 1);
}
