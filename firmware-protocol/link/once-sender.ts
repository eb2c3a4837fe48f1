import { CHANNEL, type Channel, openFrame } from '../framing.js';
import { FRAME_BYTES_MAX, UNSEQUENCED_QUEUE_MAX } from '../limits.js';
import { wrapSequence } from './command-sender.js';

/** A frame before COBS and without header and CRC. It is good until the next one is asked for. */
export interface OnceFrame {
  readonly channel: Channel;
  readonly seq: number;
  readonly raw: Uint8Array;
  /** A delimiter goes before it, so that what was cut off on the line before does not spoil it too. */
  readonly behindDelimiter: boolean;
}

/** What the link sends without sequence: stop, open and samples. Loss is counted, or the sender repeats by itself. */
export class OnceSender {
  /** Where a frame is put together: one for all, since none is sent again. */
  readonly #raw = new Uint8Array(FRAME_BYTES_MAX);
  /** At most one message a channel, stop before open: whoever sends them repeats them, so a newer one replaces. */
  #stop: Uint8Array | undefined;
  #open: Uint8Array | undefined;
  readonly #samples: Uint8Array[] = [];
  #sampleSeq = 0;
  #stopSeq = 0;

  /** A new session: numbers start at 0, and what was queued is forgotten. */
  begin(): void {
    this.#stop = undefined;
    this.#open = undefined;
    this.#samples.length = 0;
    this.#sampleSeq = 0;
    this.#stopSeq = 0;
  }

  get samplesQueued(): number {
    return this.#samples.length;
  }

  get canSendSample(): boolean {
    return this.#samples.length < UNSEQUENCED_QUEUE_MAX;
  }

  send(channel: Exclude<Channel, typeof CHANNEL.command>, payload: Uint8Array): void {
    if (channel === CHANNEL.stop) this.#stop = payload;
    else if (channel === CHANNEL.open) this.#open = payload;
    else if (this.canSendSample) this.#samples.push(payload);
    else throw new Error('bug: sample queue overrun');
  }

  /** What passes everything else: a stop, then an open. */
  nextUrgent(): OnceFrame | undefined {
    const stop = this.#stop;
    if (stop) {
      this.#stop = undefined;
      const seq = this.#stopSeq;
      this.#stopSeq = wrapSequence(seq + 1);
      return { channel: CHANNEL.stop, seq, raw: openFrame(this.#raw, [stop]), behindDelimiter: true };
    }
    const open = this.#open;
    if (!open) return undefined;
    this.#open = undefined;
    return { channel: CHANNEL.open, seq: 0, raw: openFrame(this.#raw, [open]), behindDelimiter: true };
  }

  nextSample(): OnceFrame | undefined {
    const sample = this.#samples.shift();
    if (!sample) return undefined;
    const seq = this.#sampleSeq;
    this.#sampleSeq = wrapSequence(seq + 1);
    return { channel: CHANNEL.sample, seq, raw: openFrame(this.#raw, [sample]), behindDelimiter: false };
  }

  /** A frame of the command channel without payload, which consumes no number: it only acknowledges. */
  bare(nextSeq: number): OnceFrame {
    return { channel: CHANNEL.command, seq: nextSeq, raw: openFrame(this.#raw, []), behindDelimiter: false };
  }
}
