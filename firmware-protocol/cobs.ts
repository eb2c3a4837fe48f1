/**
 * Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999): frees bytes of 0x00 at a cost of at most one byte in 254.
 * Every group is (length + 1, bytes without zero); each but the last implies a zero, except one of 254 bytes.
 *
 * The code byte after a zero lies just where the zero was. So data is copied as a whole and the code bytes (or zeros) are
 * set afterwards; only behind a full group, whose successor's code stands for no zero, it has to move by one.
 */
import { findZero } from './find-zero.js';
import { newFrameBuffers, stuffedInPlace } from './frame-kernel/frame-buffers.js';
import { FRAME_BYTES_MAX } from './limits.js';

const GROUP_MAX = 254;
/** Blocks up to here, serial lines' all, are decoded in a small plain buffer: their CRC would gain nothing. */
const SHORT_BYTES_MAX = 12_288;

/** Longest encoding, delimiter included. */
export function cobsBytesMax(length: number): number {
  return length + 2 + Math.floor(length / GROUP_MAX);
}

/** Places to set after copying, and where data moves. One list for all: no call is interrupted by another. */
let places = new Int32Array(FRAME_BYTES_MAX + 2);
let values = new Uint8Array(FRAME_BYTES_MAX + 2);
let moves = new Int32Array(FRAME_BYTES_MAX + 2);

function makeRoom(length: number): void {
  if (places.length >= length + 2) return;
  places = new Int32Array(length + 2);
  values = new Uint8Array(length + 2);
  moves = new Int32Array(length + 2);
}

/** The encoding of `raw` with the delimiter; in `out` if that is given, which must hold `cobsBytesMax` bytes and may all change. */
export function cobsEncode(
  raw: Uint8Array,
  out: Uint8Array = new Uint8Array(cobsBytesMax(raw.length)),
): Uint8Array {
  const { length } = raw;
  const stuffed = stuffedInPlace(raw, out, cobsBytesMax(length));
  if (stuffed) return stuffed;
  makeRoom(length);
  let count = 0;
  let fullGroups = 0;
  /** First data byte of the present group. */
  let start = 0;
  let zero = findZero(raw, 0);
  places[0] = 0;
  for (;;) {
    if (zero - start >= GROUP_MAX && start + GROUP_MAX < length) {
      values[count++] = GROUP_MAX + 1;
      start += GROUP_MAX;
      moves[fullGroups++] = start;
      places[count] = start + fullGroups;
    } else {
      values[count++] = zero - start + 1;
      if (zero === length) break;
      places[count] = zero + 1 + fullGroups;
      start = zero + 1;
      // Zeros come in runs; the search costs a call.
      zero = raw[start] === 0 ? start : findZero(raw, start);
    }
  }
  // Everything goes where its last part belongs, then the other parts move to the left.
  const shift = 1 + fullGroups;
  out.set(raw, shift);
  for (let i = 0, from = 0; i < fullGroups; i++) {
    out.copyWithin(from + 1 + i, from + shift, moves[i] + shift);
    from = moves[i];
  }
  for (let i = 0; i < count; i++) out[places[i]] = values[i];
  out[length + shift] = 0;
  return out.subarray(0, length + shift + 1);
}

/**
 * Decodes one block after another, each in pieces as they arrive: every byte is copied once, straight to where it is
 * used. `bytes` is overwritten from its start by each block; `bytesMax` must hold the longest.
 */
export class CobsDecoder {
  readonly #bytesMax: number;
  /** Grows once: few links ever see a long block. */
  #bytes: Uint8Array;
  /** Decoded so far. */
  #length = 0;
  /** Bytes of the present group that have not come yet. */
  #left = 0;
  /** The next code byte stands for a zero. */
  #impliesZero = false;
  #malformed = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#bytes = new Uint8Array(Math.min(bytesMax, SHORT_BYTES_MAX));
  }

  /** Where the present block is, or the one that has ended; the next `push` may move it. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Takes `piece[start…end)`, which has no delimiter in it. */
  push(piece: Uint8Array, start: number, end: number): void {
    makeRoom(end - start);
    if (this.#length + end - start > this.#bytes.length) this.#grow();
    const bytes = this.#bytes;
    /** Byte i of the piece is copied to i + first; after the moves it is at i + shift. */
    const first = this.#length - start;
    let shift = first;
    let zeros = 0;
    let moveCount = 0;
    let impliesZero = this.#impliesZero;
    let code = start + this.#left;
    while (code < end) {
      const value = piece[code];
      if (value === 0) this.#malformed = true;
      if (impliesZero) places[zeros++] = code + shift;
      else {
        // This code byte stands for nothing: what follows moves up by one.
        moves[moveCount++] = code + 1;
        shift--;
      }
      impliesZero = value <= GROUP_MAX;
      code += value === 0 ? 1 : value;
    }
    bytes.set(start === 0 && end === piece.length ? piece : piece.subarray(start, end), this.#length);
    for (let i = 0; i < moveCount; i++) {
      const to = i + 1 < moveCount ? moves[i + 1] - 1 : end;
      bytes.copyWithin(moves[i] + first - 1 - i, moves[i] + first, to + first);
    }
    for (let i = 0; i < zeros; i++) bytes[places[i]] = 0;
    this.#length = end + shift;
    this.#left = code - end;
    this.#impliesZero = impliesZero;
  }

  #grow(): void {
    const [bytes] = newFrameBuffers([this.#bytesMax]);
    bytes.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = bytes;
  }

  /** Ends the block: how many of `bytes` are its content, or −1 if it was malformed. The next block begins. */
  end(): number {
    const length = this.#malformed || this.#left > 0 ? -1 : this.#length;
    this.#length = 0;
    this.#left = 0;
    this.#impliesZero = false;
    this.#malformed = false;
    return length;
  }
}
