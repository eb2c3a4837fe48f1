/**
 * The imperfections of a board type. Each is null (off) or magnitudes as integers with the unit in their name, and where
 * they come from. A spread is the standard deviation between the cells (crosspoints, channels) of a die; `Ppm` of a gain is
 * relative, of a drive in V_fs·G_fs, of a conductance in G_fs. The equations are in docs/reference/device-model.md.
 */
export interface DieEffects {
  /** Every crosspoint's gain, drawn apart for the forward and the transposed array. */
  readonly couplingMismatch: Spread | null;
  /** 1/τ of every cell; fluctuation and dissipation change together, so equilibria do not. */
  readonly timeConstantMismatch: Spread | null;
  /** Amplitude of every cell's noise: breaks the equality of noise temperatures. */
  readonly noiseMismatch: Spread | null;
  /** A drive that is there without being asked for. */
  readonly inputOffset: Spread | null;
  /** A conductance from every cell to ground. */
  readonly leakage: LeakageEffect | null;
  readonly driveConverter: ConverterEffect | null;
  readonly adc: ConverterEffect | null;
  /** What a cell's line of the array picks up from the lines beside it. */
  readonly crosstalk: CrosstalkEffect | null;
  /** Beyond a knee a cell's voltage is pulled back: rails that begin early and softly. */
  readonly softSaturation: SoftSaturationEffect | null;
  /** Noise with a memory. */
  readonly noiseColour: NoiseColourEffect | null;
  /** Noise that all cells share, relative to a cell's own. */
  readonly commonModeNoise: ShareEffect | null;
  /** The drive reference wanders with the temperature of the die. */
  readonly drift: Spread | null;
  /** 1/f noise: every cell's offset wanders, more slowly the farther. */
  readonly flicker: Spread | null;
  /** Cells that stand at 0 V for ever. */
  readonly deadCells: ShareEffect | null;
  /** ADC channels that always give the same code. */
  readonly stuckAdcChannels: ShareEffect | null;
}

interface Sourced {
  /** Where the magnitudes come from; "assumed" where nobody says. */
  readonly source: string;
}

/** Normally distributed from cell to cell with mean 0. */
export interface Spread extends Sourced {
  readonly spreadPpm: number;
}

export interface ShareEffect extends Sourced {
  readonly sharePpm: number;
}

export interface LeakageEffect extends Spread {
  readonly meanPpm: number;
}

/** A converter per cell. An LSB is the converter's own; 256 of these units are one. */
export interface ConverterEffect extends Sourced {
  readonly gainSpreadPpm: number;
  readonly offsetSpreadLsb256: number;
  /** Height of the bow (integral nonlinearity) in mid-range. */
  readonly bowSpreadLsb256: number;
  /** How far a code lies from where it should (differential nonlinearity). */
  readonly codeSpreadLsb256: number;
}

export interface CrosstalkEffect extends Spread {
  /** Mean share of a neighbour's current. */
  readonly sharePpm: number;
}

export interface SoftSaturationEffect extends Sourced {
  /** |v| beyond which it acts, in 2⁻²⁴ V_fs. */
  readonly knee: number;
  /** What is left of the voltage beyond the knee loses 2⁻ˢ of itself per tick; s. */
  readonly slopeLog2: number;
}

export interface NoiseColourEffect extends Sourced {
  /** Correlation of the noise of neighbouring ticks, in steps of 1/256. */
  readonly correlation256: number;
}
