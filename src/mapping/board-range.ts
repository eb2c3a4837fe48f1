import { ROW_ATTENUATION_MAX } from '../../firmware-protocol/limits.js';

/** What the mapping needs to know of a board; HELLO tells it (see `DeviceIdentity` in the driver). */
export interface BoardRange {
  readonly cells: number;
  /** Rows of the factored coupling array. */
  readonly rows: number;
  readonly couplingBits: number;
  readonly driveBits: number;
  readonly adcBits: number;
  /** k: one tick is h = 2⁻ᵏ τ. */
  readonly tickLog2: number;
  /** R: a full drive code is ±R · V_fs · G_fs. */
  readonly driveRange: number;
  /** Largest m · 2^ρ. */
  readonly rowScaleMax: number;
}

/** h in τ. */
export function tickOf(range: BoardRange): number {
  return 2 ** -range.tickLog2;
}

/** One step of the ADC, in V_fs: b bits over ±2 V_fs. */
export function adcStep(adcBits: number): number {
  return 2 ** (2 - adcBits);
}

/** One step of the drive DAC, in V_fs·G_fs: b bits over ±R. */
export function driveStep(range: BoardRange): number {
  return range.driveRange * 2 ** (1 - range.driveBits);
}

/** One step of the initial-state register, in V_fs. */
export const STATE_STEP = 2 ** -14;

/**
 * ρ = floor(log2(limit/2m)): the row amplifiers divide by 2^ρ. Half of what a commit accepts, so that a row's sum also
 * has room for what its neighbours in time add; without it every epoch costs dozens of overload retries at m = 320.
 */
export function rowAttenuationOf(rows: number, rowScaleMax: number): number {
  const attenuation = Math.floor(Math.log2(rowScaleMax / (2 * rows)));
  return Math.min(ROW_ATTENUATION_MAX, Math.max(0, attenuation));
}
