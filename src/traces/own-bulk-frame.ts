import { CHANNEL, FRAME_VERSION, type Frame } from '../../firmware-protocol/framing.js';
import { FRAME_BYTES_MAX, FRAME_CRC_BYTES, FRAME_HEADER_BYTES } from '../../firmware-protocol/limits.js';

/**
 * Shortest frame of which only the head is decoded, in bytes on the wire. Shorter frames are decoded
 * completely.
 */
export const BULK_WIRE_BYTES_MIN = 2048;
/** Header of the frame, and the message up to its bulk data: at most 15 numbers of 9 bytes. */
const HEAD_BYTES = 160;
/**
 * In MessagePack: first byte of an array of 0 to 15 items; width of the length of bulk data, by its first
 * byte.
 */
const [ARRAY, ARRAY_MASK] = [0x90, 0xf0];
const BULK_LENGTH_WIDTH: Readonly<Record<number, number>> = { 196: 1, 197: 2, 198: 4 };
/** In MessagePack: number of bytes of an unsigned number, by its first byte. */
const NUMBER_BYTES: Readonly<Record<number, number>> = { 204: 2, 205: 3, 206: 5, 207: 9 };

/** The payload of the last frame. Only its head is set; the rest is zero. */
const payloads = new Uint8Array(FRAME_BYTES_MAX);
const head = new Uint8Array(HEAD_BYTES);

/**
 * A long frame that this program itself has written. Its bulk data are neither decoded nor checked; zeros
 * replace them in the message. `wire[start…end)` are its bytes without the delimiter. The payload is valid
 * until the next call. Undefined if the message does not consist of numbers and bulk data at its end.
 */
export function ownBulkFrame(wire: Uint8Array, start: number, end: number): Frame | undefined {
  if (!unstuffHead(wire, start, end) || head[0] !== FRAME_VERSION || head[1] !== CHANNEL.command)
    return undefined;
  const bulk = bulkOf(head);
  if (!bulk) return undefined;
  const payloadBytes = bulk.at - FRAME_HEADER_BYTES + bulk.length;
  // Stuffing adds one byte at the beginning, and at most one for every 254 bytes.
  const added = end - start - (FRAME_HEADER_BYTES + payloadBytes + FRAME_CRC_BYTES);
  if (added < 1 || added > 1 + (end - start) / 254) return undefined;
  payloads.fill(0, 0, HEAD_BYTES);
  payloads.set(head.subarray(FRAME_HEADER_BYTES, bulk.at));
  return {
    channel: CHANNEL.command,
    session: head[2],
    flags: head[3],
    seq: head[4] | (head[5] << 8),
    ack: head[6] | (head[7] << 8),
    payload: payloads.subarray(0, payloadBytes),
  };
}

/** Undoes the stuffing of the first bytes (`firmware-protocol/cobs.ts`). */
function unstuffHead(wire: Uint8Array, start: number, end: number): boolean {
  let length = 0;
  for (let at = start; length < HEAD_BYTES; ) {
    const code = wire[at];
    if (at + code > end || code === 0) return false;
    for (let i = 1; i < code && length < HEAD_BYTES; i++) head[length++] = wire[at + i];
    if (code < 255 && length < HEAD_BYTES) head[length++] = 0;
    at += code;
    if (at >= end) return length === HEAD_BYTES;
  }
  return true;
}

/** Position and length of the bulk data of the message. */
function bulkOf(bytes: Uint8Array): { readonly at: number; readonly length: number } | undefined {
  let at = FRAME_HEADER_BYTES;
  if ((bytes[at] & ARRAY_MASK) !== ARRAY) return undefined;
  const items = bytes[at++] - ARRAY;
  for (let item = 1; item < items; item++) {
    const type = bytes[at];
    const size = type <= 0x7f ? 1 : NUMBER_BYTES[type];
    if (size === undefined) return undefined;
    at += size;
  }
  const width = BULK_LENGTH_WIDTH[bytes[at++]];
  if (width === undefined) return undefined;
  let length = 0;
  for (let i = 0; i < width; i++) length = length * 256 + bytes[at++];
  return at + length <= FRAME_BYTES_MAX ? { at, length } : undefined;
}
