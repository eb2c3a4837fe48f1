import { clamp } from '../../firmware-protocol/clamp.js';
import type { ReadAdc } from '../imperfections/imperfection.js';
import { effectsOn } from '../imperfections/table.js';
import { type Die, dieInfo } from './die.js';

/**
 * The ADC of a die. If the board type has an imperfect ADC, that imperfection reads the cells. Otherwise
 * `ideal` reads them; its default is `readAdc`.
 */
export function makeAdc(die: Die, ideal?: ReadAdc): ReadAdc {
  for (const { effect, magnitudes, measured } of effectsOn(die.profile)) {
    const read = effect.readAdc?.(magnitudes, dieInfo(die), measured);
    if (read) return read;
  }
  const { adcBits } = die.profile;
  return ideal ?? ((v, out) => readAdc(v, adcBits, out));
}

/**
 * ADC of b bits over ±2 V_fs: code = clamp((v + 2^(25−b)) >> (26−b)). A value halfway between two codes gets
 * the upper code (device-model.md, "Formats"). Returns whether any code was clamped.
 */
export function readAdc(v: Int32Array, adcBits: number, out: Int16Array): boolean {
  const shift = 26 - adcBits;
  const half = 1 << (shift - 1);
  const largest = (1 << (adcBits - 1)) - 1;
  let cut = 0;
  for (let i = 0; i < out.length; i++) {
    const code = (v[i] + half) >> shift;
    const kept = clamp(code, -largest - 1, largest);
    out[i] = kept;
    cut |= kept ^ code;
  }
  return cut !== 0;
}
