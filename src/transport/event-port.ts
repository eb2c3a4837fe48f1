import { ThermolinkError } from '../errors.js';

/** What ports do alike: they differ in how bytes get out, and how they end. */
export abstract class EventPort {
  abstract readonly name: string;
  protected readonly events = new PortEvents();

  get closed(): boolean {
    return this.events.closed;
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.events.onData(receiver);
  }

  onClose(receiver: (reason?: Error) => void): void {
    this.events.onClose(receiver);
  }

  /** Why nothing can be written now, or undefined; `isWriting`: a write has not settled yet, and there is one at a time. */
  protected writeRefusal(isWriting: boolean): Error | undefined {
    if (this.closed) return this.closedError();
    return isWriting ? new Error('bug: a second write before the first has settled') : undefined;
  }

  /** `cause`: what ended the port, if anything did. */
  protected closedError(cause: Error | undefined = this.events.reason): ThermolinkError {
    return new ThermolinkError('LINK_LOST', `${this.name} is closed.`, {
      ...(cause ? { cause } : {}),
      retryable: true,
    });
  }
}

/** Who listens to a port, and whether it still lives: the part of the contract that every port keeps in the same way. */
export class PortEvents {
  #closed = false;
  #reason: Error | undefined;
  #toldClose = false;
  #receive: (bytes: Uint8Array) => void = () => undefined;
  #close: ((reason?: Error) => void) | undefined;

  get closed(): boolean {
    return this.#closed;
  }

  /** The error that ended the port, if one did. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.#receive = receiver;
  }

  /** A receiver that comes after the end is told as well, a little later, unless another one was told already. */
  onClose(receiver: (reason?: Error) => void): void {
    this.#close = receiver;
    if (this.#closed) queueMicrotask(() => this.#tellClose());
  }

  /** Bytes arrived; after the end they are dropped. */
  data(bytes: Uint8Array): void {
    if (!this.#closed) this.#receive(bytes);
  }

  /** The port has ended; only the first call counts. */
  end(reason?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reason = reason;
    this.#tellClose();
  }

  #tellClose(): void {
    if (this.#toldClose || !this.#close) return;
    this.#toldClose = true;
    this.#close(this.#reason);
  }
}
