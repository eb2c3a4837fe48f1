/**
 * What one board is like: its own values, in place of those that the die seed would draw. Each part belongs to the effect of its
 * name, which must be on; entry i of a list belongs to cell i. What is left out is drawn. The rules with ranges and units are
 * in `measured-schema.ts`.
 */
export interface MeasuredParts {
  /** How they were found. */
  readonly source: string;
  /** 1 + ε of every crosspoint of the forward array, rows × cells, row-major, in 2⁻²⁰. */
  readonly couplingMismatch?: { readonly gain: Integers };
  /** γ in 2⁻²⁰. */
  readonly timeConstantMismatch?: { readonly rate: Integers };
  /** 1 + ν in 2⁻²⁰. */
  readonly noiseMismatch?: { readonly gain: Integers };
  /** In 2⁻²⁴ V_fs·G_fs. */
  readonly inputOffset?: { readonly offset: Integers };
  /** In 2⁻¹⁵ G_fs. */
  readonly leakage?: { readonly conductance: Integers };
  readonly driveConverter?: MeasuredConverter;
  readonly adc?: MeasuredConverter;
  /** Shares in 2⁻²⁰. */
  readonly crosstalk?: { readonly fromNext: Integers; readonly fromBefore: Integers };
  /** Which cells stand at 0 V, ascending. */
  readonly deadCells?: { readonly cells: Integers };
  /** Which channels always give the same code, ascending, and which one. */
  readonly stuckAdcChannels?: { readonly cells: Integers; readonly codes: Integers };
}

type Integers = readonly number[];

/** Gain in 2⁻²⁰, offset and bow in 1/256 LSB. The codes' own deviations are drawn, their mean taken off. */
export interface MeasuredConverter {
  readonly gain: Integers;
  readonly offset: Integers;
  readonly bow: Integers;
}
