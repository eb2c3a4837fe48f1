import type { DieEffects, MeasuredParts } from '../imperfections/table.js';

/**
 * A board type as data: sizes, converters, time constant, ranges. A die is one fabricated board of a type.
 */
export interface BoardProfile {
  /** At most 24 characters. */
  readonly name: string;
  readonly cells: number;
  /** Rows of the crossbar. */
  readonly rows: number;
  /** Program banks. One can run while another is loaded. */
  readonly banks: number;
  /** false on a crossbar that is too large for N×N couplings. */
  readonly dense: boolean;
  readonly factored: boolean;
  /** Whether rows of a factored program can have a drive and the row element (device-model.md). */
  readonly rowElement: boolean;
  /** Widest coupling code, 4…16. */
  readonly couplingBits: number;
  readonly driveBits: number;
  readonly adcBits: number;
  /** τ = RC. */
  readonly tauNs: number;
  /** k: one tick is 2⁻ᵏ τ. */
  readonly tickLog2: number;
  /** V_fs. */
  readonly fullScaleMicrovolts: number;
  /** Largest |v| in 2⁻²⁴ V_fs; a multiple of 1024. */
  readonly rail: number;
  /** Range of the drive DAC, ± this many V_fs·G_fs; a power of two. */
  readonly driveRange: number;
  /** Ranges of noise register a when it is not off, and of noise register s. */
  readonly noiseAmplitudeMin: number;
  readonly noiseAmplitudeMax: number;
  readonly noiseShiftMin: number;
  readonly noiseShiftMax: number;
  /** The smallest κ for which a standard error has a meaning, in 10⁻¹² V_fs². */
  readonly noiseTemperatureMin: number;
  /** Largest m · 2^ρ. */
  readonly rowScaleMax: number;
  /** Imperfections of the type; null: an ideal board. */
  readonly effects: DieEffects | null;
  /** Measured values of one board of the type. Dies differ only in the values that are not here. */
  readonly measured?: MeasuredParts;
}
