import { COUPLING_BITS_MAX, COUPLING_MAX } from '../../firmware-protocol/limits.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { bakeArray } from './baked-couplings.js';
import type { Die } from './die.js';
import { diePartsOf } from './die-parts.js';

/** Conductances as the array holds them, in 2⁻¹⁵ G_fs, row-major rows × cells. */
export interface EffectiveCouplings {
  /** g (dense) or k (factored): the array that makes sums of cell voltages. */
  readonly forward: Int16Array;
  /** k′, the second array of a factored program. On an ideal die it is the same array as `forward`. */
  readonly transposed: Int16Array;
  /** How many codes were cut to ±32767. */
  readonly clampedCouplings: number;
}

/**
 * Makes effective couplings of codes of b bits: code · 2^(16−b), then the effects of the die; clamped to
 * ±32767 (device-model.md, "Formats"). The result takes the memory of `unused`, couplings of a program that
 * will not run again, where that fits.
 */
export function convertCouplings(
  die: Die,
  image: ProgramImage,
  unused?: EffectiveCouplings,
): EffectiveCouplings {
  const { couplings: codes, rows, cells } = image;
  const count = rows * cells;
  // This is a new view on purpose: the kernel remembers couplings by their array and must not take these for
  // the old ones.
  const forward =
    unused?.forward.length === count ? new Int16Array(unused.forward.buffer) : new Int16Array(count);
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
  const transposed = new Int16Array(count);
  const alsoCut = bakeArray({ ...shared, gains: gains('transposed'), cellLines: 'columns' }, transposed);
  return { forward, transposed, clampedCouplings: cut + alsoCut };
}

function leftAlign(codes: Int8Array | Int16Array, shift: number, out: Int16Array): number {
  const largest = COUPLING_MAX >> shift;
  const anyBeyond =
    codes instanceof Int8Array ? align8(codes, shift, largest, out) : align16(codes, shift, largest, out);
  if (!anyBeyond) return 0;
  let clamped = 0;
  for (let i = 0; i < out.length; i++) {
    const code = codes[i];
    if (code <= largest && code >= -largest) continue;
    out[i] = code > 0 ? COUPLING_MAX : -COUPLING_MAX;
    clamped++;
  }
  return clamped;
}

// Codes of 8 bits and of 16 bits have a loop each: one loop that gets both kinds of array compiles to slower
// code. Both loops return whether any code is beyond ± `largest`.

/**
 * Takes four codes at once where a code fills a byte: code · 2⁸ is that byte in the upper half of 16 bits.
 */
function align8(codes: Int8Array, shift: number, largest: number, out: Int16Array): boolean {
  const quads = shift === 8 && codes.byteOffset % 4 === 0 && out.byteOffset % 4 === 0 ? codes.length >> 2 : 0;
  const words = new Int32Array(codes.buffer, quads > 0 ? codes.byteOffset : 0, quads);
  const pairs = new Int32Array(out.buffer, quads > 0 ? out.byteOffset : 0, 2 * quads);
  let smallest = 0;
  for (let i = 0; i < quads; i++) {
    const word = words[i];
    pairs[2 * i] = ((word & 0xff) << 8) | ((word & 0xff00) << 16);
    pairs[2 * i + 1] = ((word >>> 8) & 0xff00) | (word & 0xff000000);
    // The code −128 is the byte 0x80, which is zero in `other`. The sum then sets the upper bit of that byte.
    const other = word ^ 0x80808080;
    smallest |= (other - 0x01010101) & ~other & 0x80808080;
  }
  let left = 0;
  for (let i = 4 * quads; i < codes.length; i++) {
    const code = codes[i];
    out[i] = code << shift;
    left |= (largest - code) | (largest + code);
  }
  return smallest !== 0 || left < 0;
}

function align16(codes: Int16Array, shift: number, largest: number, out: Int16Array): boolean {
  let left = 0;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    out[i] = code << shift;
    // Negative where the code is beyond ± `largest`.
    left |= (largest - code) | (largest + code);
  }
  return left < 0;
}
