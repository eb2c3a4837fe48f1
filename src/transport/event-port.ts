import { ThermolinkError } from '../errors.js';
import { PortEvents } from './port-events.js';

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
