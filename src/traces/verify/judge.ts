import type { Comparison, RunComparison, StatisticName } from './compare-runs.js';

/** A comparison whose difference chance does not explain. */
export interface Deviation extends Comparison {
  /** Index in the list of runs that `judge` was given. */
  readonly run: number;
  /** The comparison is an alarm if its probability is below this limit. */
  readonly limit: number;
}

/** The result of all comparisons of a file. */
export interface Verdict {
  /** The false-alarm rate for the whole file. */
  readonly rate: number;
  /** Number of comparisons of each statistic, over all runs. */
  readonly tests: Readonly<Record<StatisticName, number>>;
  /** Below this probability a comparison is a deviation. */
  readonly limits: Readonly<Record<StatisticName, number>>;
  /** All deviations, the most improbable one first. */
  readonly deviations: readonly Deviation[];
}

/**
 * Share of the rate for each statistic. Faults of the noise are the hardest to detect, so they get half of
 * the rate. This half belongs to the variances, or to the innovations with a small part for the variances.
 * The shares of the statistics in use are scaled to the sum 1.
 */
const SHARES: Readonly<Record<StatisticName, number>> = {
  mean: 1 / 8,
  variance: 1 / 2,
  innovation: 3 / 8,
  covariance: 1 / 4,
  autocorrelation: 1 / 8,
  reading: 1 / 4,
};
const VARIANCE_BESIDE_INNOVATION = SHARES.variance - SHARES.innovation;
const STATISTICS = Object.keys(SHARES) as StatisticName[];
const NONE: Readonly<Record<StatisticName, number>> = {
  mean: 0,
  variance: 0,
  innovation: 0,
  covariance: 0,
  autocorrelation: 0,
  reading: 0,
};

/**
 * Finds the comparisons that deviate, at a false-alarm rate for all runs together: a file of the same board
 * raises an alarm at most with probability `rate`. Every compared statistic gets its share of the rate, which
 * is divided equally among its tests (Bonferroni). The many pairs therefore do not make the test of the few
 * means less sensitive.
 */
export function judge(runs: readonly RunComparison[], rate: number): Verdict {
  const tests = { ...NONE };
  for (const { comparisons, readings = 0 } of runs) {
    tests.reading += readings;
    for (const { statistic } of comparisons) if (statistic !== 'reading') tests[statistic]++;
  }
  const shares = tests.innovation > 0 ? { ...SHARES, variance: VARIANCE_BESIDE_INNOVATION } : SHARES;
  const made = STATISTICS.filter((statistic) => tests[statistic] > 0);
  const whole = made.reduce((sum, statistic) => sum + shares[statistic], 0);
  const limits = { ...NONE };
  for (const statistic of made) limits[statistic] = ((shares[statistic] / whole) * rate) / tests[statistic];
  const deviations = runs
    .flatMap(({ comparisons }, run) =>
      comparisons
        .filter(({ statistic, probability }) => probability < limits[statistic])
        .map((comparison) => ({ ...comparison, run, limit: limits[comparison.statistic] })),
    )
    .sort((a, b) => a.probability - b.probability || errorsOf(b) - errorsOf(a));
  return { rate, tests, limits, deviations };
}

/** Difference in standard errors. */
function errorsOf({ recorded, found, error }: Comparison): number {
  return Math.abs(found - recorded) / error;
}
