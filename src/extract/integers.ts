import { type Estimates, summarize } from '../characterize/estimates.js';

/** Of gains in a profile. */
export const UNIT_GAIN = 2 ** 20;
const MILLION = 1e6;
/** Of a spread in a profile. */
const SPREAD_PPM_MAX = 200_000;

/**
 * Every value turned into an integer; `nominal` where nothing was measured, or what it was divided by was so near 0 that the result
 * is no number up to ±`largest`.
 */
export function integers(
  values: Float64Array,
  nominal: number,
  integer: (value: number, at: number) => number,
  largest = Number.MAX_VALUE,
): number[] {
  return Array.from(values, (value, at) => {
    // + 0 makes the zero of -0 an ordinary one.
    const result = Math.round(integer(value, at)) + 0;
    return Number.isFinite(value) && Math.abs(result) <= largest ? result : nominal;
  });
}

/** The board's own spread, the estimates' errors taken off, times `unit`, in ppm as a profile takes it. */
export function spreadPpm(estimates: Estimates, least: 0 | 1, unit = 1): number {
  const spread = summarize(estimates, 0).ownSpread * unit * MILLION;
  return Math.min(SPREAD_PPM_MAX, Math.max(least, Math.round(spread)));
}

/** The mean in ppm. */
export function meanPpm(estimates: Estimates): number {
  return Math.round(summarize(estimates, 0).mean * MILLION) + 0;
}
