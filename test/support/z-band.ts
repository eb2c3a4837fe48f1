/**
 * On simulated relaxations (`estimateMean`) the mean of z² = (error/standard error)² is between these bounds.
 * It is not exactly 1, because the correction for Student's distribution is approximate.
 */
const MEAN_MIN = 0.96;
const MEAN_MAX = 1.08;
/**
 * Standard deviation of the mean z² of one solution, times √N. It is larger than for independent entries,
 * because all entries share one estimate of the correlation time. It was 2.2 to 2.6 on 300 solutions of 8
 * cells, 60 of 64 cells and 14 of 256 cells.
 */
const SPREAD = 2.5;
/** A normal variable is farther from its mean than this number of standard deviations once in 1000 times. */
const QUANTILE = 3.29;

/**
 * Limits of z², averaged over all entries of independent solutions. A correct solver is outside them for at
 * most one of 1000 random seeds. `entries` is the number of solutions times N.
 */
export function zSquaredBand(entries: number): { readonly min: number; readonly max: number } {
  const reach = (QUANTILE * SPREAD) / Math.sqrt(entries);
  return { min: MEAN_MIN - reach, max: MEAN_MAX + reach };
}
