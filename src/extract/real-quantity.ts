import type { Estimates } from '../characterize/estimates.js';

/**
 * Standard deviations of a mean square of n standard normals by which it must pass 1: by chance less than once in 10⁵ times for
 * the 8 cells of the smallest board, and more seldom for more.
 */
const SURPRISE = 8;

/** Whether the estimates differ from `nominal` by more than their own errors explain. */
export function isReal({ values, standardErrors }: Estimates, nominal: number): boolean {
  const z = [...values.keys()]
    .filter((i) => Number.isFinite(values[i]) && standardErrors[i] > 0)
    .map((i) => (values[i] - nominal) / standardErrors[i]);
  const meanSquare = z.reduce((sum, x) => sum + x * x, 0) / z.length;
  return meanSquare > 1 + SURPRISE * Math.sqrt(2 / z.length);
}

/** √ of the mean of variances that may be negative by chance; 0 where that mean may be chance. */
export function realDeviation(variances: Float64Array): number {
  const measured = variances.filter(Number.isFinite);
  const mean = measured.reduce((sum, x) => sum + x, 0) / measured.length;
  const scatter = measured.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (measured.length - 1);
  return mean > SURPRISE * Math.sqrt(scatter / measured.length) ? Math.sqrt(mean) : 0;
}
