import type { Port } from '../../firmware-protocol/port.js';
import { EventPort } from './event-port.js';

/** The largest frame of the protocol. There is no wire that a long frame could block. */
const FRAME_BYTES_MAX = 65536;
/**
 * Largest number of writes that the other side has not taken yet. With more than one, the next write is
 * already there when the other side has taken a write.
 */
const UNTAKEN_WRITES_MAX = 4;
/** The message that confirms that a write was taken. */
const TAKEN = 0;

/** One side of a message channel to a thread: a `MessagePort` of Node, or a wrapped one of a browser. */
export interface MessageEnd {
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void;
  on(event: 'message' | 'close', listener: (message: Uint8Array | typeof TAKEN) => void): unknown;
  close(): void;
}

export interface ThreadPortOptions {
  /** Ends the thread at the other end; `close` waits for it. */
  readonly release?: () => Promise<void>;
  /** Tells why the other side ended without `close`; undefined if it was closed. */
  readonly reason?: () => Promise<Error | undefined>;
}

/**
 * One end of a byte stream between two threads. Bytes are copied once and then transferred. The port does not
 * keep the process alive. A caller that waits for an answer keeps the process alive by a timer.
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
      // `slice` of a Buffer would share the memory of the caller, and transfer it.
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
