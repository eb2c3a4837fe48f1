/** Bits per second of a wire whose rate nobody gave. */
export const BAUD_RATE_DEFAULT = 115_200;

/** Longest frame on a serial port. */
const FRAME_BYTES_MAX = 8192;
/** The smallest limit of a frame that the protocol allows. */
const FRAME_BYTES_MIN = 256;
/** One frame keeps the line busy for at most this long, so that a stop gets through. */
const FRAME_MS = 20;
/** Unacknowledged commands keep the line busy for at most this long: the system does not give bytes back. */
const IN_FLIGHT_MS = 50;
/** Unacknowledged bytes where no rate is known: USB full speed carries as much in 50 ms. */
const IN_FLIGHT_BYTES_WITHOUT_RATE = 65536;
/** A start bit, 8 data bits, a stop bit. */
const BITS_PER_BYTE = 10;

/**
 * How many bytes a line of this rate should carry at once; `undefined` stands for a rate that means nothing.
 */
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
