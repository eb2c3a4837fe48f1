import { setMaxListeners } from 'node:events';
import type { Command } from '../../firmware-protocol/messages/index.js';
import { checkSignal } from '../argument-checks.js';
import { abortError, ThermolinkError, throwIfAborted } from '../errors.js';
import { checkTimeout } from './call-errors.js';
import type { Connection } from './connection.js';
import type { CallOptions } from './device-api.js';

const STOP_MS = 2000;
const STOP_REPEAT_MS = 50;

type StopFields = Command<'stop'>;

/** Ends one caller's wait: well, or with an error. */
type EndWait = (error?: unknown) => void;

/**
 * Says stop until the board has answered. All callers share what is repeated: each call has a new stop sent at once, which
 * takes the place of the one before, and ends with the answer to it or to a later one, by its own deadline, or by its own
 * signal. Stop is repeated for as long as somebody waits.
 */
export class Stopper {
  readonly #connection: Connection;
  /** Of the session that is open. */
  readonly #nonce: () => Uint8Array;
  readonly #waits = new Set<EndWait>();
  #stopNumber = 0;
  #repeating = false;
  /** Whoever waits has called since the last stop was sent. */
  #calledAgain = false;
  /** Cuts the wait for the answer to the stop that is on its way. */
  #cut = new AbortController();

  constructor(connection: Connection, nonce: () => Uint8Array) {
    this.#connection = connection;
    this.#nonce = nonce;
  }

  /** Stops are counted anew in each session. */
  beginSession(): void {
    this.#stopNumber = 0;
  }

  /**
   * Resolves with the board's answer to this stop or a later one. Calls that wait for room have no request id yet, so the
   * board could not cancel them: they fail here.
   */
  async stop({ timeoutMs = STOP_MS, signal }: CallOptions): Promise<void> {
    checkSignal(signal);
    checkTimeout(timeoutMs);
    throwIfAborted(signal);
    if (signal) setMaxListeners(0, signal);
    this.#connection.cancelWaiting();
    await new Promise<void>((resolve, reject) => {
      const end: EndWait = (error) => {
        this.#waits.delete(end);
        cancelDeadline();
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(error);
        if (this.#waits.size === 0) this.#cut.abort();
      };
      const onAbort = (): void => end(abortError(signal!));
      const cancelDeadline = this.#connection.clock.schedule(timeoutMs, () =>
        end(this.#connection.deadlineError('stop', timeoutMs)),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waits.add(end);
      this.#calledAgain = true;
      this.#cut.abort();
      if (!this.#repeating) void this.#repeat();
    });
  }

  /** Never rejects: an error ends the waits. */
  async #repeat(): Promise<void> {
    this.#repeating = true;
    let fields: StopFields | undefined;
    let answered: readonly EndWait[] = [];
    while (this.#waits.size > 0) {
      // A new session has ended the run already; the stop is said again all the same, so that it has its answer.
      if (!fields || this.#calledAgain || fields.nonce !== this.#nonce()) {
        this.#calledAgain = false;
        fields = this.#nextFields();
        answered = [...this.#waits];
      }
      try {
        await this.#send(fields);
        for (const end of answered) end();
      } catch (error) {
        if (!(error instanceof ThermolinkError)) this.#endAll(error);
        else if (error.code === 'SESSION_LOST') await this.#pause();
        else if (error.code !== 'TIMEOUT' && !this.#cut.signal.aborted) this.#endAll(error);
      }
    }
    this.#repeating = false;
  }

  async #send(fields: StopFields): Promise<void> {
    this.#cut = new AbortController();
    await this.#connection.request('stop', fields, {
      timeoutMs: STOP_REPEAT_MS,
      signal: this.#cut.signal,
      // A late answer to an earlier stop says nothing of this one.
      accepts: (message) => message.name !== 'stop' || message.fields.stopNumber === fields.stopNumber,
    });
  }

  #endAll(error: unknown): void {
    for (const end of [...this.#waits]) end(error);
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
