import { clamp } from '../../firmware-protocol/clamp.js';
import { DRIVE_MAX, FULL_SCALE } from '../../firmware-protocol/limits.js';
import { driveStep } from '../imperfections/converter.js';
import { scaled } from '../imperfections/gain.js';
import type { Die } from './die.js';
import { diePartsOf } from './die-parts.js';
import { usedAgain } from './used-again.js';

/** Largest |e_i|: 2²⁶ − 1, or less on a board with a smaller range (device-model.md, "Formats"). */
export function largestDrive(die: Die): number {
  return Math.min(DRIVE_MAX, die.profile.driveRange * FULL_SCALE - 1);
}

/**
 * Makes e_i, in 2⁻²⁴ V_fs·G_fs, of drive codes: the DAC's output plus the cell's offset, times the cell's
 * rate γ_i; then clamped (device-model.md, "Draws and roundings"). The result takes the memory of `unused` if
 * the size fits.
 */
export function convertDrive(die: Die, codes: Int16Array, unused?: Int32Array): Int32Array {
  const step = driveStep(die.profile);
  const largest = largestDrive(die);
  const { cells, convertDrive: convert } = diePartsOf(die);
  const drive = new Int32Array(usedAgain(unused, 4 * codes.length));
  if (!convert && !cells) {
    for (let i = 0; i < codes.length; i++) drive[i] = clamp(codes[i] * step, -largest, largest);
    return drive;
  }
  for (let i = 0; i < codes.length; i++) {
    const given = convert ? convert(codes[i], i) : codes[i] * step;
    const e = cells ? scaled(given + cells.inputOffset[i], cells.rate[i]) : given;
    drive[i] = clamp(e, -largest, largest);
  }
  return drive;
}
