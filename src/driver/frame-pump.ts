import type { Clock } from '../../firmware-protocol/clock.js';
import type { Link } from '../../firmware-protocol/link/link.js';
import type { Port } from '../../firmware-protocol/port.js';

export interface FramePumpEvents {
  /** A frame was written, and another command can be queued. */
  hasRoom(): void;
  /** Writing to the port failed. */
  failed(portName: string, cause: unknown): void;
  /** The link has failed: nobody acknowledges. */
  silent(portName: string): void;
}

/** Writes the frames of a link to a port, one at a time, and wakes when a frame must be sent again. */
export class FramePump {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #events: FramePumpEvents;
  /** Undefined while the port is lost, and after the end. */
  #port: Port | undefined;
  #pumping = false;
  #again = false;
  #cancelTimer: (() => void) | undefined;

  constructor(link: Link, clock: Clock, events: FramePumpEvents) {
    this.#link = link;
    this.#clock = clock;
    this.#events = events;
  }

  get attached(): boolean {
    return this.#port !== undefined;
  }

  attach(port: Port): void {
    this.#port = port;
  }

  /** Writes nothing from now on. A write in progress ends by itself. */
  detach(): void {
    this.#port = undefined;
    this.#cancelTimer?.();
  }

  /**
   * Writes the acknowledgement that is owed, if nothing else waits. Without it a board would repeat its last
   * answer. The write has begun when this returns; after that the port may be detached. Errors: none.
   */
  async acknowledge(): Promise<void> {
    const port = this.#port;
    if (!port || this.#pumping || this.#link.unacknowledged > 0 || !this.#link.owesAcknowledgement) return;
    const bytes = this.#poll();
    if (bytes) await port.write(bytes).catch(() => undefined);
  }

  /** Writes the frames that the link has to send. */
  wake(): void {
    this.#again = true;
    const port = this.#port;
    if (this.#pumping || !port) return;
    this.#pump(port).catch((cause: unknown) => {
      // If the pump has another port now, the old port was lost during this write. The new port waited for
      // the end of the write and starts now.
      if (this.#port === port) this.#events.failed(port.name, cause);
      else this.wake();
    });
  }

  async #pump(port: Port): Promise<void> {
    this.#pumping = true;
    try {
      this.#cancelTimer?.();
      while (this.#again && this.#port === port) {
        this.#again = false;
        for (let bytes = this.#poll(); bytes && this.#port === port; bytes = this.#poll()) {
          await port.write(bytes);
          if (this.#link.canSend) this.#events.hasRoom();
        }
      }
      if (this.#link.failed && this.#port === port) this.#events.silent(port.name);
      const dueMs = this.#link.nextTimeoutMs;
      if (dueMs !== undefined && this.#port === port)
        this.#cancelTimer = this.#clock.schedule(dueMs - this.#clock.nowMs(), () => this.wake());
    } finally {
      // This must be in the same turn of the event loop as the last poll. Otherwise a wake-up in between
      // would be lost.
      this.#pumping = false;
    }
  }

  #poll(): Uint8Array | undefined {
    return this.#link.poll(this.#clock.nowMs());
  }
}
