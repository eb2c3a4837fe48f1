import { COUPLING_BITS_MAX, COUPLING_MAX } from '../../firmware-protocol/limits.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import type { Die } from './die.js';

/** Conductances as the array holds them, in 2⁻¹⁵ G_fs, row-major rows × cells. */
export interface EffectiveCouplings {
  /** g (dense) or k (factored): what turns cell voltages into sums. */
  readonly forward: Int16Array;
  /** k′, the second array of a factored program; an ideal die's two arrays are the same. */
  readonly transposed: Int16Array;
  /** How many codes were cut to ±32767. */
  readonly clampedCouplings: number;
}

/** Code of b bits → effective coupling: code · 2^(16−b), clamped to ±32767. */
export function convertCouplings(_die: Die, image: ProgramImage): EffectiveCouplings {
  const forward = new Int16Array(image.rows * image.cells);
  const clampedCouplings = leftAlign(image.couplings, COUPLING_BITS_MAX - image.couplingBits, forward);
  return { forward, transposed: forward, clampedCouplings };
}

function leftAlign(codes: Int8Array | Int16Array, shift: number, out: Int16Array): number {
  const largest = COUPLING_MAX >> shift;
  let clamped = 0;
  for (let i = 0; i < out.length; i++) {
    const code = codes[i];
    out[i] = code << shift;
    if (code > largest || code < -largest) {
      out[i] = code > 0 ? COUPLING_MAX : -COUPLING_MAX;
      clamped++;
    }
  }
  return clamped;
}
