import { CHANNEL, type Channel, openFrame } from '../framing.js';
import { FRAME_BYTES_MAX, UNSEQUENCED_QUEUE_MAX } from '../limits.js';
import { wrapSequence } from './command-sender.js';

/** A frame before COBS, without header and CRC. It is valid until the next one is asked for. */
export interface OnceFrame {
  readonly channel: Channel;
  readonly seq: number;
  readonly raw: Uint8Array;
  /**
   * Whether a delimiter goes before it, so that a frame cut off before it does not
   * spoil it (protocol.md, "Delimiters").
   */
  readonly behindDelimiter: boolean;
}

/** Sends what the link does not repeat: stop, open and samples. */
export class OnceSender {
  /** The place where a frame is put together. All share it, because none is sent again. */
  readonly #raw = new Uint8Array(FRAME_BYTES_MAX);
  /**
   * The stop and the open message that wait. A newer one replaces the older one, since senders repeat them.
   */
  #stop: Uint8Array | undefined;
  #open: Uint8Array | undefined;
  readonly #samples: Uint8Array[] = [];
  #sampleSeq = 0;
  #stopSeq = 0;

  /** Begins a session: numbers start at 0 and the queues are emptied. */
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

  /** Returns what passes everything else: a stop, else an open message (protocol.md, "Stop"). */
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

  /** Returns a frame of the command channel without payload. It only acknowledges, and consumes no number. */
  bare(nextSeq: number): OnceFrame {
    return { channel: CHANNEL.command, seq: nextSeq, raw: openFrame(this.#raw, []), behindDelimiter: false };
  }
}
