/**
 * Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): frees bytes of 0x00 at a cost of at most one byte in 254.
 * Every group is (length + 1, bytes without zero); each but the last implies a zero, except one of 254 bytes.
 */

/** Runs from this length on are searched and copied by the engine's own routines, which cost a call each. */
const LONG_RUN = 32;
const GROUP_MAX = 254;

/** The encoding of `raw` with the delimiter. */
export function cobsEncode(raw: Uint8Array): Uint8Array {
  const out = new Uint8Array(raw.length + 2 + Math.floor(raw.length / GROUP_MAX));
  const { length } = raw;
  let write = 0;
  let start = 0;
  /** The first zero at or after `start`, once it is known: looked for again only when it has been passed. */
  let zero = -1;
  for (;;) {
    if (zero < start) zero = nextZero(raw, start);
    const end = Math.min(zero, length, start + GROUP_MAX);
    const run = end - start;
    out[write++] = run + 1;
    copy(raw, start, end, out, write);
    write += run;
    if (end === length) break;
    // A full group implies no zero: what follows it, a zero included, belongs to the next group.
    start = run === GROUP_MAX ? end : end + 1;
  }
  out[write++] = 0;
  return out.subarray(0, write);
}

/** Decodes `length` bytes of one block (no delimiter) into `out`; the decoded length, or −1 for a malformed block. */
export function cobsDecode(block: Uint8Array, length: number, out: Uint8Array): number {
  let write = 0;
  let read = 0;
  while (read < length) {
    const code = block[read++];
    const end = read + code - 1;
    if (code === 0 || end > length) return -1;
    copy(block, read, end, out, write);
    write += code - 1;
    read = end;
    if (code <= GROUP_MAX && read < length) out[write++] = 0;
  }
  return write;
}

/** Index of the first zero from `start` on, or Infinity. */
function nextZero(bytes: Uint8Array, start: number): number {
  const near = Math.min(bytes.length, start + LONG_RUN);
  for (let i = start; i < near; i++) if (bytes[i] === 0) return i;
  const zero = bytes.indexOf(0, near);
  return zero < 0 ? Number.POSITIVE_INFINITY : zero;
}

function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start < LONG_RUN) for (let i = start; i < end; i++) to[at++] = from[i];
  else to.set(from.subarray(start, end), at);
}
