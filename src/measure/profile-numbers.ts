import type { DieEffects, MeasuredParts } from '../../emulator/index.js';
import { type Estimates, summarize } from './estimates.js';

/** Unit of gains in a profile. */
export const UNIT_GAIN = 2 ** 20;
const MILLION = 1e6;
/** Largest spread in a profile. */
const SPREAD_PPM_MAX = 200_000;

/**
 * Converts every value to an integer. The integer is `nominal` if nothing was measured. It is also `nominal`
 * if the result is not a number within ±`largest`; this happens after a division by a value near 0.
 */
export function integers(
  values: Float64Array,
  nominal: number,
  integer: (value: number, at: number) => number,
  largest = Number.MAX_VALUE,
): number[] {
  return Array.from(values, (value, at) => {
    // Adding 0 turns −0 into 0.
    const result = Math.round(integer(value, at)) + 0;
    return Number.isFinite(value) && Math.abs(result) <= largest ? result : nominal;
  });
}

/**
 * The spread of the board without the errors of the estimates, multiplied by `unit`, in ppm and within the
 * limits of a profile.
 */
export function spreadPpm(estimates: Estimates, least: 0 | 1, unit = 1): number {
  const spread = summarize(estimates, 0).ownSpread * unit * MILLION;
  return Math.min(SPREAD_PPM_MAX, Math.max(least, Math.round(spread)));
}

/** The mean of the estimates, in ppm. */
export function meanPpm(estimates: Estimates): number {
  return Math.round(summarize(estimates, 0).mean * MILLION) + 0;
}

/** The effects and measured parts from one kind of measurement. An effect that was not found is null. */
export interface Found {
  readonly effects: Partial<DieEffects>;
  readonly measured: Partial<MeasuredParts>;
}

/**
 * Number of standard deviations by which the mean square of n standard normals must exceed 1 to count as an
 * effect. For the 8 cells of the smallest board chance alone does this with a probability below 10⁻⁵; for
 * more cells the probability is smaller.
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

/** √ of the mean of variances, which may be negative by chance. 0 if chance explains the mean. */
export function realDeviation(variances: Float64Array): number {
  const measured = variances.filter(Number.isFinite);
  const mean = measured.reduce((sum, x) => sum + x, 0) / measured.length;
  const scatter = measured.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (measured.length - 1);
  return mean > SURPRISE * Math.sqrt(scatter / measured.length) ? Math.sqrt(mean) : 0;
}
