import type { Port } from '../../firmware-protocol/port.js';
import { ThermolinkError } from '../../src/errors.js';
import { EventPort } from '../../src/transport/event-port.js';

export interface LineEnd {
  readonly frameBytesMax: number;
  /** Takes a copy of the written bytes. Returns the milliseconds after which the writer may go on. */
  readonly send: (bytes: Uint8Array) => number;
  readonly schedule: (delayMs: number, callback: () => void) => void;
  /** Whether the owner closed the port. */
  readonly closed: () => void;
}

/** One end of a simulated line, for the host or for the board. */
export class LinePort extends EventPort implements Port {
  readonly name: string;
  readonly frameBytesMax: number;
  readonly inFlightBytesMax: number;
  readonly #end: LineEnd;
  #rejectWrite: ((error: Error) => void) | undefined;

  constructor(name: string, inFlightBytesMax: number, end: LineEnd) {
    super();
    this.name = name;
    this.frameBytesMax = end.frameBytesMax;
    this.inFlightBytesMax = inFlightBytesMax;
    this.#end = end;
  }

  /** Whether the port is open and no write is in progress. */
  get isFree(): boolean {
    return !this.closed && !this.#rejectWrite;
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const refusal = this.writeRefusal(this.#rejectWrite !== undefined);
      if (refusal) {
        reject(refusal);
        return;
      }
      this.#rejectWrite = reject;
      // The caller owns the buffer again when this settles. The bytes are then still on their way.
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

  /** Bytes have arrived from the other side. */
  deliver(bytes: Uint8Array): void {
    this.events.data(bytes);
  }

  /** The line has ended, but its owner did not close it. */
  end(reason?: Error): void {
    this.#rejectWrite?.(new ThermolinkError('LINK_LOST', `${this.name} has ended.`));
    this.events.end(reason);
  }
}
