import type { Comparison, RunComparison, StatisticName } from './compare-runs.js';

/** A comparison that chance does not explain. */
export interface Deviation extends Comparison {
  /** Which of the runs that were given. */
  readonly run: number;
  /** The comparison would be an alarm below this probability. */
  readonly limit: number;
}

/** What the comparisons of a whole file say. */
export interface Verdict {
  /** The false-alarm rate for the whole file. */
  readonly rate: number;
  /** How many comparisons of each statistic were made, over all runs. */
  readonly tests: Readonly<Record<StatisticName, number>>;
  /** Below this probability a comparison is a deviation. */
  readonly limits: Readonly<Record<StatisticName, number>>;
  /** The most improbable one first. */
  readonly deviations: readonly Deviation[];
}

/**
 * Noise shows its faults least clearly, so it has half of the rate: variances alone, or innovations with a
 * part of it left for variances. Those that are made add up to 1.
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
 * raises an alarm at most with probability `rate`. Every statistic that was compared gets its share of the
 * rate, split evenly among its tests (Bonferroni). So the many pairs do not blunt the few means.
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

/** How many standard errors apart. */
function errorsOf({ recorded, found, error }: Comparison): number {
  return Math.abs(found - recorded) / error;
}
