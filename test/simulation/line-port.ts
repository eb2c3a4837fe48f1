import type { Port } from '../../firmware-protocol/port.js';
import { ThermolinkError } from '../../src/errors.js';
import { PortEvents } from '../../src/transport/port-events.js';

export interface LineEnd {
  readonly frameBytesMax: number;
  /** Takes a copy of what is written; the milliseconds after which the writer may go on. */
  readonly send: (bytes: Uint8Array) => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** The owner closed it. */
  readonly closed: () => void;
}

/** One end of a simulated line, as host or board sees it. */
export class LinePort implements Port {
  readonly name: string;
  readonly frameBytesMax: number;
  readonly inFlightBytesMax: number;
  readonly #end: LineEnd;
  readonly #events = new PortEvents();
  #rejectWrite: ((error: Error) => void) | undefined;

  constructor(name: string, inFlightBytesMax: number, end: LineEnd) {
    this.name = name;
    this.frameBytesMax = end.frameBytesMax;
    this.inFlightBytesMax = inFlightBytesMax;
    this.#end = end;
  }

  get closed(): boolean {
    return this.#events.closed;
  }

  /** It is open, and no write is in progress. */
  get isFree(): boolean {
    return !this.closed && !this.#rejectWrite;
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.#events.onData(receiver);
  }

  onClose(receiver: (reason?: Error) => void): void {
    this.#events.onClose(receiver);
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(new ThermolinkError('LINK_LOST', `${this.name} is closed.`));
        return;
      }
      if (this.#rejectWrite) {
        reject(new Error('bug: a second write before the first has settled'));
        return;
      }
      this.#rejectWrite = reject;
      // The buffer is the caller's again when this settles; the bytes are then still on their way.
      this.#end.schedule(this.#end.send(bytes.slice()), () => {
        this.#rejectWrite = undefined;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    if (!this.closed) {
      this.end();
      this.#end.closed();
    }
    return Promise.resolve();
  }

  /** Bytes arrive from the other side. */
  deliver(bytes: Uint8Array): void {
    this.#events.data(bytes);
  }

  /** The line has ended without its owner's doing. */
  end(reason?: Error): void {
    this.#rejectWrite?.(new ThermolinkError('LINK_LOST', `${this.name} has ended.`));
    this.#events.end(reason);
  }
}
