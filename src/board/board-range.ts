import { FULL_SCALE, ROW_ATTENUATION_MAX } from '../../firmware-protocol/limits.js';
import { ThermolinkError } from '../errors.js';
import { formatNumber } from '../number-text.js';

/**
 * The sizes and ranges of a board that scaling and rounding need. HELLO contains them (see `DeviceIdentity`).
 */
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

/** The rail of a cell in V_fs; a `DeviceIdentity` has it in LSB. Errors: none. */
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

/**
 * One step of the conductances in the board, also of the whole damping of a cell, in G_fs (device-model.md,
 * "Formats").
 */
export const DAMPING_STEP = 2 ** -15;

/**
 * ρ: the row amplifiers divide by 2^ρ (decision 6). A larger ρ drops more of a row's current, so ρ is the
 * smaller of two bounds: ⌈log2 max_r Σ_i |k_ri|⌉, with which no row reaches its limit while the cells stay
 * within their rails, and ⌊log2(limit/2m)⌋, half of the value that a commit accepts. The second bound is the
 * smaller one for wide factors; a row may then overload. At m = 320, rows overloaded 66 times per epoch
 * without any attenuation.
 */
export function rowAttenuationOf(rows: number, rowSumMax: number, rowScaleMax: number): number {
  const allowed = Math.floor(Math.log2(rowScaleMax / (2 * rows)));
  const needed = rowSumMax > 1 ? Math.ceil(Math.log2(rowSumMax)) : 0;
  return Math.min(ROW_ATTENUATION_MAX, Math.max(0, Math.min(allowed, needed)));
}

/**
 * Default limit of the ticks of a board run. It is 34 s on a board with τ = 1 µs and h = τ/32, and hours in
 * an emulator.
 */
const TICKS_MAX = 2 ** 30;

/** Hint: how to make a run to equilibrium shorter. */
const FASTER_EQUILIBRIUM =
  'The slowest mode is too slow compared with the stiffest one. A larger tolerance does not help: add damping (A + λI), or precondition.';

/** Throws UNSUPPORTED, with `hint`, if a board run would take too many ticks. */
export function refuseTooLong(ticks: number, ticksMax = TICKS_MAX, hint = FASTER_EQUILIBRIUM): void {
  if (ticks <= ticksMax) return;
  throw new ThermolinkError(
    'UNSUPPORTED',
    `One board run would take ${formatNumber(ticks)} ticks; the limit is ${formatNumber(ticksMax)}.`,
    {
      hint,
      data: { ticks, ticksMax },
    },
  );
}
