import { drawGaussians } from './die-draws.js';
import { ppmSpreadOf, roundDivide, UNIT_GAIN, VOLTAGE_LOG2 } from './gain.js';
import type { DieInfo, Fault, Wandering } from './imperfection.js';
import { SEGMENT_TICKS } from './slow-noise.js';

export const THERMAL_DRAWS = { thermalOffset: 21 };
/** How many segments of ticks the warming takes, and how large the changes are at its end. Assumed. */
const WARMING_SEGMENTS = 64;
const WARM_GAIN_PPM = 20000;
const WARM_OFFSET_PPM = 5000;
const WARM_MILLIKELVIN = 20_000;

/** A die that warms up (device-model.md, "Faults on demand"). */
export const thermalDrift: Fault = {
  words: 'the drive reference and all offsets wander off within 65,536 ticks',
  rule:
    'Over 64 steps of 1024 ticks the gain of the drives moves by 2 %, either way, and every offset by its ' +
    'own draw of 0.5 %, and the sensor of the die says up to 20 K more. Then it stays. Assumed.',
  isOfCell: false,
  happens(damage) {
    damage.warmingSince = damage.ticks;
  },
};

/** How many of the 64 steps a die has warmed, this many ticks after the start of the warming. */
export function warmthAfter(ticks: number): number {
  return Math.min(WARMING_SEGMENTS, 1 + Math.floor(ticks / SEGMENT_TICKS));
}

/** The rise of the sensor's temperature this many ticks after the start of the warming, in whole mK. */
export function heatAfter(ticks: number): number {
  return Math.floor((WARM_MILLIKELVIN * warmthAfter(ticks)) / WARMING_SEGMENTS);
}

/** Adds the effect of `warmth` steps of warming to the gain and the offsets of the drives. */
export function addWarmth(wandering: Wandering, { dieSeed }: DieInfo, warmth: number): void {
  const { offsets } = wandering;
  const part = (whole: number) => roundDivide(whole * warmth, WARMING_SEGMENTS);
  const z = drawGaussians(dieSeed, THERMAL_DRAWS.thermalOffset, 0, offsets.length + 1);
  const gain = roundDivide(WARM_GAIN_PPM * UNIT_GAIN, 1000000);
  // The sign of the draw after the last cell's decides whether the reference rises or falls.
  wandering.gain += part(z[offsets.length] < 0 ? -gain : gain);
  for (let i = 0; i < offsets.length; i++)
    offsets[i] += part(ppmSpreadOf(WARM_OFFSET_PPM, z[i], VOLTAGE_LOG2));
}
