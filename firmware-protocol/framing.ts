/**
 * Frames (protocol.md, "Frames"): COBS( version u8 | channel u8 | session u8 | flags u8 | seq u16 | ack u16 |
 * payload | CRC-32 ) 0x00, little-endian. COBS (Cheshire & Baker 1999) removes the bytes 0x00, so a zero
 * always ends a frame, even if bytes before it were lost (protocol.md, "Delimiters"). This file finds frames
 * in bytes. It does not know the meaning of a frame.
 */
import { CobsDecoder, cobsBytesMax, cobsEncode } from './cobs.js';
import { crc32 } from './crc.js';
import { findByte } from './find-byte.js';
import {
  FAULT_BYTES_KEPT,
  FRAME_BYTES_MAX,
  FRAME_CRC_BYTES,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
} from './limits.js';

/** Version of the layout. It changes only with the major version of the protocol. */
export const FRAME_VERSION = 1;

/**
 * The kind of message in a frame. The channel `open` carries HELLO and its answer in every version of the
 * protocol.
 */
export const CHANNEL = { open: 0, command: 1, sample: 2, stop: 3 } as const;
/** The code of a channel, as frames carry it. */
export type Channel = (typeof CHANNEL)[keyof typeof CHANNEL];

/** Flag: send every command frame after `ack` again. */
export const FLAG_NAK = 1;

/** A frame without its payload. */
export interface FrameHeader {
  readonly channel: Channel;
  /** The first byte of the session's nonce. */
  readonly session: number;
  /** Bits: `FLAG_NAK` or 0. */
  readonly flags: number;
  /** Number of this frame in its channel and direction, mod 2¹⁶. A frame without payload uses no number. */
  readonly seq: number;
  /**
   * Number, mod 2¹⁶, of the last frame of the command channel that came in order from the other side; a u16.
   */
  readonly ack: number;
}

/** A frame and its payload. */
export interface Frame extends FrameHeader {
  readonly payload: Uint8Array;
}

/**
 * The kinds of fault of the bytes between two delimiters: wrong COBS encoding, wrong CRC, too short, too
 * long, or a wrong header.
 */
export const FRAME_FAULTS = ['cobs', 'crc', 'short', 'oversize', 'header'] as const;
/** One of `FRAME_FAULTS`. */
export type FrameFault = (typeof FRAME_FAULTS)[number];

/** The result of decoding the bytes between two delimiters. */
export type DecodedItem =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | {
      readonly kind: 'fault';
      readonly fault: FrameFault;
      /** How many bytes on the wire were dropped. */
      readonly bytes: number;
      /** The first of these bytes for the log, at most FAULT_BYTES_KEPT. */
      readonly head: Uint8Array;
    };

/**
 * The length in bytes of the longest encoding on the wire of a frame of `frameBytes`, delimiter included.
 * Errors: none.
 */
export function wireBytesMax(frameBytes: number): number {
  return cobsBytesMax(frameBytes);
}

/**
 * Joins the parts of a payload in `raw` and returns the frame before COBS. Header and CRC are still missing.
 */
export function openFrame(raw: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  let end = FRAME_HEADER_BYTES;
  for (const part of parts) {
    raw.set(part, end);
    end += part.length;
  }
  return raw.subarray(0, end + FRAME_CRC_BYTES);
}

/**
 * Fills in header and CRC of a frame from `openFrame`, and encodes it. It may be called again with another
 * header. Returns the bytes on the wire with the delimiter. If `out` is given, they are in it; `out` must
 * hold `wireBytesMax` of the frame.
 */
export function sealFrame(raw: Uint8Array, header: FrameHeader, out?: Uint8Array): Uint8Array {
  raw[0] = FRAME_VERSION;
  raw[1] = header.channel;
  raw[2] = header.session;
  raw[3] = header.flags;
  raw[4] = header.seq;
  raw[5] = header.seq >>> 8;
  raw[6] = header.ack;
  raw[7] = header.ack >>> 8;
  const end = raw.length - FRAME_CRC_BYTES;
  const crc = crc32(raw.subarray(0, end));
  for (let i = 0; i < FRAME_CRC_BYTES; i++) raw[end + i] = crc >>> (8 * i);
  return cobsEncode(raw, out);
}

/**
 * The buffer in which a frame is built before COBS. All frames share it, because each is finished before the
 * next one begins.
 */
const scratch = new Uint8Array(FRAME_BYTES_MAX);

/**
 * The bytes on the wire, delimiter included. If `out` is given, they are in it; `out` must hold
 * `wireBytesMax` of the frame. Errors: none.
 */
export function encodeFrame(frame: Frame, out?: Uint8Array): Uint8Array {
  const length = FRAME_OVERHEAD_BYTES + frame.payload.length;
  const raw = length <= scratch.length ? scratch : new Uint8Array(length);
  return sealFrame(openFrame(raw, [frame.payload]), frame, out);
}

/**
 * Turns bytes into frames and faults, in order, with bounded memory (protocol.md, "Receiving frames"). It
 * never throws on input. The next 0x00 resynchronizes the decoder. A good frame between two delimiters is
 * never lost.
 */
export class FrameDecoder {
  readonly #cobs: CobsDecoder;
  readonly #frameBytesMax: number;
  readonly #wireBytesMax: number;
  /**
   * The first bytes since the last delimiter. If the bytes up to the next delimiter are a fault, the log
   * shows these.
   */
  readonly #head = new Uint8Array(FAULT_BYTES_KEPT);
  /** How many bytes came since the last delimiter, including those beyond the bound. */
  #seen = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
    this.#wireBytesMax = wireBytesMax(frameBytesMax);
    this.#cobs = new CobsDecoder(this.#wireBytesMax);
  }

  /** The first bytes since the last delimiter, at most FAULT_BYTES_KEPT. */
  get pendingHead(): Uint8Array {
    return this.#head.slice(0, this.#seen);
  }

  /** Forgets the bytes since the last delimiter. */
  reset(): void {
    this.#cobs.end();
    this.#seen = 0;
  }

  /** Returns the frames and faults that `chunk` completes, in a list that the caller may keep. */
  push(chunk: Uint8Array): DecodedItem[] {
    const items: DecodedItem[] = [];
    this.decode(chunk, (item) => {
      if (item.kind === 'fault') items.push(item);
      else items.push({ ...item, frame: { ...item.frame, payload: item.frame.payload.slice() } });
    });
    return items;
  }

  /**
   * Hands over the frames and faults that `chunk` completes, one by one. The payload of a frame is valid only
   * during the call.
   */
  decode(chunk: Uint8Array, deliver: (item: DecodedItem) => void): void {
    for (let start = 0; start < chunk.length; ) {
      // Empty frames have no meaning. A line may carry many of them, so they must cost almost no time.
      if (this.#seen === 0 && chunk[start] === 0) {
        start++;
        continue;
      }
      const end = findByte(chunk, 0, start);
      this.#append(chunk, start, end);
      if (end === chunk.length) return;
      const item = this.#finish();
      if (item) deliver(item);
      start = end + 1;
    }
  }

  #append(chunk: Uint8Array, start: number, end: number): void {
    const seen = this.#seen;
    this.#seen += end - start;
    if (seen < FAULT_BYTES_KEPT)
      this.#head.set(chunk.subarray(start, Math.min(end, start + FAULT_BYTES_KEPT - seen)), seen);
    const taken = Math.min(this.#wireBytesMax - seen, end - start);
    if (taken > 0) this.#cobs.push(chunk, start, start + taken);
  }

  #finish(): DecodedItem | undefined {
    const seen = this.#seen;
    const raw = this.#cobs.bytes;
    const size = this.#cobs.end();
    this.#seen = 0;
    // Two delimiters without bytes between them are not a fault (protocol.md, "Delimiters").
    if (seen === 0) return undefined;
    const fault = (kind: FrameFault): DecodedItem => ({
      kind: 'fault',
      fault: kind,
      bytes: seen,
      head: this.#head.slice(0, seen),
    });
    if (seen > this.#wireBytesMax) return fault('oversize');
    if (size < 0) return fault('cobs');
    if (size < FRAME_OVERHEAD_BYTES) return fault('short');
    if (size > this.#frameBytesMax) return fault('oversize');
    const end = size - FRAME_CRC_BYTES;
    const stored = (raw[end] | (raw[end + 1] << 8) | (raw[end + 2] << 16) | (raw[end + 3] << 24)) >>> 0;
    if (stored !== crc32(raw.subarray(0, end))) return fault('crc');
    const channel = raw[1];
    if (raw[0] !== FRAME_VERSION || channel > CHANNEL.stop || (raw[3] & ~FLAG_NAK) !== 0)
      return fault('header');
    return {
      kind: 'frame',
      frame: {
        channel: channel as Channel,
        session: raw[2],
        flags: raw[3],
        seq: raw[4] | (raw[5] << 8),
        ack: raw[6] | (raw[7] << 8),
        payload: raw.subarray(FRAME_HEADER_BYTES, end),
      },
    };
  }
}
