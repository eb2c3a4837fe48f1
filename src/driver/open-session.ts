import { equalBytes } from '../../firmware-protocol/bytes.js';
import type { LinkLimits } from '../../firmware-protocol/link/command-sender.js';
import { ThermolinkError, throwIfAborted } from '../errors.js';
import type { Connection } from './connection.js';
import type { DeviceIdentity } from './device-api.js';
import {
  checkVersion,
  HELLO_INTERVAL_MS,
  helloFields,
  identityOf,
  newNonce,
  noAnswerError,
} from './hello.js';

/** More than a board remembers. */
const NONCES_TRIED_MAX = 16;

/** What a board says to HELLO. */
export interface Greeting {
  readonly identity: DeviceIdentity;
  readonly limits: LinkLimits;
  /** The board still has the session of this nonce. */
  readonly resumed: boolean;
}

/** A session that the board has opened, under this nonce. */
export interface OpenedSession extends Greeting {
  readonly nonce: Uint8Array;
}

/**
 * Asks the board to open a session; the caller opens it on our side of the link. A board refuses a nonce that begins like one
 * it remembers: then the next one is tried. Errors: as `greet`.
 */
export async function openSession(
  connection: Connection,
  nonce: Uint8Array,
  options: Omit<GreetOptions, 'purpose'>,
): Promise<OpenedSession> {
  let tried = nonce;
  for (let tries = 1; ; tries++) {
    try {
      return { ...(await greet(connection, tried, options)), nonce: tried };
    } catch (error) {
      const isStale = error instanceof ThermolinkError && error.code === 'SESSION_LOST';
      if (!isStale || tries === NONCES_TRIED_MAX) throw error;
      tried = newNonce(tried);
    }
  }
}

export interface GreetOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
  /** `resume` only asks whether the session of this nonce is open, and opens none. Default `open`. */
  readonly purpose?: 'open' | 'resume';
}

/** Sends HELLO every 200 ms until the board answers. Errors: NO_ANSWER, NOT_A_BOARD, VERSION_MISMATCH, BUSY, SESSION_LOST (the nonce is stale). */
export async function greet(
  connection: Connection,
  nonce: Uint8Array,
  { signal, timeoutMs, purpose = 'open' }: GreetOptions,
): Promise<Greeting> {
  const { clock, port } = connection;
  const untilMs = clock.nowMs() + timeoutMs;
  while (clock.nowMs() < untilMs) {
    throwIfAborted(signal);
    try {
      const answer = await connection.request('hello', helloFields(nonce, port.frameBytesMax, purpose), {
        timeoutMs: HELLO_INTERVAL_MS,
        accepts: (message) =>
          (message.name === 'hello' || message.name === 'helloRefused') &&
          // One that was left in a buffer belongs to somebody else's HELLO.
          equalBytes(message.fields.nonce, nonce),
        ...(signal ? { signal } : {}),
      });
      checkVersion(answer);
      const limits = {
        frameBytes: Math.min(answer.frameBytes, port.frameBytesMax),
        window: answer.window,
        inFlightBytes: Math.min(answer.inFlightBytes, port.inFlightBytesMax ?? Infinity),
      };
      return { identity: identityOf(answer), limits, resumed: answer.resumed === 1 };
    } catch (error) {
      // Only silence is worth another try: a port that is gone stays gone.
      if (!(error instanceof ThermolinkError) || error.code !== 'TIMEOUT') throw error;
    }
  }
  throw noAnswerError(port.name, connection.rubbish);
}
