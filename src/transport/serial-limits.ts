/** Bits per second of a wire if no rate is given. */
export const BAUD_RATE_DEFAULT = 115_200;

/** Longest frame on a serial port. */
const FRAME_BYTES_MAX = 8192;
/** The smallest limit of a frame that the protocol allows. */
const FRAME_BYTES_MIN = 256;
/** Longest time of one frame on the line. A stop must not wait longer. */
const FRAME_MS = 20;
/**
 * Longest time of all unacknowledged commands on the line. Bytes that the system has taken cannot be
 * recalled.
 */
const IN_FLIGHT_MS = 50;
/** Largest number of unacknowledged bytes without a rate. USB full speed transfers about as many in 50 ms. */
const IN_FLIGHT_BYTES_WITHOUT_RATE = 65536;
/** A start bit, 8 data bits, a stop bit. */
const BITS_PER_BYTE = 10;

/** Limits of the bytes on a line of this rate; `undefined` means that a rate has no meaning. */
export function serialLimits(baudRate: number | undefined): {
  readonly frameBytesMax: number;
  readonly inFlightBytesMax: number;
} {
  if (baudRate === undefined)
    return { frameBytesMax: FRAME_BYTES_MAX, inFlightBytesMax: IN_FLIGHT_BYTES_WITHOUT_RATE };
  const bytesIn = (ms: number): number => Math.floor((baudRate * ms) / (1000 * BITS_PER_BYTE));
  const frameBytesMax = Math.min(FRAME_BYTES_MAX, Math.max(FRAME_BYTES_MIN, bytesIn(FRAME_MS)));
  return { frameBytesMax, inFlightBytesMax: Math.max(frameBytesMax, bytesIn(IN_FLIGHT_MS)) };
}
