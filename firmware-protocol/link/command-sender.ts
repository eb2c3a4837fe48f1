import { COMMAND_QUEUE_MAX, FRAME_BYTES_BEFORE_HELLO } from '../limits.js';
import type { LinkCounters } from './counters.js';
import type { FramePool } from './frame-pool.js';
import { RoundTripEstimate } from './round-trip.js';

/** The limits of what one side can receive. HELLO and its answer tell them. */
export interface LinkLimits {
  /** Largest frame: header, payload and CRC, before COBS. */
  readonly frameBytes: number;
  /** How many command frames may be unacknowledged at once. */
  readonly window: number;
  /** Largest number of unacknowledged command bytes. One frame is always allowed. */
  readonly inFlightBytes: number;
}

export const LIMITS_BEFORE_HELLO: LinkLimits = {
  frameBytes: FRAME_BYTES_BEFORE_HELLO,
  window: 1,
  inFlightBytes: FRAME_BYTES_BEFORE_HELLO,
};

/**
 * The link fails after this many consecutive timeouts without an acknowledgement (protocol.md,
 * "Retransmission").
 */
export const RETRIES_MAX = 8;

export interface InFlight {
  readonly seq: number;
  /** The frame before COBS. Header and CRC are filled in at each sending. */
  readonly raw: Uint8Array;
  sentAtMs: number;
  sendings: number;
}

/** Reduces a sequence number, or the distance of two numbers, mod 2¹⁶. */
export function wrapSequence(seq: number): number {
  return seq & 0xffff;
}

/**
 * The sending half of go-back-N. It knows which frames wait, which are in flight, and when they are sent
 * again.
 */
export class CommandSender {
  readonly #counters: LinkCounters;
  #limits: LinkLimits;
  readonly #pool: FramePool;
  readonly #queue: Uint8Array[] = [];
  readonly #inFlight: InFlight[] = [];
  /** Index in #inFlight of the frame to send next, or to send again. */
  #cursor = 0;
  #nextSeq = 0;
  /** How many messages of this session were queued, and how many of them were sent. */
  #queuedCount = 0;
  #sentCount = 0;
  #retries = 0;
  #roundTrip = new RoundTripEstimate();

  constructor(limits: LinkLimits, counters: LinkCounters, pool: FramePool) {
    this.#limits = limits;
    this.#counters = counters;
    this.#pool = pool;
  }

  /** Begins a session: numbers start at 0 and the queue is emptied (protocol.md, "Opening a session"). */
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

  /**
   * Sends every unacknowledged frame again and counts timeouts from 0, because the other side has shown that
   * it is alive.
   */
  resume(): void {
    this.#retries = 0;
    this.#cursor = 0;
  }

  /** How many messages can be queued now. */
  get freePlaces(): number {
    return COMMAND_QUEUE_MAX - this.#queue.length;
  }

  /**
   * How many messages of this session were sent at least once. Messages are sent in the order in which they
   * were queued.
   */
  get sentCount(): number {
    return this.#sentCount;
  }

  get unacknowledged(): number {
    return this.#queue.length + this.#inFlight.length;
  }

  get nextSeq(): number {
    return this.#nextSeq;
  }

  get roundTripMs(): number | undefined {
    return this.#roundTrip.roundTripMs;
  }

  /**
   * Whether the link has failed. A failed link sends no command frame until `resume` is called (protocol.md,
   * "Retransmission").
   */
  get failed(): boolean {
    return this.#retries >= RETRIES_MAX;
  }

  /** Queues a copy of a payload, given in parts. Returns its number in the session, from 1. */
  send(parts: readonly Uint8Array[]): number {
    if (this.freePlaces === 0) throw new Error('bug: command queue overrun');
    this.#queue.push(this.#pool.open(parts));
    return ++this.#queuedCount;
  }

  /**
   * Takes an acknowledgement. `nak` asks for every frame after `ack` again (protocol.md, "Acknowledgements").
   */
  takeAck(ack: number, nak: boolean, nowMs: number): void {
    const first = this.#inFlight[0];
    // The last acknowledged number is one before the first frame in flight, or before the next new frame.
    const lastAcked = wrapSequence((first ? first.seq : this.#nextSeq) - 1);
    const count = wrapSequence(ack - lastAcked);
    // An older acknowledgement changes nothing. An acknowledgement of a frame that was never sent is an
    // error, and is ignored.
    if (count > this.#inFlight.length || (count > 0 && this.#inFlight[count - 1].sendings === 0)) {
      if (count < 0x8000) this.#counters.acksInvalid++;
      return;
    }
    if (count > 0) {
      const newest = this.#inFlight[count - 1];
      // The round trip of a frame that was sent twice is not measured (protocol.md, "Retransmission").
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

  /** Returns the next frame to send, before COBS and without header and CRC, or undefined. */
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

  /**
   * The time at which the oldest unacknowledged frame is sent again, or undefined (protocol.md,
   * "Retransmission").
   */
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

  /** Moves frames from the queue into flight while both bounds allow it (protocol.md, "Window"). */
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
