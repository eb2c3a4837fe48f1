/**
 * z² = (error/standard error)² has a mean between these on simulated relaxations (`estimateMean`): Student's
 * distribution is only nearly corrected for.
 */
const MEAN_MIN = 0.96;
const MEAN_MAX = 1.08;
/**
 * Standard deviation of the mean z² of one solution, times √N: all entries share one estimate of the
 * correlation time. Measured on 300 solutions of 8 cells, 60 of 64 and 14 of 256: 2.2 to 2.6.
 */
const SPREAD = 2.5;
/** Standard deviations that a mean leaves on either side once in a thousand times. */
const QUANTILE = 3.29;

/**
 * Limits of z² averaged over all entries of independent solutions. A right solver leaves them once in a
 * thousand draws of the seeds, at most. `entries` is the number of solutions times N.
 */
export function zSquaredBand(entries: number): { readonly min: number; readonly max: number } {
  const reach = (QUANTILE * SPREAD) / Math.sqrt(entries);
  return { min: MEAN_MIN - reach, max: MEAN_MAX + reach };
}
