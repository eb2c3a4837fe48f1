import type { Command } from '../../firmware-protocol/messages/index.js';
import { checkSignal } from '../argument-checks.js';
import { abortError, ThermolinkError, throwIfAborted } from '../errors.js';
import { checkTimeout } from './call-errors.js';
import type { Connection } from './connection.js';
import type { CallOptions } from './device-api.js';
import { allowManyListeners } from './requests.js';

const STOP_MS = 2000;
const STOP_REPEAT_MS = 50;

type StopFields = Command<'stop'>;

/** One call that waits for the board's answer. */
interface Wait {
  /** Number of the first stop that was sent after the call. */
  stopNumber: number;
  /** Ends the wait, with an error if one is given. */
  end(error?: unknown): void;
}

/**
 * Sends stop until the board answers (protocol.md, "Stop"). Calls at the same time share the repetition. Each
 * call sends a new stop at once. It ends with the answer to this stop or to a later one, or by its own
 * deadline or signal.
 */
export class Stopper {
  readonly #connection: Connection;
  /** The nonce of the open session. */
  readonly #nonce: () => Uint8Array;
  readonly #waits = new Set<Wait>();
  #stopNumber = 0;
  #repeating = false;
  /** Whether there was a call since the last stop was sent. */
  #calledAgain = false;
  /** Ends the wait for the answer to the stop that was sent last. */
  #cut = new AbortController();

  constructor(connection: Connection, nonce: () => Uint8Array) {
    this.#connection = connection;
    this.#nonce = nonce;
  }

  /** Counts stops from 0 in a new session. */
  beginSession(): void {
    this.#stopNumber = 0;
  }

  /**
   * Resolves when the board has answered this stop or a later one. Calls that wait to be sent have no request
   * id that the board could cancel, so they fail here.
   */
  async stop({ timeoutMs = STOP_MS, signal }: CallOptions): Promise<void> {
    checkSignal(signal);
    checkTimeout(timeoutMs);
    throwIfAborted(signal);
    allowManyListeners(signal);
    this.#connection.cancelWaiting();
    await new Promise<void>((resolve, reject) => {
      const wait: Wait = {
        stopNumber: this.#stopNumber + 1,
        end: (error) => {
          this.#waits.delete(wait);
          cancelDeadline();
          signal?.removeEventListener('abort', onAbort);
          if (error === undefined) resolve();
          else reject(error);
          if (this.#waits.size === 0) this.#cut.abort();
        },
      };
      const onAbort = (): void => wait.end(abortError(signal!));
      const cancelDeadline = this.#connection.clock.schedule(timeoutMs, () =>
        wait.end(this.#connection.deadlineError('stop', timeoutMs)),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waits.add(wait);
      this.#calledAgain = true;
      this.#cut.abort();
      if (!this.#repeating) void this.#repeat();
    });
  }

  /** Repeats stop until nobody waits. It never rejects; an error ends the waits. */
  async #repeat(): Promise<void> {
    this.#repeating = true;
    let fields: StopFields | undefined;
    while (this.#waits.size > 0) {
      // A new session has ended the run already. Stop is still sent again, because the calls wait for its
      // answer.
      const isNewSession: boolean = fields !== undefined && fields.nonce !== this.#nonce();
      if (!fields || this.#calledAgain || isNewSession) {
        this.#calledAgain = false;
        fields = this.#nextFields();
        if (isNewSession) for (const wait of this.#waits) wait.stopNumber = fields.stopNumber;
      }
      try {
        const answered = await this.#send(fields);
        for (const wait of [...this.#waits]) if (wait.stopNumber <= answered) wait.end();
      } catch (error) {
        if (!(error instanceof ThermolinkError)) this.#endAll(error);
        else if (error.code === 'SESSION_LOST') await this.#pause();
        else if (error.code !== 'TIMEOUT' && !this.#cut.signal.aborted) this.#endAll(error);
      }
    }
    this.#repeating = false;
  }

  /**
   * Sends a stop and returns the number that was answered: its own, or that of an earlier one
   * whose answer is late.
   */
  async #send(fields: StopFields): Promise<number> {
    this.#cut = new AbortController();
    const { stopNumber } = await this.#connection.request('stop', fields, {
      timeoutMs: STOP_REPEAT_MS,
      signal: this.#cut.signal,
    });
    return stopNumber;
  }

  #endAll(error: unknown): void {
    for (const wait of [...this.#waits]) wait.end(error);
  }

  #nextFields(): StopFields {
    return {
      nonce: this.#nonce(),
      stopNumber: ++this.#stopNumber,
      lastRequestId: this.#connection.lastRequestId,
    };
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#connection.clock.schedule(STOP_REPEAT_MS, resolve));
  }
}
