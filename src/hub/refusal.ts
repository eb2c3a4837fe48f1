import type { ErrorCode } from '../errors.js';
import type { RefusalBody } from './api.js';

/** Why a request is refused, as an HTTP status and a body. It is thrown inside the hub and stays there. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: RefusalBody;
  /** Seconds after which another attempt makes sense. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    code: ErrorCode | 'NOT_FOUND',
    message: string,
    remedy: string,
    retryAfterSeconds?: number,
  ) {
    super(message);
    this.status = status;
    this.body = { code, message, remedy };
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The refusal of a request at which the server failed. It does not contain the error. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal(
    500,
    'CANNOT_CONNECT',
    'The server failed at this request.',
    'Look at the output of the server.',
  );
}
