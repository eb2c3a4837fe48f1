/** Every bound of the contract in one place; the relations between them are asserted when the module loads. */

/** Largest unsigned integer of 16 and of 32 bits. */
export const U16_MAX = 65535;
export const U32_MAX = 4294967295;

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
export const DAMPING_MAX = U32_MAX;
export const SAFE_INTEGER_MAX = 9007199254740991;

/** Link limits. A frame's size counts header, payload and CRC, before COBS. */
export const FRAME_HEADER_BYTES = 8;
export const FRAME_CRC_BYTES = 4;
export const FRAME_OVERHEAD_BYTES = FRAME_HEADER_BYTES + FRAME_CRC_BYTES;
/** Until HELLO has told what the other side can, frames are at most this long and the window is 1. */
export const FRAME_BYTES_BEFORE_HELLO = 256;
export const FRAME_BYTES_MAX = 65536;
export const WINDOW_MAX = 1024;
/** Commands that wait for the window; a caller beyond it waits before it queues. */
export const COMMAND_QUEUE_MAX = 64;
/** Frames of the sample channel (blocks, credits) that wait for the port. */
export const UNSEQUENCED_QUEUE_MAX = 16;
/** Bytes of rubbish kept for the log from each fault. */
export const FAULT_BYTES_KEPT = 128;

/** Restricted MessagePack: anything beyond is rejected. */
export const ARRAY_ITEMS_MAX = 40;
export const ARRAY_DEPTH_MAX = 2;
export const TEXT_BYTES_MAX = 256;

/** Longest text in HELLO, so that the whole fits one frame of `FRAME_BYTES_BEFORE_HELLO`. */
export const IDENTITY_TEXT_BYTES_MAX = 24;
export const NONCE_BYTES = 8;
/** Sessions that have ended whose nonces a device remembers: a HELLO that was late must not open one of them again. */
export const ENDED_SESSIONS_MAX = 4;
export const BANKS = 2;
export const WATCHDOG_MS_MIN = 100;
export const WATCHDOG_MS_MAX = 60000;
export const WATCHDOG_MS_DEFAULT = 2000;
/** Cells and rows that a report of an overload names. */
export const OVERLOAD_INDICES_MAX = 32;
/** Answers kept for a request that is repeated. */
export const ANSWER_CACHE_MAX = 32;
/** Full sample blocks that wait in the device for a credit; then the run holds, or loses, its samples. */
export const BLOCK_QUEUE_MAX = 4;
/** Sent sample blocks that a device may be asked to keep, in case they are lost on the way. */
export const BLOCKS_KEPT_MAX = 64;

function require(holds: boolean, relation: string): void {
  if (!holds) throw new Error(`bug: limits are inconsistent: ${relation}`);
}

// What one tick needs to stay an exact integer (docs/reference/device-model.md, "Bounds").
require(RAIL_MAX % 1024 === 0, 'the rail is a multiple of one array step');
require(ROW_RAIL === RAIL_MAX / 1024, 'row amplifiers saturate where cells do');
require(CELLS_MAX * COUPLING_MAX * ROW_RAIL < SAFE_INTEGER_MAX, 'a dense row sum is exact');
require(ROW_SCALE_MAX * COUPLING_MAX * ROW_RAIL < SAFE_INTEGER_MAX, 'a factored column sum is exact');
require(DAMPING_MAX * ROW_RAIL < SAFE_INTEGER_MAX / 4, 'the damping term is exact');
require(NOISE_CODE_MAX * GAUSSIAN_MAX * 2 < 2147483648, 'a noise product fits 32 bits');
// What the link needs.
require(WINDOW_MAX < 32768, 'the window is under half of the sequence numbers');
require(ANSWER_CACHE_MAX <= WINDOW_MAX, 'the answer cache is bounded by the window');
require(FRAME_BYTES_BEFORE_HELLO <= FRAME_BYTES_MAX, 'HELLO fits the largest frame');
require(TEXT_BYTES_MAX < FRAME_BYTES_MAX, 'a text fits a frame');
