import type { Channel, FrameHeader } from '../framing.js';

/** One frame that was sent or received, without its payload. */
export interface FrameNote {
  readonly direction: 'sent' | 'received';
  readonly atMs: number;
  readonly channel: Channel;
  readonly seq: number;
  readonly ack: number;
  readonly flags: number;
  readonly payloadBytes: number;
}

/** How many frames are remembered. The error of a failed operation shows them. */
const FRAMES_KEPT = 16;

/** Remembers the last frames of both directions in a ring. */
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

  /** The remembered frames, oldest first. */
  get notes(): readonly FrameNote[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
  }
}
