/**
 * The parameter block of the kernel's `advance`: byte offsets of 32-bit words. Both sides use this file:
 * TypeScript writes the words, AssemblyScript reads them. A name that ends in `_AT` holds the address of an
 * array.
 */

/**
 * Cells that the kernel computes: a multiple of 8. The cells beyond the program have couplings, drive and
 * noise of 0.
 */
export const PADDED_CELLS = 0;
/** Rows that the kernel computes: a multiple of 8 (of 16 with one array); 0 for a dense program. */
export const PADDED_ROWS = 4;
export const CELLS = 8;
export const ROWS = 12;
export const V_AT = 16;
export const C_AT = 20;
export const R_AT = 24;
export const Q_AT = 28;
export const CELL_FLAGS_AT = 32;
export const ROW_FLAGS_AT = 36;
/** w and y as int16; S and U as int64. */
export const W_AT = 40;
export const Y_AT = 44;
export const S_AT = 48;
export const U_AT = 52;
/** Sums of one panel as int32, before they are widened. */
export const PANEL_SUMS_AT = 56;
/** Copies of the carries of cells and rows beyond the program, which must not change. */
export const SPARED_AT = 60;
/** e as int32, λ as u32, the integrator's constant as int64, a as int32. */
export const DRIVE_AT = 64;
export const DAMPING_AT = 68;
export const CONSTANT_AT = 72;
export const AMPLITUDE_AT = 76;
/**
 * The first array: packed couplings, block table, number of column pairs, numbers of panels of 32 and of 8
 * rows.
 */
export const FORWARD_AT = 80;
export const FORWARD_BLOCKS_AT = 84;
export const FORWARD_PAIRS = 88;
export const FORWARD_PANELS = 92;
export const FORWARD_SMALL_PANELS = 96;
/** The second array of a factored program. */
export const TRANSPOSED_AT = 100;
export const TRANSPOSED_BLOCKS_AT = 104;
export const TRANSPOSED_PAIRS = 108;
export const TRANSPOSED_PANELS = 112;
export const TRANSPOSED_SMALL_PANELS = 116;
/**
 * If no |w| of a tick is above this bound, every sum and every T_i of this dense program fits 32 bits in this
 * tick. −1: never.
 */
export const NARROW_INPUT_MAX = 120;
export const ROW_ATTENUATION = 124;
/** 5 + k. */
export const INTEGRATOR_SHIFT = 128;
export const RAIL = 132;
/** 1: noise is on. */
export const NOISE = 136;
export const NOISE_SHIFT = 140;
export const WORDS_AT = 144;
/** z of the tick that comes next, and η, as int32. */
export const Z_AT = 148;
export const ETA_AT = 152;
export const GAUSSIAN_TABLE_AT = 156;
/** Round keys, and the results of the first two rounds of Philox for each group of cells. */
export const KEYS_AT = 160;
export const GROUPS_AT = 164;
export const DIE_SEED = 168;
export const RUN_SEED = 172;
/**
 * The inputs that the group table was made for, and its number of cells. If the number of cells is 0, there
 * is no table yet.
 */
export const GROUPS_TICK_HIGH = 176;
export const GROUPS_RUN_SEED = 180;
export const GROUPS_CELLS = 184;
/** 1: z of the first tick must be computed first. */
export const NEEDS_FIRST_Z = 188;
export const TICK_LOW = 192;
export const TICK_HIGH = 196;
export const TICKS = 200;
export const HALT_ON_OVERLOAD = 204;

/**
 * 1: one array is used for rows and columns. The block table then also says where column sums are flushed.
 */
export const TWO_WAY = 208;
/**
 * Inputs of a panel's rows in the form that `addToColumns` reads, and column sums as four int32 per column
 * pair.
 */
export const SPREAD_AT = 212;
export const COLUMNS_AT = 216;

/** 1: ρ = 0 and |Δ| is at most 2³⁰ in any state. */
export const MODERATE = 220;

/** S as int32, for a tick in which it fits. */
export const NARROW_S_AT = 224;
/**
 * The noise that all cells share, in 2⁻¹⁶ of their own noise. 0 if there is no such noise, or if the kernel
 * does not add it.
 */
export const COMMON_SHARE = 228;

/** 1: couplings are stored as int8. */
export const BYTES = 232;
/** The unit of packed couplings is 2^COUPLING_SHIFT · 2⁻¹⁵ G_fs. */
export const COUPLING_SHIFT = 236;

/**
 * Bytes from the ranges of one panel to those of the next, for a factored program whose one array is stored
 * as int8.
 */
export const RANGES_STRIDE = 240;

/** Rows from this one on have the row element and set no flag. */
export const LINEAR_ROWS = 244;
/** Table of the row element, int16; 0: no row has it. */
export const ROW_TABLE_AT = 248;

/**
 * Bytes from the table of row ranges to the table of row pairs, for a factored program of int8. 0: the
 * program is stored in panels.
 */
export const COLUMN_TABLE = 252;

export const PARAMETER_BYTES = 256;
