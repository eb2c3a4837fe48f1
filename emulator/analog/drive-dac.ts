import { clamp } from '../../firmware-protocol/fixed-point.js';
import { DRIVE_MAX, FULL_SCALE } from '../../firmware-protocol/limits.js';
import type { Die } from './die.js';

/** One step of the drive DAC in 2⁻²⁴ V_fs·G_fs: its range ± R V_fs·G_fs over 2^driveBits codes. */
function driveStep(driveRange: number, driveBits: number): number {
  return (2 * driveRange * FULL_SCALE) / (1 << driveBits);
}

/** Drive code → e_i in 2⁻²⁴ V_fs·G_fs, clamped to ±(2²⁶ − 1), or less on a board with a smaller range. */
export function convertDrive(die: Die, codes: Int16Array): Int32Array {
  const { driveRange, driveBits } = die.profile;
  const step = driveStep(driveRange, driveBits);
  const largest = Math.min(DRIVE_MAX, driveRange * FULL_SCALE - 1);
  return Int32Array.from(codes, (code) => clamp(code * step, -largest, largest));
}
