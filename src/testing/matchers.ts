import { expect } from 'vitest';
import { formatExact, formatNumber } from '../number-text.js';
import { covarianceDeviations, meanDeviations, type SampleDeviation } from './gaussian-check.js';

/** Options of a matcher of samples. */
export interface RateOptions {
  /**
   * False-alarm rate: the probability that samples of the expected distribution fail the matcher; a fraction
   * above 0 and below 1.
   */
  readonly rate: number;
}

/** Mean [cells] and covariance [cells × cells], row-major, in the unit of the samples. */
export interface GaussianDistribution {
  readonly mean: ArrayLike<number>;
  readonly covariance: ArrayLike<number>;
}

/** The matchers of `expect(samples)`. */
export interface SampleMatchers<R> {
  /**
   * Whether samples [samples × cells], row-major, have this mean [cells], at a false-alarm rate. The samples
   * may be correlated in time. With too few samples the matcher fails. Errors: BAD_ARGUMENT.
   */
  toHaveSampleMean(expected: ArrayLike<number>, options: RateOptions): R;
  /** Whether samples have this covariance [cells × cells], row-major. Errors: BAD_ARGUMENT. */
  toHaveSampleCovariance(expected: ArrayLike<number>, options: RateOptions): R;
  /** Whether samples have this mean and covariance. Each test gets half of the rate. Errors: BAD_ARGUMENT. */
  toBeSamplesOf(expected: GaussianDistribution, options: RateOptions): R;
}

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: the parameter must be declared as vitest declares it
  interface Matchers<T = any> extends SampleMatchers<T> {}
}

type Found = SampleDeviation[] | undefined;

const SHOWN_MAX = 5;

function verdict(found: Found, rate: number) {
  return {
    pass: found?.length === 0,
    message: () => {
      if (!found)
        return 'There are too few samples for their correlation in time, so they cannot be compared. Take more samples, or wait longer between them.';
      if (found.length === 0)
        return `The samples agree with the expected distribution at a false-alarm rate of ${formatExact(rate)}.`;
      const lines = [...found]
        .sort((a, b) => a.probability - b.probability)
        .slice(0, SHOWN_MAX)
        .map(line);
      const more = found.length > SHOWN_MAX ? `\n  and ${found.length - SHOWN_MAX} more` : '';
      return `The samples do not have the expected distribution, at a false-alarm rate of ${formatExact(rate)}:\n${lines.join('\n')}${more}`;
    },
  };
}

function line({ statistic, cell, other, expected, found, probability }: SampleDeviation): string {
  const where = other === undefined ? `cell ${cell}` : `cells ${cell}, ${other}`;
  return `  ${statistic} of ${where}: expected ${formatNumber(expected, 6)}, found ${formatNumber(found, 6)} (chance ${formatNumber(probability, 2)})`;
}

function both(a: Found, b: Found): Found {
  return a && b && [...a, ...b];
}

expect.extend({
  toHaveSampleMean(samples: ArrayLike<number>, expected: ArrayLike<number>, { rate }: RateOptions) {
    return verdict(meanDeviations(samples, expected, rate), rate);
  },
  toHaveSampleCovariance(samples: ArrayLike<number>, expected: ArrayLike<number>, { rate }: RateOptions) {
    return verdict(covarianceDeviations(samples, expected, rate), rate);
  },
  toBeSamplesOf(
    samples: ArrayLike<number>,
    { mean, covariance }: GaussianDistribution,
    { rate }: RateOptions,
  ) {
    const found = both(
      meanDeviations(samples, mean, rate / 2),
      covarianceDeviations(samples, covariance, rate / 2),
    );
    return verdict(found, rate);
  },
});
