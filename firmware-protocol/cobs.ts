/**
 * Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999). It encodes bytes without using 0x00, at a
 * cost of at most one byte in 254 (protocol.md, "Frames"). The data is cut into groups. A group is sent as
 * its code, which is its length + 1, and its bytes. None of these bytes is zero. Each group stands for its
 * bytes and one zero after them. The last group, and a full group of 254 bytes, stand for their bytes alone.
 *
 * The frame kernel encodes and decodes large frames. The code here is the definition, and handles all other
 * frames.
 */
import { findByte } from './find-byte.js';
import {
  newUnstuffer,
  stuffedInPlace,
  UNSTUFF_STATE,
  UNSTUFF_STATE_WORDS,
  type Unstuffer,
} from './frame-kernel/frame-buffers.js';

const GROUP_MAX = 254;
/** This many bytes of a group are copied one by one. The rest is copied as a whole, which costs two calls. */
const SHORT_GROUP = 32;
/**
 * Blocks up to this length are decoded in a small plain buffer. No block on a serial line with a known rate
 * is longer.
 */
const SHORT_BYTES_MAX = 12_288;

/** The length of the longest encoding, delimiter included. */
export function cobsBytesMax(length: number): number {
  return length + 2 + Math.floor(length / GROUP_MAX);
}

/**
 * Returns the encoding of `raw` with the delimiter. If `out` is given, the encoding is in it. `out` must then
 * hold `cobsBytesMax` bytes, and any of its bytes may change.
 */
export function cobsEncode(
  raw: Uint8Array,
  out: Uint8Array = new Uint8Array(cobsBytesMax(raw.length)),
): Uint8Array {
  const { length } = raw;
  const stuffed = stuffedInPlace(raw, out, cobsBytesMax(length));
  if (stuffed) return stuffed;
  /**
   * The index in `raw` of the first byte of the present group, and the offset by which its bytes move in
   * `out`.
   */
  let start = 0;
  let shift = 1;
  /** The index of the zero that was found last. */
  let zero = -1;
  for (;;) {
    const limit = Math.min(start + GROUP_MAX, length);
    const soon = Math.min(start + SHORT_GROUP, limit);
    let end = start;
    for (; end < soon && raw[end] !== 0; end++) out[end + shift] = raw[end];
    if (end === soon && soon < limit) {
      if (zero < soon) zero = findByte(raw, 0, soon);
      end = Math.min(zero, limit);
      out.set(raw.subarray(soon, end), soon + shift);
    }
    out[start + shift - 1] = end - start + 1;
    if (end === length) break;
    // The code of the next group takes the place of a zero. A full group stands for no zero, so the code
    // after it is an additional byte.
    if (end - start === GROUP_MAX) shift++;
    else end++;
    start = end;
  }
  out[length + shift] = 0;
  return out.subarray(0, length + shift + 1);
}

/**
 * Decodes one block after another, each in pieces as they arrive. Each block overwrites `bytes` from its
 * start. `bytesMax` is the length of the longest block.
 */
export class CobsDecoder {
  readonly #bytesMax: number;
  /** Grows once, with the first long block. Few links ever see such a block. */
  #bytes: Uint8Array;
  /** The frame kernel's decoder, used from the first long block on. */
  #unstuffer: Unstuffer | undefined;
  /** The state that one piece leaves for the next piece. */
  #state: Int32Array = new Int32Array(UNSTUFF_STATE_WORDS);
  /** Number of bytes decoded so far. */
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#bytes = new Uint8Array(Math.min(bytesMax, SHORT_BYTES_MAX));
  }

  /** The content of the present block, or of the block that has just ended. The next `push` may move it. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Takes `piece[start…end)`, which has no delimiter in it. */
  push(piece: Uint8Array, start: number, end: number): void {
    if (this.#length + end - start > this.#bytes.length) this.#grow();
    if (this.#unstuffer) this.#length += this.#unstuffer.push(piece, start, end, this.#length);
    else this.#decode(piece, start, end);
  }

  /**
   * Copies the whole piece. It then replaces each code that stands for a zero by that zero, and removes the
   * other codes.
   */
  #decode(piece: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    const state = this.#state;
    bytes.set(start === 0 && end === piece.length ? piece : piece.subarray(start, end), this.#length);
    /** Byte i of the piece was copied to i + first. */
    const first = this.#length - start;
    /** The bytes from here on have to move to the left by the number of removed codes. */
    let from = start;
    let places = 0;
    let impliesZero = state[UNSTUFF_STATE.impliesZero];
    let code = start + state[UNSTUFF_STATE.left];
    while (code < end) {
      const value = piece[code];
      if (value === 0) state[UNSTUFF_STATE.malformed] = 1;
      if (impliesZero) bytes[code + first] = 0;
      else {
        if (places > 0) bytes.copyWithin(from + first - places, from + first, code + first);
        from = code + 1;
        places++;
      }
      impliesZero = value <= GROUP_MAX ? 1 : 0;
      code += value === 0 ? 1 : value;
    }
    if (places > 0) bytes.copyWithin(from + first - places, from + first, end + first);
    this.#length = end + first - places;
    state[UNSTUFF_STATE.impliesZero] = impliesZero;
    state[UNSTUFF_STATE.left] = code - end;
  }

  #grow(): void {
    this.#unstuffer = newUnstuffer(this.#bytesMax);
    const bytes = this.#unstuffer?.bytes ?? new Uint8Array(this.#bytesMax);
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
    if (!this.#unstuffer) return;
    this.#unstuffer.state.set(this.#state);
    this.#state = this.#unstuffer.state;
  }

  /** Ends the block. Returns the length of its content in `bytes`, or −1 if the block was malformed. */
  end(): number {
    const state = this.#state;
    const isWhole = state[UNSTUFF_STATE.left] === 0 && state[UNSTUFF_STATE.malformed] === 0;
    const length = isWhole ? this.#length : -1;
    this.#length = 0;
    state.fill(0);
    return length;
  }
}
