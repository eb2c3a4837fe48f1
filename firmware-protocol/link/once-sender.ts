import { CHANNEL, type Channel } from '../framing.js';
import { UNSEQUENCED_QUEUE_MAX } from '../limits.js';
import { wrapSequence } from './command-sender.js';
import type { FramePool } from './frame-pool.js';

/** A frame before COBS, without header and CRC. It is valid until the next call that asks for a frame. */
export interface OnceFrame {
  readonly channel: Channel;
  readonly seq: number;
  readonly raw: Uint8Array;
  /**
   * Whether a delimiter goes before the frame. It protects the frame from the rest of a frame that was cut
   * off (protocol.md, "Delimiters").
   */
  readonly behindDelimiter: boolean;
}

/** Sends the messages that the link does not repeat: stop, open and samples. */
export class OnceSender {
  readonly #pool: FramePool;
  /**
   * The stop and the open message that wait. A newer message replaces the older one, because senders repeat
   * them.
   */
  #stop: Uint8Array | undefined;
  #open: Uint8Array | undefined;
  /** The sample messages that wait, as frames of the pool. */
  readonly #samples: Uint8Array[] = [];
  /** The frame that was returned last. */
  #last: Uint8Array | undefined;
  #sampleSeq = 0;
  #stopSeq = 0;

  constructor(pool: FramePool) {
    this.#pool = pool;
  }

  /** Begins a session: numbers start at 0 and the queues are emptied. */
  begin(): void {
    this.#stop = undefined;
    this.#open = undefined;
    for (const raw of this.#samples.splice(0)) this.#pool.release(raw);
    this.#sampleSeq = 0;
    this.#stopSeq = 0;
  }

  get samplesQueued(): number {
    return this.#samples.length;
  }

  get canSendSample(): boolean {
    return this.#samples.length < UNSEQUENCED_QUEUE_MAX;
  }

  /** Queues a copy of a message, given in parts. */
  send(channel: Exclude<Channel, typeof CHANNEL.command>, parts: readonly Uint8Array[]): void {
    if (channel === CHANNEL.stop) this.#stop = this.#pool.open(parts);
    else if (channel === CHANNEL.open) this.#open = this.#pool.open(parts);
    else if (this.canSendSample) this.#samples.push(this.#pool.open(parts));
    else throw new Error('bug: sample queue overrun');
  }

  /**
   * Returns the frame that goes before all others: a stop; without a stop, an open message (protocol.md,
   * "Stop").
   */
  nextUrgent(): OnceFrame | undefined {
    const stop = this.#stop;
    if (stop) {
      this.#stop = undefined;
      const seq = this.#stopSeq;
      this.#stopSeq = wrapSequence(seq + 1);
      return { channel: CHANNEL.stop, seq, raw: this.#use(stop), behindDelimiter: true };
    }
    const open = this.#open;
    if (!open) return undefined;
    this.#open = undefined;
    return { channel: CHANNEL.open, seq: 0, raw: this.#use(open), behindDelimiter: true };
  }

  nextSample(): OnceFrame | undefined {
    const sample = this.#samples.shift();
    if (!sample) return undefined;
    const seq = this.#sampleSeq;
    this.#sampleSeq = wrapSequence(seq + 1);
    return { channel: CHANNEL.sample, seq, raw: this.#use(sample), behindDelimiter: false };
  }

  /** Returns a frame of the command channel without payload. It only acknowledges, and uses no number. */
  bare(nextSeq: number): OnceFrame {
    const raw = this.#use(this.#pool.open([]));
    return { channel: CHANNEL.command, seq: nextSeq, raw, behindDelimiter: false };
  }

  /** Returns the frame to send. The previous frame was written, so it goes back to the pool. */
  #use(raw: Uint8Array): Uint8Array {
    if (this.#last) this.#pool.release(this.#last);
    this.#last = raw;
    return raw;
  }
}
