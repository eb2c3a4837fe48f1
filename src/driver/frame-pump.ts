import type { Clock } from '../../firmware-protocol/clock.js';
import type { Link } from '../../firmware-protocol/link/link.js';
import type { Port } from '../../firmware-protocol/port.js';
import type { Logger } from './logger.js';

export interface FramePumpEvents {
  /** A frame was written, and another command can be queued. */
  hasRoom(): void;
  /** The port did not take a frame. */
  failed(portName: string, cause: unknown): void;
  /** The link has given up: nobody acknowledges. */
  silent(portName: string): void;
}

/** Writes what a link has to say to the port that is attached, one frame at a time, and wakes when a frame must be sent again. */
export class FramePump {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #events: FramePumpEvents;
  /** Undefined between a loss and the next attempt, and when all is over. */
  #port: Port | undefined;
  #pumping = false;
  #again = false;
  #cancelTimer: (() => void) | undefined;

  constructor(link: Link, clock: Clock, log: Logger, events: FramePumpEvents) {
    this.#link = link;
    this.#clock = clock;
    this.#log = log;
    this.#events = events;
  }

  get attached(): boolean {
    return this.#port !== undefined;
  }

  attach(port: Port): void {
    this.#port = port;
  }

  /** Nothing is written from now on; a write in progress ends by itself. */
  detach(): void {
    this.#port = undefined;
    this.#cancelTimer?.();
  }

  /** Lets the link write what it has to say. */
  wake(): void {
    this.#again = true;
    const port = this.#port;
    if (this.#pumping || !port) return;
    this.#pump(port).catch((cause: unknown) => {
      // The write that was in progress when its port was lost ends late: the next port waits for it.
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
          logFrame(this.#log, this.#link, 'sent');
          await port.write(bytes);
          if (this.#link.canSend) this.#events.hasRoom();
        }
      }
      if (this.#link.failed && this.#port === port) this.#events.silent(port.name);
      const dueMs = this.#link.nextTimeoutMs;
      if (dueMs !== undefined && this.#port === port)
        this.#cancelTimer = this.#clock.schedule(dueMs - this.#clock.nowMs(), () => this.wake());
    } finally {
      // In the same turn as the last look: a wake-up in between would find nobody.
      this.#pumping = false;
    }
  }

  #poll(): Uint8Array | undefined {
    return this.#link.poll(this.#clock.nowMs());
  }
}

/** The newest frame, at level trace. Of several that came in one chunk only the last is logged. */
export function logFrame(log: Logger, link: Link, direction: 'sent' | 'received'): void {
  if (log.isLevelEnabled('trace')) log.trace({ frame: link.frames.notes.at(-1) }, `frame ${direction}`);
}
