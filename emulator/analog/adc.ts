import { clamp } from '../../firmware-protocol/fixed-point.js';
import { type ConverterParts, deviation, makeConverters } from './converter-parts.js';
import type { Die } from './die.js';
import { DIE_DRAW } from './die-draws.js';
import { scaled } from './gain.js';

const DRAWS = {
  gain: DIE_DRAW.adcGain,
  offset: DIE_DRAW.adcOffset,
  bow: DIE_DRAW.adcBow,
  code: DIE_DRAW.adcCode,
};

/** Reads out.length cells from `v` (2⁻²⁴ V_fs) and says whether any code was cut. */
export type ReadAdc = (v: Int32Array, out: Int16Array) => boolean;

/** The ADC of a die. */
export function makeAdc({ profile, dieSeed }: Die): ReadAdc {
  const { adcBits, cells, effects, measured } = profile;
  if (!effects?.adc) return (v, out) => readAdc(v, adcBits, out);
  const parts = makeConverters(dieSeed, effects.adc, DRAWS, cells, measured?.adc);
  return (v, out) => readImperfectAdc(v, adcBits, parts, out);
}

/** ADC of b bits over ±2 V_fs: code = clamp((v + 2^(25−b)) >> (26−b)), half a step up. */
export function readAdc(v: Int32Array, adcBits: number, out: Int16Array): boolean {
  const shift = 26 - adcBits;
  const half = 1 << (shift - 1);
  const largest = (1 << (adcBits - 1)) - 1;
  let clipped = false;
  for (let i = 0; i < out.length; i++) {
    const code = (v[i] + half) >> shift;
    out[i] = clamp(code, -largest - 1, largest);
    if (out[i] !== code) clipped = true;
  }
  return clipped;
}

/** The same after the channel's gain, the thresholds moved by the deviation of the code that it would be. */
function readImperfectAdc(v: Int32Array, adcBits: number, parts: ConverterParts, out: Int16Array): boolean {
  const shift = 26 - adcBits;
  const half = 1 << (shift - 1);
  const largest = (1 << (adcBits - 1)) - 1;
  let clipped = false;
  for (let i = 0; i < out.length; i++) {
    const u = scaled(v[i], parts.gain[i]);
    const near = clamp((u + half) >> shift, -largest - 1, largest);
    const moved = u + deviation(parts, i, near, adcBits) * (1 << (shift - 8));
    const code = (moved + half) >> shift;
    out[i] = clamp(code, -largest - 1, largest);
    if (out[i] !== code) clipped = true;
  }
  return clipped;
}
