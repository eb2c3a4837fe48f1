import { newFrameBuffers, withSlack } from '../frame-kernel/frame-buffers.js';
import { openFrame, wireBytesMax } from '../framing.js';
import { FRAME_BYTES_MAX, FRAME_OVERHEAD_BYTES } from '../limits.js';

/**
 * Frames of this size and larger use pooled buffers, because allocating them costs more than sending them.
 */
const POOLED_BYTES_MIN = 4096;

/**
 * The number of buffers made with the first large frame. An upload, or a stream of samples, has this many
 * frames on the way.
 */
const POOLED_TOGETHER = 32;

/** Buffers for frames that wait to be sent or acknowledged. The queues bound their number. */
export class FramePool {
  #free: Uint8Array[] = [];
  #wire: Uint8Array | undefined;

  /**
   * The buffer in which COBS encodes the pool's frames fastest, with room for a delimiter in front. Undefined
   * before the first frame.
   */
  get wire(): Uint8Array | undefined {
    return this.#wire;
  }

  /** Returns a frame with the payload, given in parts, copied into it. */
  open(parts: readonly Uint8Array[]): Uint8Array {
    let size = FRAME_OVERHEAD_BYTES;
    for (const part of parts) size += part.length;
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

  /** Takes the buffer of a frame back. */
  release(raw: Uint8Array): void {
    if (raw.length >= POOLED_BYTES_MIN)
      this.#free.push(new Uint8Array(raw.buffer, raw.byteOffset, FRAME_BYTES_MAX));
  }
}
