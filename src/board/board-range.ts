import { FULL_SCALE, ROW_ATTENUATION_MAX } from '../../firmware-protocol/limits.js';

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

/** h in τ, the length of a tick. Errors: none. */
export function tickOf(range: BoardRange): number {
  return 2 ** -range.tickLog2;
}

/** The rail of a cell in V_fs; a `DeviceIdentity` tells it in LSB. Errors: none. */
export function railOf({ rail }: { readonly rail: number }): number {
  return rail / FULL_SCALE;
}

/** One step of the ADC, in V_fs: b bits over ±2 V_fs. Errors: none. */
export function adcStep(adcBits: number): number {
  return 2 ** (2 - adcBits);
}

/** One step of the drive DAC, in V_fs·G_fs: b bits over ±R. Errors: none. */
export function driveStep(range: BoardRange): number {
  return range.driveRange * 2 ** (1 - range.driveBits);
}

/** One step of the initial-state register, in V_fs. */
export const STATE_STEP = 2 ** -14;

/** The board keeps conductances, and with them a cell's whole damping, to this, in G_fs. */
export const DAMPING_STEP = 2 ** -15;

/**
 * ρ: the row amplifiers divide by 2^ρ, and what they drop of a row's current is the larger the larger ρ. Two
 * bounds: ⌈log2 max_r Σ_i |k_ri|⌉, at which no row can reach its limit while the cells keep theirs, and
 * ⌊log2(limit/2m)⌋, half of what a commit accepts. The second decides for wide factors: a row may then
 * overload, but at m = 320 without any attenuation it did so 66 times per epoch.
 */
export function rowAttenuationOf(rows: number, rowSumMax: number, rowScaleMax: number): number {
  const allowed = Math.floor(Math.log2(rowScaleMax / (2 * rows)));
  const needed = rowSumMax > 1 ? Math.ceil(Math.log2(rowSumMax)) : 0;
  return Math.min(ROW_ATTENUATION_MAX, Math.max(0, Math.min(allowed, needed)));
}
