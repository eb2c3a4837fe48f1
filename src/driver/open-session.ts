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
  turnedAwayError,
} from './hello.js';

/** Number of nonces that are tried. A board remembers fewer. */
const NONCES_TRIED_MAX = 16;

/** The answer of a board to HELLO. */
export interface Greeting {
  readonly identity: DeviceIdentity;
  readonly limits: LinkLimits;
  /** Whether the board still has the session of this nonce. */
  readonly resumed: boolean;
}

/** A session that the board has opened, and its nonce. */
export interface OpenedSession extends Greeting {
  readonly nonce: Uint8Array;
}

/**
 * Asks the board to open a session (protocol.md, "Opening a session"). The caller opens it on the host's side
 * of the link. A board refuses a nonce with the same first byte as a nonce that it remembers. Another nonce
 * is then tried (protocol.md, "Nonces"). Errors: those of `greet`.
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
  /** `resume` only asks whether the session of this nonce is open; it opens no session. Default `open`. */
  readonly purpose?: 'open' | 'resume';
}

/**
 * Sends HELLO every 200 ms until the board answers. Errors: NO_ANSWER, NOT_A_BOARD, VERSION_MISMATCH, BUSY,
 * SESSION_LOST (the board refuses the nonce), LINK_LOST (the port closed first), and those of the port.
 */
export async function greet(
  connection: Connection,
  nonce: Uint8Array,
  { signal, timeoutMs, purpose = 'open' }: GreetOptions,
): Promise<Greeting> {
  const { clock, port, frameBytesMax } = connection;
  const untilMs = clock.nowMs() + timeoutMs;
  while (clock.nowMs() < untilMs) {
    throwIfAborted(signal);
    try {
      const answer = await connection.request('hello', helloFields(nonce, frameBytesMax, purpose), {
        timeoutMs: HELLO_INTERVAL_MS,
        accepts: (message) =>
          (message.name === 'hello' || message.name === 'helloRefused') &&
          // An answer with another nonce belongs to another client; it was left in a buffer.
          equalBytes(message.fields.nonce, nonce),
        signal,
      });
      checkVersion(answer);
      const limits = {
        frameBytes: Math.min(answer.frameBytes, frameBytesMax),
        window: answer.window,
        inFlightBytes: Math.min(answer.inFlightBytes, port.inFlightBytesMax ?? Infinity),
      };
      return { identity: identityOf(answer), limits, resumed: answer.resumed === 1 };
    } catch (error) {
      const wasClosed = error instanceof ThermolinkError && error.code === 'LINK_LOST';
      if (wasClosed && purpose === 'open') throw turnedAwayError(port.name, error);
      // HELLO is repeated only after silence. Any other error is thrown.
      if (!(error instanceof ThermolinkError) || error.code !== 'TIMEOUT') throw error;
    }
  }
  throw noAnswerError(port.name, connection.rubbish);
}
