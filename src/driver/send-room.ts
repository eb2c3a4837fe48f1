import type { Clock } from '../../firmware-protocol/clock.js';
import type { CommandName } from '../../firmware-protocol/messages/index.js';
import { abortError, ThermolinkError } from '../errors.js';
import type { Evidence } from './call-errors.js';

/** Largest number of calls that may wait for room in the queue of the link. One more call fails. */
const WAITING_CALLS_MAX = 1024;

/** The calls that wait until a command can be queued, in the order of their arrival. */
export class SendRoom {
  readonly #clock: Clock;
  readonly #evidence: () => Evidence;
  readonly #waiters: ((errorOf?: (name: CommandName) => ThermolinkError) => void)[] = [];

  constructor(clock: Clock, seen: () => Evidence) {
    this.#clock = clock;
    this.#evidence = seen;
  }

  /** Wakes the first call, because there may be room for one. */
  release(): void {
    this.#waiters.shift()?.();
  }

  /** Wakes all calls. */
  releaseAll(): void {
    for (const resume of this.#waiters.splice(0)) resume();
  }

  /** Fails all calls that wait now. */
  cancelAll(errorOf: (name: CommandName) => ThermolinkError): void {
    for (const resume of this.#waiters.splice(0)) resume(errorOf);
  }

  /** Waits until there may be room. Errors: TIMEOUT, ABORTED, BAD_ARGUMENT when too many wait. */
  wait(name: CommandName, untilMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiters.length >= WAITING_CALLS_MAX)
      throw new ThermolinkError('BAD_ARGUMENT', `More than ${WAITING_CALLS_MAX} calls wait for the board.`, {
        hint: 'Await calls instead of issuing them all at once.',
      });
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        cancelDeadline();
        signal?.removeEventListener('abort', onAbort);
        const at = this.#waiters.indexOf(resume);
        if (at >= 0) this.#waiters.splice(at, 1);
      };
      const resume = (errorOf?: (name: CommandName) => ThermolinkError): void => {
        finish();
        if (errorOf) reject(errorOf(name));
        else resolve();
      };
      const onAbort = (): void => {
        finish();
        reject(abortError(signal!));
      };
      const cancelDeadline = this.#clock.schedule(untilMs - this.#clock.nowMs(), () => {
        finish();
        const message = `${name} was not sent before its deadline: other calls were in front of it.`;
        reject(new ThermolinkError('TIMEOUT', message, { retryable: true, data: { ...this.#evidence() } }));
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push(resume);
    });
  }
}
