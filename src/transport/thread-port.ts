import type { Port } from '../../firmware-protocol/port.js';
import { EventPort } from './event-port.js';

/** The largest frame of the protocol: there is no wire that a long frame could keep busy. */
const FRAME_BYTES_MAX = 65536;
/** Writes that the other side has not taken yet. With several it never waits for the next one. */
const UNTAKEN_WRITES_MAX = 4;
/** The message that says that a write was taken. */
const TAKEN = 0;

/** One end of a channel of messages to a thread: a `MessagePort` of Node, or a browser's that is wrapped. */
export interface MessageEnd {
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void;
  on(event: 'message' | 'close', listener: (message: Uint8Array | typeof TAKEN) => void): unknown;
  close(): void;
}

export interface ThreadPortOptions {
  /** Ends the thread at the other end; `close` waits for it. */
  readonly release?: () => Promise<void>;
  /** Tells why the other end has gone by itself; undefined when it was closed. */
  readonly reason?: () => Promise<Error | undefined>;
}

/**
 * One end of a byte stream between two threads. Bytes are copied once and then handed over. The port keeps no
 * process alive; a caller that waits for an answer holds a timer anyway.
 */
export class ThreadPort extends EventPort implements Port {
  readonly name: string;
  readonly frameBytesMax = FRAME_BYTES_MAX;
  readonly #endpoint: MessageEnd;
  readonly #options: ThreadPortOptions;
  #untaken = 0;
  #writing = false;
  /** Settles the write that waits for room. */
  #settle: { resolve: () => void; reject: (error: Error) => void } | undefined;

  constructor(name: string, endpoint: MessageEnd, options: ThreadPortOptions = {}) {
    super();
    this.name = name;
    this.#endpoint = endpoint;
    this.#options = options;
    endpoint.on('message', (message: Uint8Array | typeof TAKEN) => this.#receive(message));
    endpoint.on('close', () => void this.#endedThere());
  }

  async write(bytes: Uint8Array): Promise<void> {
    const refusal = this.writeRefusal(this.#writing);
    if (refusal) throw refusal;
    this.#writing = true;
    try {
      // `slice` of a Buffer would share the caller's memory, and hand that over.
      const copy = new Uint8Array(bytes);
      this.#untaken++;
      this.#endpoint.postMessage(copy, [copy.buffer]);
      await (this.#untaken < UNTAKEN_WRITES_MAX ? undefined : this.#room());
    } finally {
      this.#writing = false;
    }
  }

  async close(): Promise<void> {
    this.#end();
    this.#endpoint.close();
    await this.#options.release?.();
  }

  #room(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  #receive(message: Uint8Array | typeof TAKEN): void {
    if (this.closed) return;
    if (message === TAKEN) {
      this.#untaken--;
      this.#settle?.resolve();
      this.#settle = undefined;
      return;
    }
    this.#endpoint.postMessage(TAKEN, []);
    this.events.data(message);
  }

  async #endedThere(): Promise<void> {
    if (!this.closed) this.#end(await this.#options.reason?.());
  }

  #end(reason?: Error): void {
    this.#settle?.reject(this.closedError());
    this.#settle = undefined;
    this.events.end(reason);
  }
}
