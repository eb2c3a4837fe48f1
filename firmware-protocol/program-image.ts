import { NO_ROW_ELEMENT } from './limits.js';

/**
 * One program of the board in device codes, as the host uploads it and the device stores it.
 * N cells; the coupling array has `rows` × `cells` entries, row-major, rows = cells in dense mode.
 */
export interface ProgramImage {
  readonly mode: ProgramMode;
  readonly cells: number;
  readonly rows: number;
  /**
   * Width b of the coupling codes, 4…16; on the board a code is left-aligned: code ·
   * 2^(16−b), unit 2⁻¹⁵ G_fs.
   */
  readonly couplingBits: number;
  /**
   * ρ, 0…12, a whole number: the row amplifier divides by 2^ρ, and the transposed array multiplies by 2^ρ. It
   * is 0 in dense mode.
   */
  readonly rowAttenuation: number;
  /**
   * Codes [rows × cells] within ±(2^(b−1) − 1). They are an Int8Array if b ≤ 8; they also travel in this
   * form.
   */
  readonly couplings: Int8Array | Int16Array;
  /** Drive DAC codes, length N. */
  readonly drive: Int16Array;
  /** Initial state in 2⁻¹⁴ V_fs, length N. */
  readonly initialState: Int16Array;
  /** λ register, u32, in 2⁻¹⁵ G_fs. */
  readonly damping: number;
  /** Noise register a, a whole number: 0 (off) or 12288…24575 (device-model.md, "Formats"). */
  readonly noiseAmplitude: number;
  /** Noise register s, a whole number, 8…24. */
  readonly noiseShift: number;
  /**
   * Drives and the element of the rows of a factored program. If it is left out, the output of each row is
   * its amplified sum y.
   */
  readonly rowElement?: RowElement | undefined;
}

/**
 * The element and the drives of the rows of a factored program (device-model.md, "Row element"). Row r ≥
 * `linearRows` gives T(y) − d_r. Every other row gives y − d_r.
 */
export interface RowElement {
  /** The number of rows without the element, 0…m. They come first. */
  readonly linearRows: number;
  /** T [161] at y = 256·(i − 80), i = 0…160, int16 in 2⁻¹⁴ V_fs; T is linear between the nodes. */
  readonly table: Int16Array;
  /** d [m], int16, in 2⁻¹⁴ V_fs. */
  readonly drive: Int16Array;
}

/** Dense: A is the coupling array. Factored: A = KᵀK + λI with K the coupling array. */
export const PROGRAM_MODE = { dense: 0, factored: 1 } as const;
/** A mode by its code. */
export type ProgramMode = (typeof PROGRAM_MODE)[keyof typeof PROGRAM_MODE];

/**
 * `linearRows` of `defineProgram`: the number of rows without the element, which come first, or 65535 for a
 * program without an element (protocol.md, "Programs"). Errors: none.
 */
export function linearRowsOf({ rowElement }: Pick<ProgramImage, 'rowElement'>): number {
  return rowElement?.linearRows ?? NO_ROW_ELEMENT;
}
