import type { Port } from '../../firmware-protocol/port.js';

/** Callbacks of a tap. The bytes are valid only during the call. */
export interface TapEvents {
  wrote(bytes: Uint8Array): void;
  received(bytes: Uint8Array): void;
  closed(): void;
}

/** A port that passes everything to another port and reports it. It keeps the contract of that port. */
export class TappedPort implements Port {
  readonly name: string;
  readonly frameBytesMax: number;
  readonly inFlightBytesMax?: number;
  readonly lease?: string;
  readonly #port: Port;
  readonly #events: TapEvents;

  constructor(port: Port, events: TapEvents) {
    this.#port = port;
    this.#events = events;
    this.name = port.name;
    this.frameBytesMax = port.frameBytesMax;
    if (port.inFlightBytesMax !== undefined) this.inFlightBytesMax = port.inFlightBytesMax;
    if (port.lease !== undefined) this.lease = port.lease;
  }

  get closed(): boolean {
    return this.#port.closed;
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.#port.onData((bytes) => {
      this.#events.received(bytes);
      receiver(bytes);
    });
  }

  onClose(receiver: (reason?: Error) => void): void {
    this.#port.onClose((reason) => {
      this.#events.closed();
      receiver(reason);
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    // Reported before the port takes the bytes, because a question must be reported before its answer.
    if (!this.#port.closed) this.#events.wrote(bytes);
    return this.#port.write(bytes);
  }

  noteCall(): ((requestId: number) => void) | undefined {
    return this.#port.noteCall?.();
  }

  close(): Promise<void> {
    return this.#port.close();
  }
}
