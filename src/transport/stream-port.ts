import type { Duplex } from 'node:stream';
import type { Port } from '../../firmware-protocol/port.js';
import { ThermolinkError } from '../errors.js';
import { EventPort } from './event-port.js';

/** A write that the other side has not taken after this time ends the port. */
const WRITE_TIMEOUT_MS = 30_000;
/** Longest wait for written bytes when closing. */
const CLOSE_TIMEOUT_MS = 1000;

export interface StreamPortOptions {
  readonly name: string;
  readonly frameBytesMax: number;
  readonly inFlightBytesMax?: number;
  /** See `Port`. */
  readonly lease?: string;
  /**
   * Closes the stream after all written bytes are sent. Then the stream emits 'close', for which the port
   * waits at most CLOSE_TIMEOUT_MS.
   */
  readonly finish: () => void;
  /** Closes the stream at once. */
  readonly destroy: () => void;
  /** Makes bytes flow to `receive`, for a stream that does not emit them itself. Called once. */
  readonly flow?: (receive: (bytes: Uint8Array) => void) => void;
}

/**
 * A port on an open Node stream (a socket, a serial port). A write resolves when the system has taken all its
 * bytes, and rejects if the port ends before. After a rejection the stream may still read the buffer of the
 * write. Bytes that arrive before the first `onData` wait in the stream.
 */
export class StreamPort extends EventPort implements Port {
  readonly name: string;
  readonly frameBytesMax: number;
  readonly inFlightBytesMax?: number;
  readonly lease?: string;
  readonly #stream: Duplex;
  readonly #options: StreamPortOptions;
  #flowing = false;
  /** Settles the write in progress. */
  #settleWrite: ((error?: Error) => void) | undefined;
  /** Whether the stream has emitted 'close'. */
  #gone = false;
  #closing: Promise<void> | undefined;

  constructor(stream: Duplex, options: StreamPortOptions) {
    super();
    this.name = options.name;
    this.frameBytesMax = options.frameBytesMax;
    this.inFlightBytesMax = options.inFlightBytesMax;
    this.lease = options.lease;
    this.#stream = stream;
    this.#options = options;
    stream.on('error', (error) => this.#end(error));
    stream.on('end', () => this.#end());
    stream.on('close', (reason: unknown) => {
      this.#gone = true;
      this.#end(reason instanceof Error ? reason : undefined);
    });
  }

  override onData(receiver: (bytes: Uint8Array) => void): void {
    super.onData(receiver);
    if (this.#flowing) return;
    this.#flowing = true;
    const { flow } = this.#options;
    if (flow) {
      flow((bytes) => this.events.data(bytes));
      return;
    }
    // Receivers get a plain Uint8Array, because `slice` of a Buffer shares its memory.
    this.#stream.on('data', (chunk: Buffer) =>
      this.events.data(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)),
    );
    // A server may have paused the stream until now.
    this.#stream.resume();
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const refusal = this.writeRefusal(this.#settleWrite !== undefined);
      if (refusal) {
        reject(refusal);
        return;
      }
      let timer: NodeJS.Timeout | undefined;
      const settle = (error?: Error): void => {
        if (this.#settleWrite !== settle) return;
        this.#settleWrite = undefined;
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      };
      this.#settleWrite = settle;
      this.#stream.write(bytes, (error) => settle(error ? this.closedError(error) : undefined));
      // Most writes are taken at once and need no timer.
      if (this.#settleWrite === settle && this.#stream.writableLength > 0)
        timer = setTimeout(() => this.#end(this.#stalled()), WRITE_TIMEOUT_MS);
    });
  }

  /** Closes the port. Waits at most CLOSE_TIMEOUT_MS until written bytes are sent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#settleWrite?.(this.closedError());
    this.events.end();
    if (this.#gone) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#options.destroy();
        resolve();
      }, CLOSE_TIMEOUT_MS);
      this.#stream.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      // The stream must flow until its end is seen; the bytes are dropped.
      this.#stream.resume();
      this.#options.finish();
    });
  }

  /** Ends the port after its stream has ended. */
  #end(reason?: Error): void {
    if (this.closed) return;
    this.#settleWrite?.(this.closedError(reason));
    this.events.end(reason);
    if (reason) this.#options.destroy();
    void this.close();
  }

  #stalled(): ThermolinkError {
    return new ThermolinkError(
      'LINK_LOST',
      `${this.name} took no bytes for ${WRITE_TIMEOUT_MS / 1000} s: the other side does not read.`,
      { retryable: true },
    );
  }
}
