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
/** How long a program waits for a server that is away, unless it says otherwise. */
export const OUTAGE_MS_MAX = 10 * 60_000;
/** Said for a stream or bucket that is full. */
const FULL_STREAM = 10_077;

/** How long, and until when, something is tried again. */
export interface Patience {
  readonly signal?: AbortSignal | undefined;
  /** Default `OUTAGE_MS_MAX`. */
  readonly outageMs?: number;
  /** Called once, when the first attempt has failed. */
  readonly onOutage?: (error: unknown) => void;
}

/**
 * Asks the server, and asks again while it is away: an attempt may be repeated after it took effect, so each
 * must be one that may. Errors: ABORTED; CANNOT_CONNECT when the server is away for too long, or refuses the
 * client; UNSUPPORTED for a server without JetStream; TOO_LARGE for a full one.
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
      return await attempt();
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

/** Whether an error says that the server is away, or has only just come back. */
function isOutage(error: unknown): boolean {
  if (error instanceof ThermolinkError || isRefusal(error)) return false;
  // A server that starts answers 503 until its streams are read.
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

/** An error of the server as one of ours; errors that are answers stay what they are. */
function asRefusal(error: unknown): unknown {
  if (isRefusal(error))
    return new ThermolinkError('CANNOT_CONNECT', 'The NATS server does not let this program in.', {
      cause: error,
      hint: 'Check the token, the credentials or the certificate.',
    });
  if (error instanceof JetStreamApiError && error.apiError().err_code === FULL_STREAM)
    return new ThermolinkError('TOO_LARGE', 'The NATS server has no room left for the farm.', {
      cause: error,
      hint: 'Wait until jobs are done, or remove old results from the buckets thermolink-parts and thermolink-results: a result whose parts are gone is made anew.',
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
