/** Every bound of the contract in one place; the relations between them are asserted when the module loads. */

/** Full scale V_fs in LSB of a cell voltage. */
export const FULL_SCALE = 1 << 24;
/** Largest rail, 1.25 V_fs, in LSB. */
export const RAIL_MAX = 20480 * 1024;
/** Clamp of a row amplifier's output, in array units (V / 1024). */
export const ROW_RAIL = 20480;
export const CELLS_MAX = 8192;
export const ROWS_MAX = 4096;
/** Largest m · 2^ρ that a commit accepts; with it every intermediate stays below 2⁵³. */
export const ROW_SCALE_MAX = 8192;
export const ROW_ATTENUATION_MAX = 12;
export const COUPLING_BITS_MIN = 4;
export const COUPLING_BITS_MAX = 16;
export const COUPLING_MAX = 32767;
/** Unit conductance G_fs as a coupling code is 2^this. */
export const COUPLING_UNIT_LOG2 = 15;
/** Largest effective drive, in 2⁻²⁴ V_fs·G_fs. */
export const DRIVE_MAX = 67108863;
export const NOISE_AMPLITUDE_MIN = 12288;
export const NOISE_AMPLITUDE_MAX = 24575;
export const NOISE_SHIFT_MIN = 8;
export const NOISE_SHIFT_MAX = 24;
/** Largest effective noise code of a cell. */
export const NOISE_CODE_MAX = 32767;
/** Largest magnitude of the integer Gaussian, σ = 2¹². */
export const GAUSSIAN_MAX = 25519;
export const TICK_LOG2_MIN = 2;
export const TICK_LOG2_MAX = 8;
export const DAMPING_MAX = 4294967295;
export const SAFE_INTEGER_MAX = 9007199254740991;
