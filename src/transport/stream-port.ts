import type { Duplex } from 'node:stream';
import type { Port } from '../../firmware-protocol/port.js';
import { ThermolinkError } from '../errors.js';
import { EventPort } from './event-port.js';

/** A write that the other side has not taken after this time ends the port: nobody reads there any more. */
const WRITE_TIMEOUT_MS = 30_000;
/** How long closing may wait for what was written to get out. */
const CLOSE_TIMEOUT_MS = 1000;

export interface StreamPortOptions {
  readonly name: string;
  readonly frameBytesMax: number;
  readonly inFlightBytesMax?: number;
  /** Closes the stream once what was written is out; it emits 'close' then. The port puts a bound on the time. */
  readonly finish: () => void;
  /** Closes it at once. */
  readonly destroy: () => void;
  /** Makes bytes flow to `receive`, if the stream itself does not emit them. Called once. */
  readonly flow?: (receive: (bytes: Uint8Array) => void) => void;
}

/**
 * A port on an open Node stream (a socket, a serial port). One write at a time, so at most one frame waits here; a write
 * settles when the system has taken all of it, or rejects when the port ends, though the stream may then still be reading
 * the buffer. Bytes that arrive before the first `onData` wait in the stream.
 */
export class StreamPort extends EventPort implements Port {
  readonly name: string;
  readonly frameBytesMax: number;
  readonly inFlightBytesMax?: number;
  readonly #stream: Duplex;
  readonly #options: StreamPortOptions;
  #flowing = false;
  /** Ends the write in progress. */
  #settleWrite: ((error?: Error) => void) | undefined;
  /** The stream has emitted 'close'. */
  #gone = false;
  #closing: Promise<void> | undefined;

  constructor(stream: Duplex, options: StreamPortOptions) {
    super();
    this.name = options.name;
    this.frameBytesMax = options.frameBytesMax;
    if (options.inFlightBytesMax !== undefined) this.inFlightBytesMax = options.inFlightBytesMax;
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
    // A plain view: `slice` of a Buffer would share its memory.
    this.#stream.on('data', (chunk: Buffer) =>
      this.events.data(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)),
    );
    // A server may have paused it until now.
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
      // Most writes are taken at once.
      if (this.#settleWrite === settle && this.#stream.writableLength > 0)
        timer = setTimeout(() => this.#end(this.#stalled()), WRITE_TIMEOUT_MS);
    });
  }

  /** Lets what was written get out, for at most CLOSE_TIMEOUT_MS. */
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
      // What still arrives is dropped, so that the end behind it is seen.
      this.#stream.resume();
      this.#options.finish();
    });
  }

  /** The stream has ended, whoever ended it. */
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
      `${this.name} took no bytes for ${WRITE_TIMEOUT_MS / 1000} s: nobody reads at its other end.`,
      { retryable: true },
    );
  }
}
