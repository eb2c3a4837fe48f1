import { COUPLING_BITS_MAX, COUPLING_MAX } from '../../firmware-protocol/limits.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';
import { bakeArray } from './baked-couplings.js';
import type { Die } from './die.js';
import { arrayPartsOf, cellPartsOf } from './die-parts.js';

/** Conductances as the array holds them, in 2⁻¹⁵ G_fs, row-major rows × cells. */
export interface EffectiveCouplings {
  /** g (dense) or k (factored): what turns cell voltages into sums. */
  readonly forward: Int16Array;
  /** k′, the second array of a factored program; an ideal die's two arrays are the same. */
  readonly transposed: Int16Array;
  /** How many codes were cut to ±32767. */
  readonly clampedCouplings: number;
}

/** Code of b bits → effective coupling: code · 2^(16−b), then what the die makes of it; clamped to ±32767. */
export function convertCouplings(die: Die, image: ProgramImage): EffectiveCouplings {
  const { effects } = die.profile;
  const { couplings: codes, rows, cells } = image;
  const forward = new Int16Array(rows * cells);
  const shift = COUPLING_BITS_MAX - image.couplingBits;
  const linesDiffer = effects?.timeConstantMismatch != null || effects?.crosstalk != null;
  const crosspoints = arrayPartsOf(die);
  if (!linesDiffer && !crosspoints) {
    const clampedCouplings = leftAlign(codes, shift, forward);
    return { forward, transposed: forward, clampedCouplings };
  }
  const dense = image.mode === PROGRAM_MODE.dense;
  const mismatchPpm = effects?.couplingMismatch?.spreadPpm ?? 0;
  const parts = linesDiffer ? cellPartsOf(die) : undefined;
  const shared = { codes, rows, cells, shift, mismatchPpm, parts };
  const cut = bakeArray(
    {
      ...shared,
      draws: crosspoints?.forward,
      measured: crosspoints?.measured,
      cellLines: dense ? 'rows' : null,
    },
    forward,
  );
  if (dense) return { forward, transposed: forward, clampedCouplings: cut };
  const transposed = new Int16Array(rows * cells);
  const alsoCut = bakeArray({ ...shared, draws: crosspoints?.transposed, cellLines: 'columns' }, transposed);
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
