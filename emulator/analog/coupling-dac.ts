import { COUPLING_BITS_MAX, COUPLING_MAX } from '../../firmware-protocol/limits.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { bakeArray } from './baked-couplings.js';
import type { Die } from './die.js';
import { diePartsOf } from './die-parts.js';

/** Conductances as the array holds them, in 2⁻¹⁵ G_fs, row-major rows × cells. */
export interface EffectiveCouplings {
  /** g (dense) or k (factored): what turns cell voltages into sums. */
  readonly forward: Int16Array;
  /** k′, the second array of a factored program; an ideal die's two arrays are the same. */
  readonly transposed: Int16Array;
  /** How many codes were cut to ±32767. */
  readonly clampedCouplings: number;
}

/**
 * Code of b bits → effective coupling: code · 2^(16−b), then what the die makes of it; clamped to ±32767 (device-model.md,
 * "Formats").
 */
export function convertCouplings(die: Die, image: ProgramImage): EffectiveCouplings {
  const { couplings: codes, rows, cells } = image;
  const forward = new Int16Array(rows * cells);
  const shift = COUPLING_BITS_MAX - image.couplingBits;
  const { cells: cellParts, linesDiffer, crosspoints } = diePartsOf(die);
  if (!linesDiffer && !crosspoints) {
    const clampedCouplings = leftAlign(codes, shift, forward);
    return { forward, transposed: forward, clampedCouplings };
  }
  const dense = image.mode === PROGRAM_MODE.dense;
  const parts = linesDiffer ? cellParts : undefined;
  const shared = { codes, rows, cells, shift, parts };
  const gains = (array: 'forward' | 'transposed') =>
    crosspoints && ((row: number, out: Int32Array) => crosspoints(array, row, out));
  const cut = bakeArray({ ...shared, gains: gains('forward'), cellLines: dense ? 'rows' : null }, forward);
  if (dense) return { forward, transposed: forward, clampedCouplings: cut };
  const transposed = new Int16Array(rows * cells);
  const alsoCut = bakeArray({ ...shared, gains: gains('transposed'), cellLines: 'columns' }, transposed);
  return { forward, transposed, clampedCouplings: cut + alsoCut };
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
