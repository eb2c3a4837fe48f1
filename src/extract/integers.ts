import { type Estimates, summarize } from '../characterize/estimates.js';

/** Of gains in a profile. */
export const UNIT_GAIN = 2 ** 20;
const MILLION = 1e6;
/** Of a spread in a profile. */
const SPREAD_PPM_MAX = 200_000;

/** Every value turned into an integer; `nominal` where nothing was measured. */
export function integers(
  values: Float64Array,
  nominal: number,
  integer: (value: number, at: number) => number,
): number[] {
  // + 0 makes the zero of -0 an ordinary one.
  return Array.from(values, (value, at) =>
    Number.isFinite(value) ? Math.round(integer(value, at)) + 0 : nominal,
  );
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
