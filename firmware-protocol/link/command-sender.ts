import { newFrameBuffers, withSlack } from '../frame-kernel/frame-buffers.js';
import { openFrame, wireBytesMax } from '../framing.js';
import {
  COMMAND_QUEUE_MAX,
  FRAME_BYTES_BEFORE_HELLO,
  FRAME_BYTES_MAX,
  FRAME_OVERHEAD_BYTES,
} from '../limits.js';
import type { LinkCounters } from './counters.js';
import { RoundTripEstimate } from './round-trip.js';

/** What one side can take, told in HELLO. */
export interface LinkLimits {
  /** Largest frame: header, payload and CRC, before COBS. */
  readonly frameBytes: number;
  /** How many command frames may be unacknowledged at once. */
  readonly window: number;
  /** Unacknowledged command bytes; at least one frame always passes. */
  readonly inFlightBytes: number;
}

export const LIMITS_BEFORE_HELLO: LinkLimits = {
  frameBytes: FRAME_BYTES_BEFORE_HELLO,
  window: 1,
  inFlightBytes: FRAME_BYTES_BEFORE_HELLO,
};

/** Timeouts in a row without an acknowledgement after which the link gives up. */
export const RETRIES_MAX = 8;

/** Frames from this size on are kept in buffers that are used again: allocating them anew costs more than sending. */
const POOLED_BYTES_MIN = 4096;

/** Buffers made at once, when the first large frame is queued: as many as an upload has on the way. */
const POOLED_TOGETHER = 32;

/** Buffers for frames that wait for their acknowledgement. As many as were ever in use at once, which the queue bounds. */
class FramePool {
  #free: Uint8Array[] = [];
  #wire: Uint8Array | undefined;

  /** Where the pool's frames are stuffed fastest, with room for a delimiter before; undefined before the first. */
  get wire(): Uint8Array | undefined {
    return this.#wire;
  }

  /** A frame with the payload, `length` bytes in parts, in place. */
  open(parts: readonly Uint8Array[], length: number): Uint8Array {
    const size = length + FRAME_OVERHEAD_BYTES;
    if (size < POOLED_BYTES_MIN) return openFrame(new Uint8Array(size), parts);
    if (!this.#wire) {
      const pooled = new Array<number>(POOLED_TOGETHER).fill(FRAME_BYTES_MAX);
      [this.#wire, ...this.#free] = newFrameBuffers([
        withSlack(1 + wireBytesMax(FRAME_BYTES_MAX)),
        ...pooled,
      ]);
    }
    return openFrame(this.#free.pop() ?? new Uint8Array(FRAME_BYTES_MAX), parts);
  }

  /** The frame is not used any more. */
  release(raw: Uint8Array): void {
    if (raw.length >= POOLED_BYTES_MIN)
      this.#free.push(new Uint8Array(raw.buffer, raw.byteOffset, FRAME_BYTES_MAX));
  }
}

export interface InFlight {
  readonly seq: number;
  /** Before COBS; header and CRC are filled in at each sending. */
  readonly raw: Uint8Array;
  sentAtMs: number;
  sendings: number;
}

/** Sequence numbers and their distances are mod 2¹⁶. */
export function wrapSequence(seq: number): number {
  return seq & 0xffff;
}

/** The sending half of go-back-N: what waits, what is in flight, and when it must be sent again. */
export class CommandSender {
  readonly #counters: LinkCounters;
  #limits: LinkLimits;
  readonly #pool = new FramePool();
  readonly #queue: Uint8Array[] = [];
  readonly #inFlight: InFlight[] = [];
  /** Index in #inFlight of the next frame to send (again). */
  #cursor = 0;
  #nextSeq = 0;
  /** Messages of this session that were queued, and those of them that were sent. */
  #queuedCount = 0;
  #sentCount = 0;
  #retries = 0;
  #roundTrip = new RoundTripEstimate();

  constructor(limits: LinkLimits, counters: LinkCounters) {
    this.#limits = limits;
    this.#counters = counters;
  }

  /** A new session: numbers start at 0, and what was queued is forgotten. */
  begin(limits: LinkLimits): void {
    this.#limits = limits;
    for (const raw of this.#queue.splice(0)) this.#pool.release(raw);
    for (const { raw } of this.#inFlight.splice(0)) this.#pool.release(raw);
    this.#cursor = 0;
    this.#nextSeq = 0;
    this.#queuedCount = 0;
    this.#sentCount = 0;
    this.#retries = 0;
    this.#roundTrip = new RoundTripEstimate();
  }

  /** The other side has shown that it is alive: everything unacknowledged is sent again, patience starts anew. */
  resume(): void {
    this.#retries = 0;
    this.#cursor = 0;
  }

  /** Messages that can be queued now. */
  get freePlaces(): number {
    return COMMAND_QUEUE_MAX - this.#queue.length;
  }

  /** Messages of this session that were sent at least once: the first so many that were queued. */
  get sentCount(): number {
    return this.#sentCount;
  }

  get unacknowledged(): number {
    return this.#queue.length + this.#inFlight.length;
  }

  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** Where frames are stuffed fastest, with room for a delimiter before; undefined before the first large one. */
  get wire(): Uint8Array | undefined {
    return this.#pool.wire;
  }

  get roundTripMs(): number | undefined {
    return this.#roundTrip.roundTripMs;
  }

  /** Given up: nothing is sent again until an acknowledgement comes or `resume` is called. */
  get failed(): boolean {
    return this.#retries >= RETRIES_MAX;
  }

  /** Queues a payload of `length` bytes, copying its parts; its place among all of the session, from 1. */
  send(parts: readonly Uint8Array[], length: number): number {
    if (this.freePlaces === 0) throw new Error('bug: command queue overrun');
    this.#queue.push(this.#pool.open(parts, length));
    return ++this.#queuedCount;
  }

  /** Takes the acknowledgement of a frame; `nak` asks for everything after it again. */
  takeAck(ack: number, nak: boolean, nowMs: number): void {
    const first = this.#inFlight[0];
    // The last acknowledged is the one before the first in flight, or the last sent when none is.
    const lastAcked = wrapSequence((first ? first.seq : this.#nextSeq) - 1);
    const count = wrapSequence(ack - lastAcked);
    // Older acknowledgements arrive late without harm; one of a frame never sent must not be believed.
    if (count > this.#inFlight.length || (count > 0 && this.#inFlight[count - 1].sendings === 0)) {
      if (count < 0x8000) this.#counters.acksInvalid++;
      return;
    }
    if (count > 0) {
      const newest = this.#inFlight[count - 1];
      if (newest.sendings === 1) this.#roundTrip.measure(nowMs - newest.sentAtMs);
      for (const frame of this.#inFlight.splice(0, count)) this.#pool.release(frame.raw);
      this.#cursor = Math.max(0, this.#cursor - count);
      this.#retries = 0;
    }
    if (nak) {
      this.#counters.naksReceived++;
      this.#cursor = 0;
    }
  }

  /** The next frame to send, before COBS and without header and CRC, or undefined. */
  next(nowMs: number): Readonly<InFlight> | undefined {
    this.#checkTimeout(nowMs);
    this.#fillWindow();
    const command = this.#inFlight[this.#cursor];
    if (!command || this.failed) return undefined;
    this.#cursor++;
    if (command.sendings > 0) this.#counters.retransmissions++;
    else this.#sentCount++;
    command.sendings++;
    command.sentAtMs = nowMs;
    return command;
  }

  /** When the oldest unacknowledged frame must be sent again, or undefined. */
  get nextTimeoutMs(): number | undefined {
    const oldest = this.#inFlight[0];
    if (this.failed || !oldest || oldest.sendings === 0) return undefined;
    return oldest.sentAtMs + this.#roundTrip.timeoutMs;
  }

  #checkTimeout(nowMs: number): void {
    const dueMs = this.nextTimeoutMs;
    if (dueMs === undefined || nowMs < dueMs || this.#cursor === 0) return;
    this.#retries++;
    this.#roundTrip.backOff();
    this.#cursor = 0;
  }

  #fillWindow(): void {
    let inFlightBytes = 0;
    for (const frame of this.#inFlight) inFlightBytes += frame.raw.length;
    while (this.#queue.length > 0 && this.#inFlight.length < this.#limits.window) {
      inFlightBytes += this.#queue[0].length;
      if (this.#inFlight.length > 0 && inFlightBytes > this.#limits.inFlightBytes) return;
      this.#inFlight.push({ seq: this.#nextSeq, raw: this.#queue.shift()!, sentAtMs: 0, sendings: 0 });
      this.#nextSeq = wrapSequence(this.#nextSeq + 1);
    }
  }
}
