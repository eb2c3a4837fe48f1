import { setTimeout as delay } from 'node:timers/promises';
import { JetStreamApiError } from '@nats-io/jetstream';
import {
  AuthorizationError,
  ClosedConnectionError,
  errors,
  PermissionViolationError,
  UserAuthenticationExpiredError,
} from '@nats-io/transport-node';
import { abortError, ThermolinkError, throwIfAborted } from '../errors.js';

/** Milliseconds between two attempts. */
const AGAIN_MS = 300;
/** Deadline of one attempt. Most calls of the NATS library have shorter deadlines, but some have none. */
const ATTEMPT_MS_MAX = 60_000;
/** Default time that a program waits for a server that is away. */
export const OUTAGE_MS_MAX = 10 * 60_000;
/** Error code of the server for a full stream or bucket. */
const FULL_STREAM = 10_077;

/** Options of repeated attempts. */
export interface Patience {
  readonly signal?: AbortSignal | undefined;
  /** Default `OUTAGE_MS_MAX`. */
  readonly outageMs?: number;
  /** Called once, when the first attempt has failed. */
  readonly onOutage?: (error: unknown) => void;
}

/**
 * Sends a request to the server, and repeats it while the server is away. An attempt may be repeated after it
 * took effect, so the request must allow this. Errors: ABORTED; CANNOT_CONNECT when the server is away for
 * too long, or refuses the client; UNSUPPORTED for a server without JetStream; TOO_LARGE for a full server.
 */
export async function patiently<T>(
  attempt: () => Promise<T>,
  { signal, outageMs = OUTAGE_MS_MAX, onOutage }: Patience = {},
): Promise<T> {
  const untilMs = performance.now() + outageMs;
  let isFirst = true;
  for (;;) {
    throwIfAborted(signal);
    try {
      return await inTime(attempt(), signal);
    } catch (error) {
      if (!isOutage(error)) throw asRefusal(error);
      if (performance.now() > untilMs) throw serverAway(error);
      if (isFirst) onOutage?.(error);
      isFirst = false;
    }
    await delay(AGAIN_MS, undefined, { signal }).catch(() => {
      throw abortError(signal!);
    });
  }
}

/** The result of an attempt. Rejects at its deadline, and at an abort at once. */
async function inTime<T>(attempt: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const answered = new AbortController();
  const until = signal === undefined ? answered.signal : AbortSignal.any([answered.signal, signal]);
  const late = delay(ATTEMPT_MS_MAX, undefined, { signal: until }).then(
    () => {
      throw new Error(`The server did not answer within ${ATTEMPT_MS_MAX / 1000} s.`);
    },
    () => throwIfAborted(signal),
  );
  try {
    return (await Promise.race([attempt, late])) as T;
  } finally {
    answered.abort();
    late.catch(() => undefined);
  }
}

/** Whether an error says that the server is away, or has only just come back. */
function isOutage(error: unknown): boolean {
  if (error instanceof ThermolinkError || isRefusal(error)) return false;
  // A starting server answers 503 until it has read its streams.
  if (error instanceof JetStreamApiError) return error.apiError().code >= 500;
  return error instanceof Error && !isMisuse(error);
}

function isMisuse(error: Error): boolean {
  return (
    error instanceof errors.InvalidArgumentError ||
    error instanceof errors.InvalidOperationError ||
    error instanceof errors.InvalidSubjectError ||
    error instanceof TypeError
  );
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof AuthorizationError ||
    error instanceof UserAuthenticationExpiredError ||
    error instanceof PermissionViolationError ||
    error instanceof ClosedConnectionError
  );
}

/** Converts an error of the server into a `ThermolinkError`; all other errors stay unchanged. */
function asRefusal(error: unknown): unknown {
  if (isRefusal(error))
    return new ThermolinkError('CANNOT_CONNECT', 'The NATS server does not let this program in.', {
      cause: error,
      hint: 'Check the token, the credentials or the certificate.',
    });
  if (error instanceof JetStreamApiError && error.apiError().err_code === FULL_STREAM)
    return new ThermolinkError('TOO_LARGE', 'The NATS server has no room left for the farm.', {
      cause: error,
      hint: 'Wait until jobs are done, or remove old results from the buckets thermolink-parts and thermolink-results: a result whose parts are gone is computed again.',
    });
  return error;
}

function serverAway(cause: unknown): ThermolinkError {
  return new ThermolinkError('CANNOT_CONNECT', 'The NATS server does not answer.', {
    cause,
    retryable: true,
    hint: 'Is nats-server running, with JetStream (`nats-server -js`), at the address given?',
  });
}
