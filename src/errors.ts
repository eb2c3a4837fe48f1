/**
 * The one error class of the host. A bug is an assertion (`assert`), bad bytes are a value and a counter,
 * and a failed operation is a `ThermolinkError` with a stable code.
 */

/** Every code with its meaning; stable: scripts and users match on them, never on the text. */
export const ERROR_CODES = {
  BAD_ARGUMENT: 'a command-line option or call argument is outside its range or of the wrong kind',
  BAD_FILE: 'a file is missing, unreadable, truncated or not of the format its name promises',
  BAD_MATRIX: 'a matrix or vector holds a value that is not finite, or its shape or symmetry is wrong',
  NOT_POSITIVE_DEFINITE: 'the matrix has an eigenvalue that is zero or negative, so no equilibrium exists',
  TOO_LARGE: 'the problem does not fit the board',
  BAD_DATASET: 'a data set is missing or its files disagree',
  BAD_CHECKPOINT: 'a checkpoint is damaged or was written by a run with other settings',
  BAD_DEVICE_URI: 'the device URI is not one that this build understands',
  UNKNOWN_PROFILE: 'the emulator has no profile of that name',
  NO_ANSWER: 'the peer did not answer in time',
  NOT_A_BOARD: 'the peer answered with bytes that are not this protocol',
  VERSION_MISMATCH: 'the peer speaks another protocol version',
  BUSY: 'the board serves another client',
  LINK_LOST: 'the link gave up after its retransmissions, or the port closed',
  OUTCOME_UNKNOWN: 'the session was lost after a command was sent and before its outcome was known',
  DEVICE_REFUSED: 'the board refused a command',
  DEVICE_FAULT: 'the board latched a fault',
  DIGEST_MISMATCH: 'the program in the board is not the one that was sent',
  OVERLOAD: 'a cell or row ran into its rail, and no scale was found at which it does not',
  SAMPLES_LOST: 'samples were lost between board and host',
  RUN_ENDED: 'a run ended before it was complete',
  TOLERANCE_NOT_MET: 'the answer does not meet the tolerance that was asked for',
  DIVERGED: 'training diverged: the solution grew past every sensible scale',
  UNSUPPORTED: 'this combination is not supported',
  TIMEOUT: 'an operation passed its deadline',
  ABORTED: 'an operation was cancelled by its caller',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorDetails {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** Whether trying the same again may succeed. Default false. */
  readonly retryable?: boolean;
  /** What the reader can do about it, as a sentence. */
  readonly hint?: string;
  /** Values that explain the failure (counters, indices, sizes), for `--json` and logs. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A failed operation: stable `code`, what happened (`message`), why (`cause`, `data`), and what to try (`hint`). */
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

/** Throws on a broken invariant: a bug in this program, never a consequence of input. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new Error(`bug: ${invariant}`);
}

/** Throws the error of an aborted signal: the signal's own `ThermolinkError` reason, else `ABORTED`. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

/** The error an operation ends in when `signal` aborts it. */
export function abortError(signal: AbortSignal): ThermolinkError {
  if (signal.reason instanceof ThermolinkError) return signal.reason;
  return new ThermolinkError('ABORTED', 'The operation was cancelled.', { cause: signal.reason });
}
