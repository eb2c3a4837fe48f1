/**
 * The one error class of the host. A failed operation throws a `ThermolinkError` with a stable code. A bug
 * fails an assertion (`assert`). Bad bytes from the line throw nothing: they are counted.
 */

import type { ErrorCode } from './error-codes.js';

export { ERROR_CODES, type ErrorCode, type ErrorCodeEntry } from './error-codes.js';

/** The parts of an error beside its code and message. */
export interface ErrorDetails {
  /** The error that caused this one. */
  readonly cause?: unknown;
  /** Whether the same call may succeed later. Default false. */
  readonly retryable?: boolean;
  /** A sentence that says what the reader can do. */
  readonly hint?: string;
  /** Values that explain the failure (counters, indices, sizes), for programs and logs. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/**
 * A failed operation. `code` is stable and for programs, `message` says what happened, `cause` and `data` say
 * why, `hint` says what to try.
 */
export class ThermolinkError extends Error {
  override readonly name = 'ThermolinkError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly hint: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = details.retryable ?? false;
    this.hint = details.hint;
    this.data = details.data ?? {};
  }
}

/** Throws when an invariant is broken. That is always a bug in this program, never a consequence of input. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new Error(`bug: ${invariant}`);
}

/**
 * Throws the error of an aborted signal: the signal's own reason if it is a `ThermolinkError`, otherwise
 * `ABORTED`.
 */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

/** The error with which an operation ends when `signal` aborts it. */
export function abortError(signal: AbortSignal): ThermolinkError {
  if (signal.reason instanceof ThermolinkError) return signal.reason;
  return new ThermolinkError('ABORTED', 'The operation was cancelled.', { cause: signal.reason });
}

/** Waits for `promise` and returns its value. Throws ABORTED as soon as `signal` is aborted. */
export function settledOrAborted<Value>(
  promise: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void promise.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}
