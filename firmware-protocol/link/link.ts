/**
 * The link: one state machine for both ends. Bytes and the time come in, messages and frames to write come out; it does
 * no I/O and has no clock.
 *
 * Command channel: go-back-N with cumulative acknowledgement, delivered in order and once within a session.
 * Sample, stop and open channels: sent once; loss is counted (sample), or the sender repeats by itself (stop, open).
 */
import {
  CHANNEL,
  type Channel,
  type DecodedItem,
  encodeFrame,
  FLAG_NAK,
  type Frame,
  FrameDecoder,
} from '../framing.js';
import {
  COMMAND_QUEUE_MAX,
  FRAME_BYTES_BEFORE_HELLO,
  FRAME_OVERHEAD_BYTES,
  UNSEQUENCED_QUEUE_MAX,
} from '../limits.js';
import { type LinkCounters, linkCounters } from './counters.js';
import { FrameLog, type FrameNote } from './frame-log.js';
import { RoundTripEstimate } from './round-trip.js';

/** What one side can take, told in HELLO. */
export interface LinkLimits {
  readonly frameBytes: number;
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

/** What came out of the bytes that were received. */
export type LinkEvent =
  | { readonly kind: 'message'; readonly channel: Channel; readonly payload: Uint8Array }
  | Extract<DecodedItem, { kind: 'fault' }>;

interface InFlight {
  readonly seq: number;
  readonly payload: Uint8Array;
  sentAtMs: number;
  sendings: number;
}

const wrap = (seq: number) => seq & 0xffff;

export class Link {
  readonly counters: LinkCounters = linkCounters();
  /** The last frames both ways. */
  readonly frames = new FrameLog();
  readonly #decoder: FrameDecoder;
  readonly #answersEverything: boolean;
  #session: number | undefined;
  #limits: LinkLimits = LIMITS_BEFORE_HELLO;

  readonly #queue: Uint8Array[] = [];
  readonly #inFlight: InFlight[] = [];
  /** Index in #inFlight of the next frame to send (again). */
  #cursor = 0;
  #nextSeq = 0;
  #expectedSeq = 0;
  /** Answers that still fit the queue; those to messages of the same `receive` are not in it yet. */
  #answerRoom = 0;
  #ackOwed = false;
  #nakOwed = false;
  /** A nak was sent for the present gap; another would only repeat it. */
  #nakSent = false;
  #retries = 0;
  #roundTrip = new RoundTripEstimate();

  /** At most one message a channel, stop before open: whoever sends them repeats them, so a newer one replaces. */
  #stop: Uint8Array | undefined;
  #open: Uint8Array | undefined;
  readonly #samples: Uint8Array[] = [];
  #sampleSeqOut = 0;
  #sampleSeqIn = 0;
  #stopSeqOut = 0;

  /**
   * `answersEverything`: a command is taken only while its answer can be queued; it is dropped unacknowledged
   * otherwise, and comes again. True for the device; if both ends did it, two full queues would wait for each other.
   */
  constructor(frameBytesMax: number, options: { readonly answersEverything: boolean }) {
    this.#answersEverything = options.answersEverything;
    this.#decoder = new FrameDecoder(frameBytesMax);
  }

  /** Starts a session: everything of an earlier one is forgotten, what was queued included. */
  openSession(nonce: Uint8Array, limits: LinkLimits): void {
    this.#begin(nonce[0], limits);
  }

  /** Ends it: the other side has gone. Nothing more is said until a session is opened. */
  closeSession(): void {
    this.#begin(undefined, LIMITS_BEFORE_HELLO);
  }

  #begin(session: number | undefined, limits: LinkLimits): void {
    this.#session = session;
    this.#limits = limits;
    this.#queue.length = 0;
    this.#inFlight.length = 0;
    this.#stop = undefined;
    this.#open = undefined;
    this.#samples.length = 0;
    this.#cursor = 0;
    this.#nextSeq = 0;
    this.#expectedSeq = 0;
    this.#ackOwed = false;
    this.#nakOwed = false;
    this.#nakSent = false;
    this.#retries = 0;
    this.#roundTrip = new RoundTripEstimate();
    this.#sampleSeqOut = 0;
    this.#sampleSeqIn = 0;
    this.#stopSeqOut = 0;
  }

  /** The beginning of what was received and is no complete frame yet. */
  get pendingHead(): Uint8Array {
    return this.#decoder.pendingHead;
  }

  get sessionOpen(): boolean {
    return this.#session !== undefined;
  }

  /** Longest payload that one frame to the other side can carry. */
  get payloadBytesMax(): number {
    return this.#limits.frameBytes - FRAME_OVERHEAD_BYTES;
  }

  get roundTripMs(): number | undefined {
    return this.#roundTrip.roundTripMs;
  }

  /** Whether another command message can be queued. */
  get canSend(): boolean {
    return this.#queue.length < COMMAND_QUEUE_MAX;
  }

  /** Command messages neither acknowledged nor given up. */
  get unacknowledged(): number {
    return this.#queue.length + this.#inFlight.length;
  }

  /** Whether another message of the sample channel can be queued. A stop and HELLO always can. */
  get canSendUnsequenced(): boolean {
    return this.#samples.length < UNSEQUENCED_QUEUE_MAX;
  }

  /** The link has given up; only a new session helps. */
  get failed(): boolean {
    return this.#retries >= RETRIES_MAX;
  }

  /** Messages of the sample channel that wait for the port. */
  get unsequencedQueued(): number {
    return this.#samples.length;
  }

  /** Queues a message of the command channel; check `canSend` first. */
  send(payload: Uint8Array): void {
    if (!this.canSend) throw new Error('bug: command queue overrun');
    if (payload.length > this.payloadBytesMax)
      throw new Error(`bug: payload of ${payload.length} bytes, the frame takes ${this.payloadBytesMax}`);
    this.#queue.push(payload);
  }

  /**
   * Queues a message of another channel. For the sample channel check `canSendUnsequenced` first. Stop and open pass all
   * others; a newer one takes the place of one that still waits.
   */
  sendUnsequenced(channel: Exclude<Channel, typeof CHANNEL.command>, payload: Uint8Array): void {
    if (channel === CHANNEL.stop) this.#stop = payload;
    else if (channel === CHANNEL.open) this.#open = payload;
    else if (this.canSendUnsequenced) this.#samples.push(payload);
    else throw new Error('bug: sample queue overrun');
  }

  /** Takes bytes from the port. */
  receive(bytes: Uint8Array, nowMs: number): LinkEvent[] {
    this.counters.bytesReceived += bytes.length;
    this.#answerRoom = COMMAND_QUEUE_MAX - this.#queue.length;
    const events: LinkEvent[] = [];
    for (const item of this.#decoder.push(bytes)) {
      if (item.kind === 'fault') {
        this.counters.faults[item.fault]++;
        events.push(item);
        continue;
      }
      const { frame } = item;
      if (frame.channel !== CHANNEL.open && frame.session !== this.#session) {
        this.counters.framesForeign++;
        continue;
      }
      this.counters.framesReceived++;
      this.#note('received', frame, nowMs);
      if (this.#accept(frame, nowMs))
        events.push({ kind: 'message', channel: frame.channel, payload: frame.payload });
    }
    return events;
  }

  /** Whether the frame carries a message to deliver. */
  #accept(frame: Frame, nowMs: number): boolean {
    if (frame.channel === CHANNEL.open) return frame.payload.length > 0;
    this.#takeAck(frame, nowMs);
    if (frame.payload.length === 0) return false;
    if (frame.channel === CHANNEL.stop) return true;
    if (frame.channel === CHANNEL.sample) {
      const skipped = wrap(frame.seq - this.#sampleSeqIn);
      // A frame from behind (a duplicate, or one that was overtaken) is no gap; its block number tells what it is.
      if (skipped < 0x8000) {
        this.counters.sampleFramesLost += skipped;
        this.#sampleSeqIn = wrap(frame.seq + 1);
      }
      return true;
    }
    if (frame.seq === this.#expectedSeq) {
      if (this.#answersEverything && this.#answerRoom-- <= 0) {
        this.counters.framesWithoutRoom++;
        return false;
      }
      this.#expectedSeq = wrap(this.#expectedSeq + 1);
      this.#ackOwed = true;
      this.#nakSent = false;
      return true;
    }
    if (wrap(this.#expectedSeq - frame.seq) <= 0x8000) {
      this.counters.framesDuplicate++;
      this.#ackOwed = true;
    } else {
      this.counters.framesOutOfOrder++;
      if (!this.#nakSent) this.#nakOwed = true;
    }
    return false;
  }

  #takeAck(frame: Frame, nowMs: number): void {
    const first = this.#inFlight[0];
    // The last acknowledged is the one before the first in flight, or the last sent when none is.
    const lastAcked = wrap((first ? first.seq : this.#nextSeq) - 1);
    const count = wrap(frame.ack - lastAcked);
    // Older acknowledgements arrive late without harm; one of a frame never sent must not be believed.
    if (count > this.#inFlight.length || (count > 0 && this.#inFlight[count - 1].sendings === 0)) {
      if (count < 0x8000) this.counters.acksInvalid++;
      return;
    }
    if (count > 0) {
      const newest = this.#inFlight[count - 1];
      if (newest.sendings === 1) this.#roundTrip.measure(nowMs - newest.sentAtMs);
      this.#inFlight.splice(0, count);
      this.#cursor = Math.max(0, this.#cursor - count);
      this.#retries = 0;
    }
    if ((frame.flags & FLAG_NAK) !== 0) {
      this.counters.naksReceived++;
      this.#cursor = 0;
    }
  }

  /**
   * The next bytes to write, or undefined when there is nothing to say now. Order: stop and open, the command channel,
   * samples, a bare acknowledgement.
   */
  poll(nowMs: number): Uint8Array | undefined {
    const stop = this.#stop;
    if (stop) {
      this.#stop = undefined;
      const seq = this.#stopSeqOut;
      this.#stopSeqOut = wrap(seq + 1);
      return this.#emit(CHANNEL.stop, seq, stop, nowMs);
    }
    const open = this.#open;
    if (open) {
      this.#open = undefined;
      return this.#emit(CHANNEL.open, 0, open, nowMs);
    }
    if (this.#session === undefined) return undefined;
    this.#checkTimeout(nowMs);
    this.#fillWindow();
    const command = this.#inFlight[this.#cursor];
    if (command && !this.failed) {
      this.#cursor++;
      if (command.sendings > 0) this.counters.retransmissions++;
      command.sendings++;
      command.sentAtMs = nowMs;
      return this.#emit(CHANNEL.command, command.seq, command.payload, nowMs);
    }
    const sample = this.#samples.shift();
    if (sample) {
      const seq = this.#sampleSeqOut;
      this.#sampleSeqOut = wrap(seq + 1);
      return this.#emit(CHANNEL.sample, seq, sample, nowMs);
    }
    if (this.#ackOwed || this.#nakOwed)
      return this.#emit(CHANNEL.command, this.#nextSeq, new Uint8Array(0), nowMs);
    return undefined;
  }

  /** A frame without a message: acknowledges, and feeds the other side's watchdog. */
  keepAlive(): void {
    this.#ackOwed = true;
  }

  /** When `poll` should be called again even if nothing arrives, or undefined. */
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
    for (const frame of this.#inFlight) inFlightBytes += frame.payload.length + FRAME_OVERHEAD_BYTES;
    while (this.#queue.length > 0 && this.#inFlight.length < this.#limits.window) {
      inFlightBytes += this.#queue[0].length + FRAME_OVERHEAD_BYTES;
      if (this.#inFlight.length > 0 && inFlightBytes > this.#limits.inFlightBytes) return;
      this.#inFlight.push({ seq: this.#nextSeq, payload: this.#queue.shift()!, sentAtMs: 0, sendings: 0 });
      this.#nextSeq = wrap(this.#nextSeq + 1);
    }
  }

  #emit(channel: Channel, seq: number, payload: Uint8Array, nowMs: number): Uint8Array {
    const flags = this.#nakOwed && channel !== CHANNEL.open ? FLAG_NAK : 0;
    if (channel !== CHANNEL.open) {
      if (flags) {
        this.counters.naksSent++;
        this.#nakSent = true;
      }
      this.#nakOwed = false;
      this.#ackOwed = false;
    }
    const ack = channel === CHANNEL.open ? 0 : wrap(this.#expectedSeq - 1);
    const frame = { channel, session: this.#session ?? 0, flags, seq, ack, payload };
    const bytes = encodeFrame(frame);
    this.#note('sent', frame, nowMs);
    this.counters.framesSent++;
    this.counters.bytesSent += bytes.length;
    return bytes;
  }

  #note(direction: FrameNote['direction'], frame: Frame, nowMs: number): void {
    const { channel, seq, ack, flags, payload } = frame;
    this.frames.add({ direction, atMs: nowMs, channel, seq, ack, flags, payloadBytes: payload.length });
  }
}
