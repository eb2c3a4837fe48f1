import { ThermolinkError } from '../errors.js';

/** The common part of all ports. A derived port adds writing and closing. */
export abstract class EventPort {
  abstract readonly name: string;
  protected readonly events = new PortEvents();

  /** Whether the port has ended. An ended port stays ended. */
  get closed(): boolean {
    return this.events.closed;
  }

  /** Sets the one receiver; a later call replaces it. Errors: none. */
  onData(receiver: (bytes: Uint8Array) => void): void {
    this.events.onData(receiver);
  }

  /**
   * Sets the receiver that is called once when the port has ended, with the error that ended it, if there is
   * such an error. Errors: none.
   */
  onClose(receiver: (reason?: Error) => void): void {
    this.events.onClose(receiver);
  }

  /**
   * Returns the error of a write that is not possible now; undefined if it is possible. `isWriting`: a write
   * has not settled yet.
   */
  protected writeRefusal(isWriting: boolean): Error | undefined {
    if (this.closed) return this.closedError();
    return isWriting ? new Error('bug: a second write before the first has settled') : undefined;
  }

  /** `cause` is the error that ended the port, if one did. */
  protected closedError(cause: Error | undefined = this.events.reason): ThermolinkError {
    return new ThermolinkError('LINK_LOST', `${this.name} is closed.`, {
      cause,
      retryable: true,
    });
  }
}

/** The listeners of a port, and its end. */
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

  /** A receiver that is set after the end is called in a microtask, unless an earlier receiver was called. */
  onClose(receiver: (reason?: Error) => void): void {
    this.#close = receiver;
    if (this.#closed) queueMicrotask(() => this.#tellClose());
  }

  /** Passes on received bytes. After the end they are dropped. */
  data(bytes: Uint8Array): void {
    if (!this.#closed) this.#receive(bytes);
  }

  /** Ends the port. Only the first call counts. */
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
