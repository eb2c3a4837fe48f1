import type { Channel, FrameHeader } from '../framing.js';

/** One frame as it passed, without its content. */
export interface FrameNote {
  readonly direction: 'sent' | 'received';
  readonly atMs: number;
  readonly channel: Channel;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly payloadBytes: number;
}

/** Frames that are remembered, for the error of an operation that failed. */
const FRAMES_KEPT = 16;

/** The last frames both ways: a ring that costs a few stores a frame. */
export class FrameLog {
  readonly #ring: FrameNote[] = [];
  #next = 0;

  add(
    direction: FrameNote['direction'],
    { channel, seq, ack, flags }: FrameHeader,
    payloadBytes: number,
    atMs: number,
  ): void {
    this.#ring[this.#next] = { direction, atMs, channel, seq, ack, flags, payloadBytes };
    this.#next = (this.#next + 1) % FRAMES_KEPT;
  }

  /** Oldest first. */
  get notes(): readonly FrameNote[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
  }
}
