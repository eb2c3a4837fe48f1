/**
 * Frames: COBS( version u8 | channel u8 | session u8 | flags u8 | seq u16 | ack u16 | payload | CRC-32 ) 0x00,
 * little-endian. COBS (Cheshire & Baker 1999) frees the bytes of 0x00, so a zero always ends a frame, whatever was lost
 * before it. "Is it a frame" is answered here; "what does it mean" is not.
 */
import { cobsBytesMax, cobsDecode, cobsEncode } from './cobs.js';
import { crc32 } from './crc.js';
import {
  FAULT_BYTES_KEPT,
  FRAME_BYTES_MAX,
  FRAME_CRC_BYTES,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
} from './limits.js';

/** Version of this layout. It changes only with the major version of the protocol. */
export const FRAME_VERSION = 1;

/** What a frame carries. `open` is frozen for ever: HELLO and its answer. */
export const CHANNEL = { open: 0, command: 1, sample: 2, stop: 3 } as const;
export type Channel = (typeof CHANNEL)[keyof typeof CHANNEL];

/** The receiver of command frames asks for everything after `ack` again. */
export const FLAG_NAK = 1;

export interface Frame {
  readonly channel: Channel;
  /** First byte of the session's nonce. */
  readonly session: number;
  readonly flags: number;
  /** Number of this frame in its channel and direction, mod 2¹⁶; an empty payload consumes none. */
  readonly seq: number;
  /** Last frame of the command channel received in order from the other side. */
  readonly ack: number;
  readonly payload: Uint8Array;
}

export const FRAME_FAULTS = ['cobs', 'crc', 'short', 'oversize', 'header'] as const;
export type FrameFault = (typeof FRAME_FAULTS)[number];

/** What the decoder makes of the bytes between two delimiters. */
export type DecodedItem =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | {
      readonly kind: 'fault';
      readonly fault: FrameFault;
      /** Bytes on the wire that were given up. */
      readonly bytes: number;
      /** The first of them, at most FAULT_BYTES_KEPT, for the log. */
      readonly head: Uint8Array;
    };

/** Longest encoding on the wire of a frame of `frameBytes`, delimiter included. */
export function wireBytesMax(frameBytes: number): number {
  return cobsBytesMax(frameBytes);
}

/** Where a frame is put together before it is stuffed: one for all, a frame is finished before the next is begun. */
const scratch = new Uint8Array(FRAME_BYTES_MAX);

/** The bytes on the wire, delimiter included; in `out` if that is given, which must hold `wireBytesMax` of the frame. */
export function encodeFrame(frame: Frame, out?: Uint8Array): Uint8Array {
  const { payload } = frame;
  const length = FRAME_OVERHEAD_BYTES + payload.length;
  const raw = length <= scratch.length ? scratch : new Uint8Array(length);
  raw[0] = FRAME_VERSION;
  raw[1] = frame.channel;
  raw[2] = frame.session;
  raw[3] = frame.flags;
  raw[4] = frame.seq;
  raw[5] = frame.seq >>> 8;
  raw[6] = frame.ack;
  raw[7] = frame.ack >>> 8;
  raw.set(payload, FRAME_HEADER_BYTES);
  const end = length - FRAME_CRC_BYTES;
  const crc = crc32(raw.subarray(0, end));
  for (let i = 0; i < FRAME_CRC_BYTES; i++) raw[end + i] = crc >>> (8 * i);
  return cobsEncode(raw.subarray(0, length), out);
}

/**
 * Push decoder with bounded memory: bytes in, frames and faults out, in order. Never throws on input; the next 0x00
 * resynchronises. A good frame between two delimiters is never lost.
 */
export class FrameDecoder {
  #block: Uint8Array;
  #raw: Uint8Array;
  #length = 0;
  /** Bytes seen since the last delimiter, those beyond the bound included. */
  #seen = 0;
  #frameBytesMax: number;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
    this.#block = new Uint8Array(wireBytesMax(frameBytesMax));
    this.#raw = new Uint8Array(wireBytesMax(frameBytesMax));
  }

  /** The first bytes, at most FAULT_BYTES_KEPT, of what has come since the last delimiter. */
  get pendingHead(): Uint8Array {
    return this.#block.slice(0, Math.min(this.#length, FAULT_BYTES_KEPT));
  }

  /** Forgets what has come since the last delimiter. */
  reset(): void {
    this.#length = 0;
    this.#seen = 0;
  }

  push(chunk: Uint8Array): DecodedItem[] {
    const items: DecodedItem[] = [];
    let start = 0;
    for (;;) {
      const zero = chunk.indexOf(0, start);
      const end = zero < 0 ? chunk.length : zero;
      this.#append(chunk, start, end);
      if (zero < 0) return items;
      const item = this.#finish();
      if (item) items.push(item);
      start = zero + 1;
    }
  }

  #append(chunk: Uint8Array, start: number, end: number): void {
    const room = this.#block.length - this.#length;
    const taken = Math.min(room, end - start);
    this.#block.set(chunk.subarray(start, start + taken), this.#length);
    this.#length += taken;
    this.#seen += end - start;
  }

  #finish(): DecodedItem | undefined {
    const seen = this.#seen;
    const length = this.#length;
    this.#seen = 0;
    this.#length = 0;
    // Delimiters may repeat: each side sends one first, and a stop is preceded by one.
    if (seen === 0) return undefined;
    const fault = (kind: FrameFault): DecodedItem => ({
      kind: 'fault',
      fault: kind,
      bytes: seen,
      head: this.#block.slice(0, Math.min(length, FAULT_BYTES_KEPT)),
    });
    if (seen > length) return fault('oversize');
    const size = cobsDecode(this.#block, length, this.#raw);
    if (size < 0) return fault('cobs');
    if (size < FRAME_OVERHEAD_BYTES) return fault('short');
    if (size > this.#frameBytesMax) return fault('oversize');
    const raw = this.#raw;
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
        payload: raw.slice(FRAME_HEADER_BYTES, end),
      },
    };
  }
}
