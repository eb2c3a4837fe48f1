import { clamp } from '../../firmware-protocol/fixed-point.js';

/**
 * ADC of b bits over ±2 V_fs: code = clamp((v + 2^(25−b)) >> (26−b)), half a step up. Reads out.length cells from `v`
 * (2⁻²⁴ V_fs) and says whether any code was cut.
 */
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
