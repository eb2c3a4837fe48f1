import { clamp } from '../../firmware-protocol/fixed-point.js';
import { DRIVE_MAX, FULL_SCALE } from '../../firmware-protocol/limits.js';
import { type ConverterParts, deviation, makeConverters } from './converter-parts.js';
import type { Die } from './die.js';
import { DIE_DRAW } from './die-draws.js';
import { cellPartsOf } from './die-parts.js';
import { scaled } from './gain.js';

/** Deviations of a converter are in this part of an LSB. */
const LSB_PART = 256;
const DRAWS = {
  gain: DIE_DRAW.driveGain,
  offset: DIE_DRAW.driveOffset,
  bow: DIE_DRAW.driveBow,
  code: DIE_DRAW.driveCode,
};

const converters = new WeakMap<Die, ConverterParts>();

/** One step of the drive DAC in 2⁻²⁴ V_fs·G_fs: its range ± R V_fs·G_fs over 2^driveBits codes. */
function driveStep(driveRange: number, driveBits: number): number {
  return (2 * driveRange * FULL_SCALE) / (1 << driveBits);
}

/** Largest |e_i|: 2²⁶ − 1, or less on a board with a smaller range. */
export function largestDrive(die: Die): number {
  return Math.min(DRIVE_MAX, die.profile.driveRange * FULL_SCALE - 1);
}

/** Drive code → e_i in 2⁻²⁴ V_fs·G_fs: what the DAC makes of it, plus the cell's offset, times its rate; clamped. */
export function convertDrive(die: Die, codes: Int16Array): Int32Array {
  const { driveRange, driveBits } = die.profile;
  const step = driveStep(driveRange, driveBits);
  const largest = largestDrive(die);
  const parts = cellPartsOf(die);
  if (!parts) return Int32Array.from(codes, (code) => clamp(code * step, -largest, largest));
  const dacs = convertersOf(die);
  return Int32Array.from(codes, (code, i) => {
    const fine = code * LSB_PART + (dacs ? deviation(dacs, i, code, driveBits) : 0);
    const asked = fine * (step / LSB_PART);
    const given = (dacs ? scaled(asked, dacs.gain[i]) : asked) + parts.inputOffset[i];
    return clamp(scaled(given, parts.rate[i]), -largest, largest);
  });
}

function convertersOf(die: Die): ConverterParts | undefined {
  const { cells, effects, measured } = die.profile;
  const effect = effects?.driveConverter;
  if (!effect) return undefined;
  const made =
    converters.get(die) ?? makeConverters(die.dieSeed, effect, DRAWS, cells, measured?.driveConverter);
  converters.set(die, made);
  return made;
}
