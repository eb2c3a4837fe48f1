/**
 * Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): frees bytes of 0x00 at a cost of at most one byte in 254.
 * Every group is (length + 1, bytes without zero); each but the last implies a zero, except one of 254 bytes.
 *
 * The code byte after a zero lies just where the zero was. So data is copied in stretches and the code bytes (or zeros)
 * are set afterwards; only a full group, whose successor's code stands for no zero, ends a stretch.
 */
import { FRAME_BYTES_MAX } from './limits.js';

const GROUP_MAX = 254;
/** Nearer than this a loop finds a zero sooner than the engine's search, which costs a call. */
const NEAR = 24;

/** Longest encoding, delimiter included. */
export function cobsBytesMax(length: number): number {
  return length + 2 + Math.floor(length / GROUP_MAX);
}

/** Places to set after copying. One list for all: no call is interrupted by another. */
let places = new Int32Array(FRAME_BYTES_MAX + 2);
let values = new Uint8Array(FRAME_BYTES_MAX + 2);

function makeRoom(length: number): void {
  if (places.length >= length + 2) return;
  places = new Int32Array(length + 2);
  values = new Uint8Array(length + 2);
}

/** The encoding of `raw` with the delimiter; in `out` if that is given, which must hold `cobsBytesMax` bytes. */
export function cobsEncode(
  raw: Uint8Array,
  out: Uint8Array = new Uint8Array(cobsBytesMax(raw.length)),
): Uint8Array {
  const { length } = raw;
  makeRoom(length);
  let count = 0;
  /** The present stretch begins here in `raw`; its byte i goes to i + shift. */
  let stretch = 0;
  let shift = 1;
  /** First data byte of the present group. */
  let start = 0;
  let zero = nextZero(raw, 0);
  places[0] = 0;
  for (;;) {
    if (zero - start >= GROUP_MAX && start + GROUP_MAX < length) {
      values[count++] = GROUP_MAX + 1;
      start += GROUP_MAX;
      out.set(raw.subarray(stretch, start), stretch + shift);
      stretch = start;
      places[count] = start + shift;
      shift++;
    } else {
      const run = zero - start;
      values[count++] = run + 1;
      if (zero === length) break;
      places[count] = zero + shift;
      start = zero + 1;
      // Zeros come about as far apart as before.
      zero = run < NEAR ? nextZero(raw, start) : searchZero(raw, start);
    }
  }
  out.set(raw.subarray(stretch), stretch + shift);
  for (let i = 0; i < count; i++) out[places[i]] = values[i];
  out[length + shift] = 0;
  return out.subarray(0, length + shift + 1);
}

/** Decodes `length` bytes of one block (no delimiter) into `out`; the decoded length, or −1 for a malformed block. */
export function cobsDecode(block: Uint8Array, length: number, out: Uint8Array): number {
  makeRoom(length);
  let count = 0;
  /** The present stretch begins here in `block`, and there in `out`. */
  let stretch = 1;
  let write = 0;
  for (let code = 0; code < length; ) {
    const next = code + block[code];
    if (next === code || next > length) return -1;
    if (next === length) break;
    if (next - code <= GROUP_MAX) places[count++] = write + next - stretch;
    else {
      out.set(block.subarray(stretch, next), write);
      write += next - stretch;
      stretch = next + 1;
    }
    code = next;
  }
  if (stretch < length) {
    out.set(block.subarray(stretch, length), write);
    write += length - stretch;
  }
  for (let i = 0; i < count; i++) out[places[i]] = 0;
  return write;
}

/** Index of the first zero from `start` on, or the length. */
function nextZero(bytes: Uint8Array, start: number): number {
  const near = Math.min(bytes.length, start + NEAR);
  for (let i = start; i < near; i++) if (bytes[i] === 0) return i;
  return near === bytes.length ? near : searchZero(bytes, near);
}

function searchZero(bytes: Uint8Array, start: number): number {
  const zero = bytes.indexOf(0, start);
  return zero < 0 ? bytes.length : zero;
}
