import { findByte } from '../../firmware-protocol/find-byte.js';
import { COUPLING_BITS_MAX, COUPLING_MAX } from '../../firmware-protocol/limits.js';
import { codeBytes } from '../../firmware-protocol/program-digest.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { scaled } from '../imperfections/gain.js';
import { bakeArray, type CrosspointArray } from './baked-couplings.js';
import type { Die } from './die.js';
import { diePartsOf } from './die-parts.js';
import { usedAgain } from './used-again.js';

/**
 * Conductances as the array holds them, in 2^couplingShift · 2⁻¹⁵ G_fs, row-major rows × cells. Codes of at
 * most 8 bits stay int8 if the die does not change them.
 */
export interface EffectiveCouplings {
  /**
   * 0 for int16 arrays. For int8 arrays: the number of bits by which a shift to the left aligns their codes.
   */
  readonly couplingShift: number;
  /** g (dense) or k (factored): the array that makes sums of cell voltages. */
  readonly forward: Int8Array | Int16Array;
  /** k′, the second array of a factored program. On an ideal die it is the same array as `forward`. */
  readonly transposed: Int8Array | Int16Array;
  /** How many codes were clamped to ±32767. */
  readonly clampedCouplings: number;
}

/**
 * Makes effective couplings of codes of b bits: code · 2^(16−b), then the effects of the die; clamped to
 * ±32767 (device-model.md, "Formats"). `unused` holds couplings of a program that will not run again; the
 * result takes their memory if the size fits.
 */
export function convertCouplings(
  die: Die,
  image: ProgramImage,
  unused?: EffectiveCouplings,
): EffectiveCouplings {
  const { couplings: codes, rows, cells } = image;
  const count = rows * cells;
  const memory = (bytes: number) => usedAgain(unused?.forward, bytes);
  const shift = COUPLING_BITS_MAX - image.couplingBits;
  const dense = image.mode === PROGRAM_MODE.dense;
  const { cells: cellParts, linesDiffer, crosspoints, ...ofRows } = diePartsOf(die);
  const rowGain = dense ? undefined : ofRows.rowGain;
  const isChanged = linesDiffer || crosspoints !== undefined || rowGain !== undefined;
  if (!isChanged && codes instanceof Int8Array && !anyBeyond(codes, -(COUPLING_MAX >> shift))) {
    const kept = new Int8Array(memory(count));
    kept.set(codes);
    return { forward: kept, transposed: kept, couplingShift: shift, clampedCouplings: 0 };
  }
  const forward = new Int16Array(memory(2 * count));
  if (!isChanged) {
    const clampedCouplings = leftAlign(codes, shift, forward);
    return { forward, transposed: forward, couplingShift: 0, clampedCouplings };
  }
  const parts = linesDiffer ? cellParts : undefined;
  const shared = { codes, rows, cells, shift, parts };
  const gains = (array: 'forward' | 'transposed') =>
    crosspoints && ((row: number, out: Int32Array) => crosspoints(array, row, out));
  const cut = bakeArray({ ...shared, gains: gains('forward'), cellLines: dense ? 'rows' : null }, forward);
  if (dense) return { forward, transposed: forward, couplingShift: 0, clampedCouplings: cut };
  const transposed = new Int16Array(count);
  const ofTransposed = withRowGains(gains('transposed'), rowGain);
  const alsoCut = bakeArray({ ...shared, gains: ofTransposed, cellLines: 'columns' }, transposed);
  return { forward, transposed, couplingShift: 0, clampedCouplings: cut + alsoCut };
}

/** Gains of crosspoints, each times the gain of the row amplifier that drives it. */
function withRowGains(
  gains: CrosspointArray['gains'],
  rowGain: Int32Array | undefined,
): CrosspointArray['gains'] {
  if (rowGain === undefined) return gains;
  return (row, out) => {
    if (gains === undefined) out.fill(rowGain[row]);
    else {
      gains(row, out);
      for (let i = 0; i < out.length; i++) out[i] = scaled(out[i], rowGain[row]);
    }
  };
}

/** Whether any code lies below `least`, which is negative, or above −`least`. */
function anyBeyond(codes: Int8Array, least: number): boolean {
  // Only the code −128 lies below −127. The search for one byte is many times faster than a loop, and the
  // JavaScript engine need not compile it first.
  if (least === -127) return findByte(codeBytes(codes), LEAST_BYTE, 0) < codes.length;
  let left = 0;
  for (let i = 0; i < codes.length; i++) left |= (codes[i] - least) | (-least - codes[i]);
  return left < 0;
}

/** The byte of the code −128. */
const LEAST_BYTE = 0x80;

function leftAlign(codes: Int8Array | Int16Array, shift: number, out: Int16Array): number {
  const largest = COUPLING_MAX >> shift;
  if (codes instanceof Int16Array && !align16(codes, shift, largest, out)) return 0;
  let clamped = 0;
  for (let i = 0; i < out.length; i++) {
    const code = codes[i];
    if (code <= largest && code >= -largest) out[i] = code << shift;
    else {
      out[i] = code > 0 ? COUPLING_MAX : -COUPLING_MAX;
      clamped++;
    }
  }
  return clamped;
}

/**
 * Writes the aligned codes to `out`, and returns whether any code is beyond ± `largest`. It takes only an
 * Int16Array, because a loop over one type of array compiles to faster code.
 */
function align16(codes: Int16Array, shift: number, largest: number, out: Int16Array): boolean {
  let left = 0;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    out[i] = code << shift;
    // This is negative if the code is beyond ± `largest`.
    left |= (largest - code) | (largest + code);
  }
  return left < 0;
}
