/**
 * All bounds of the protocol and of the device model. The relations between them are checked when the module
 * loads.
 */

/** Largest unsigned integer of 16 and of 32 bits. */
export const U16_MAX = 65535;
export const U32_MAX = 4294967295;

/** Full scale V_fs in LSB of a cell voltage. */
export const FULL_SCALE = 1 << 24;
/** Largest rail, 1.25 V_fs, in LSB. */
export const RAIL_MAX = 20480 * 1024;
/** Clamp of a row amplifier's output, in 2⁻¹⁴ V_fs. */
export const ROW_RAIL = 20480;
export const CELLS_MAX = 8192;
export const ROWS_MAX = 4096;
/** Largest m · 2^ρ that a commit accepts. It keeps every intermediate below 2⁵³. */
export const ROW_SCALE_MAX = 8192;
export const ROW_ATTENUATION_MAX = 12;
/**
 * The number of nodes of the table of a row element, and the distance from one node to the next in 2⁻¹⁴ V_fs.
 */
export const ROW_TABLE_NODES = 161;
export const ROW_TABLE_STEP = 256;
/**
 * Largest magnitude of F − d of a row, including the offset of its amplifier (device-model.md, "Row
 * element").
 */
export const ROW_OUTPUT_MAX = 98304;
/** Largest `linearRows`. Any number above the rows of a program means that it has no row element. */
export const NO_ROW_ELEMENT = 65535;
export const COUPLING_BITS_MIN = 4;
export const COUPLING_BITS_MAX = 16;
export const COUPLING_MAX = 32767;
/** The coupling code of the unit conductance G_fs is 2 to this power. */
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

/** Limits of the link. The size of a frame counts header, payload and CRC, before COBS. */
export const FRAME_HEADER_BYTES = 8;
export const FRAME_CRC_BYTES = 4;
export const FRAME_OVERHEAD_BYTES = FRAME_HEADER_BYTES + FRAME_CRC_BYTES;
/**
 * Largest frame before HELLO has told how large a frame the other side takes (protocol.md, "Frames"). Until
 * then the window is 1.
 */
export const FRAME_BYTES_BEFORE_HELLO = 256;
export const FRAME_BYTES_MAX = 65536;
export const WINDOW_MAX = 1024;
/** Largest number of command messages that can wait for the window. */
export const COMMAND_QUEUE_MAX = 64;
/** Largest number of messages of the sample channel (blocks, credits) that can wait for the port. */
export const UNSEQUENCED_QUEUE_MAX = 16;
/** Largest number of bytes of each fault that are kept for the log. */
export const FAULT_BYTES_KEPT = 128;

/** Bounds of the restricted MessagePack (protocol.md, "Payloads"). */
export const ARRAY_ITEMS_MAX = 40;
export const ARRAY_DEPTH_MAX = 2;
export const TEXT_BYTES_MAX = 256;

/** Longest text in HELLO. With it, HELLO fits one frame of `FRAME_BYTES_BEFORE_HELLO`. */
export const IDENTITY_TEXT_BYTES_MAX = 24;
export const NONCE_BYTES = 8;
/**
 * How many ended sessions a device remembers. A late HELLO then does not open one of them again (protocol.md,
 * "Nonces").
 */
export const ENDED_SESSIONS_MAX = 4;
export const BANKS = 2;
export const WATCHDOG_MS_MIN = 100;
export const WATCHDOG_MS_MAX = 60000;
export const WATCHDOG_MS_DEFAULT = 2000;
/** Largest number of cells, and of rows, that the report of an overload names. */
export const OVERLOAD_INDICES_MAX = 32;
/** How many answers are kept for repeated requests (protocol.md, "At most once"). */
export const ANSWER_CACHE_MAX = 32;
/**
 * Largest number of full sample blocks that can wait in the device. If there is no room left, a run waits or
 * loses samples (protocol.md, "Blocks").
 */
export const BLOCK_QUEUE_MAX = 4;
/**
 * Largest number of sent sample blocks that a device keeps in case they are lost (protocol.md, "Kept
 * blocks").
 */
export const BLOCKS_KEPT_MAX = 64;
/**
 * Largest number of batches of a run whose samples the device averages, and of samples in a batch
 * (protocol.md, "Averages").
 */
export const AVERAGE_BATCHES_MAX = 32;
export const BATCH_SAMPLES_MAX = 65535;
/** Largest number of cells of a program for which a device adds up products of different cells. */
export const MOMENT_CELLS_MAX = 256;
/** The length of the longest calibration record of any board (protocol.md, "Calibration record"). */
export const CALIBRATION_BYTES_MAX = 1 << 20;
/** The longest duration of `identify`, ms. */
export const IDENTIFY_MS_MAX = 60_000;
/** The largest reading of a sensor: 1000 K, 1000 V. */
export const SENSOR_MAX = 1_000_000;

function require(holds: boolean, relation: string): void {
  if (!holds) throw new Error(`bug: limits are inconsistent: ${relation}`);
}

// These relations make every number of a tick an exact integer (device-model.md, "One tick").
require(RAIL_MAX % 1024 === 0, 'the rail is a multiple of one array step');
require(ROW_RAIL === RAIL_MAX / 1024, 'row amplifiers saturate where cells do');
require(CELLS_MAX * COUPLING_MAX * ROW_RAIL < SAFE_INTEGER_MAX, 'a dense row sum is exact');
require(ROW_SCALE_MAX * COUPLING_MAX * ROW_OUTPUT_MAX < SAFE_INTEGER_MAX, 'a factored column sum is exact');
require((ROW_TABLE_NODES - 1) * ROW_TABLE_STEP === 2 * ROW_RAIL, 'the row table spans the outputs of a row');
require(DAMPING_MAX * ROW_RAIL < SAFE_INTEGER_MAX / 4, 'the damping term is exact');
require(NOISE_CODE_MAX * GAUSSIAN_MAX * 2 < 2147483648, 'a noise product fits 32 bits');
// An ADC code is within ± 2¹⁵.
require(BATCH_SAMPLES_MAX * 32768 < 2147483648, 'the sum of a batch fits 32 bits');
require(AVERAGE_BATCHES_MAX * BATCH_SAMPLES_MAX * 1073741824 <
  SAFE_INTEGER_MAX, 'a sum of products is exact');
// The link relies on these relations.
require(WINDOW_MAX < 32768, 'the window is under half of the sequence numbers');
require(ANSWER_CACHE_MAX <= WINDOW_MAX, 'the answer cache is bounded by the window');
require(FRAME_BYTES_BEFORE_HELLO <= FRAME_BYTES_MAX, 'HELLO fits the largest frame');
require(TEXT_BYTES_MAX < FRAME_BYTES_MAX, 'a text fits a frame');
