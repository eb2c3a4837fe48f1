import { GAUSSIAN_TABLE } from './gaussian-table.generated.js';

/**
 * Makes an integer Gaussian z of a random 32-bit word: σ = 2¹², |z| ≤ 25519 (device-model.md, "Noise"). Bit
 * 31 is the sign. The other bits, made odd, are x = 2³¹ · p. p is the probability of a larger |z|. The table
 * has z at points of each octave of x; z is interpolated between these points.
 */
export function gaussianOfWord(word: number): number {
  const x = (word & 0x7fffffff) | 1;
  const leadingZeros = Math.clz32(x);
  const mantissa = x << leadingZeros;
  const entry = 2 * (64 * (31 - leadingZeros) + ((mantissa >>> 25) & 63));
  const fraction = (mantissa >>> 14) & 2047;
  const scaled = (GAUSSIAN_TABLE[entry] << 14) + Math.imul(GAUSSIAN_TABLE[entry + 1], fraction) + (1 << 13);
  const sign = (word | 0) >> 31;
  return ((scaled >> 14) ^ sign) - sign;
}
