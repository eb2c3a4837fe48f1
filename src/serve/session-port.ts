import type { Port } from '../../firmware-protocol/port.js';
import { ThermolinkError } from '../errors.js';

/**
 * A port for one session on a line that stays open afterwards. The owner of the line passes it the bytes that
 * arrive.
 */
export class SessionPort implements Port {
  readonly name: string;
  readonly frameBytesMax: number;
  readonly inFlightBytesMax?: number;
  #closed = false;
  readonly #send: (bytes: Uint8Array) => Promise<void>;
  #receive: (bytes: Uint8Array) => void = () => undefined;
  #tellClose: (reason?: Error) => void = () => undefined;
  #rejectWrite: ((error: Error) => void) | undefined;
  /**
   * A copy of the bytes of a write. The line may still read the copy when the next session already refills
   * the caller's buffer.
   */
  #copy = new Uint8Array(0);

  constructor(line: Port, send: (bytes: Uint8Array) => Promise<void>) {
    this.name = line.name;
    this.frameBytesMax = line.frameBytesMax;
    if (line.inFlightBytesMax !== undefined) this.inFlightBytesMax = line.inFlightBytesMax;
    this.#send = send;
  }

  get closed(): boolean {
    return this.#closed;
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.#receive = receiver;
  }

  onClose(receiver: (reason?: Error) => void): void {
    this.#tellClose = receiver;
  }

  deliver(bytes: Uint8Array): void {
    if (!this.#closed) this.#receive(bytes);
  }

  /** Rejects at once when the session ends. The caller may use the buffer again even then. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(this.#lost());
    return new Promise((resolve, reject) => {
      this.#rejectWrite = reject;
      if (this.#copy.length < bytes.length) this.#copy = new Uint8Array(2 * bytes.length);
      this.#copy.set(bytes);
      this.#send(this.#copy.subarray(0, bytes.length)).then(resolve, reject);
    });
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#rejectWrite?.(this.#lost());
      this.#tellClose();
    }
    return Promise.resolve();
  }

  #lost(): ThermolinkError {
    return new ThermolinkError('LINK_LOST', `The session on ${this.name} has ended.`);
  }
}
