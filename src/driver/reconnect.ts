import type { Clock } from '../../firmware-protocol/clock.js';
import type { Port } from '../../firmware-protocol/port.js';
import { ThermolinkError } from '../errors.js';
import type { Connection } from './connection.js';
import type { DeviceIdentity } from './device-api.js';
import { newNonce } from './hello.js';
import { type Logger, SILENT_LOGGER } from './logger.js';
import { greet, openSession } from './open-session.js';

/** The first pause between two attempts. It doubles up to DELAY_MS_MAX. */
const DELAY_MS_FIRST = 100;
const DELAY_MS_MAX = 2000;
const GIVE_UP_MS = 30_000;
/** Deadline of HELLO in one attempt. A booting board needs some time. */
const HELLO_MS = 2000;

/** How to look for a board whose port was lost. */
export interface ReconnectOptions {
  /** Opens a new port to the same board, wherever it is now. Rejects when the board is not there. */
  readonly openPort: (signal: AbortSignal) => Promise<Port>;
  /** First pause between two attempts, in ms. It doubles from attempt to attempt. Default 100. */
  readonly delayMsFirst?: number;
  /** Longest pause between two attempts, in ms. Default 2000. */
  readonly delayMsMax?: number;
  /** How long the search for the board lasts. Default 30 s. */
  readonly giveUpMs?: number;
}

/**
 * Logs events, with the lease of the port if there is one, and passes them to `onEvent`. An error of
 * `onEvent` does not stop the search.
 */
export function teller(
  log: Logger = SILENT_LOGGER,
  onEvent?: (event: DeviceEvent) => void,
  portNow?: () => Port,
): (event: DeviceEvent) => void {
  return (event) => {
    const lease = portNow?.().lease;
    log.info({ ...event, ...(lease !== undefined && { lease }) }, `board ${event.kind}`);
    try {
      onEvent?.(event);
    } catch (error) {
      log.warn({ error: String(error) }, 'onEvent threw');
    }
  };
}

/** The pauses of a search and its end, with their defaults. */
export function searchTimes({
  delayMsFirst = DELAY_MS_FIRST,
  delayMsMax = DELAY_MS_MAX,
  giveUpMs = GIVE_UP_MS,
}: Partial<ReconnectOptions>): Required<Omit<ReconnectOptions, 'openPort'>> {
  return { delayMsFirst, delayMsMax, giveUpMs };
}

/** Resolves after `delayMs`, or when `signal` aborts. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.schedule(delayMs, end);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted) end();
  });
}

/**
 * Events after a device was lost, in this order. `attempt` counts from 1. The last event also comes if only
 * samples or a board run were lost.
 */
export type DeviceEvent =
  | { readonly kind: 'disconnected'; readonly reason: ThermolinkError }
  | { readonly kind: 'reconnecting'; readonly attempt: number }
  /** The session goes on. Nothing was lost; frames that were on their way are sent again. */
  | { readonly kind: 'resumed'; readonly attempt: number }
  /**
   * The board has forgotten the session. Calls in progress have failed with SESSION_LOST or OUTCOME_UNKNOWN.
   */
  | { readonly kind: 'sessionLost'; readonly error: ThermolinkError }
  /** A new session is open. */
  | { readonly kind: 'reconnected'; readonly attempt: number }
  | { readonly kind: 'gaveUp'; readonly error: ThermolinkError }
  /** Work that was lost with `reason` is done again, for the `count`-th time on this device. */
  | { readonly kind: 'repeating'; readonly reason: ThermolinkError; readonly count: number };

/** The functions of a device that the search for its board uses. */
export interface SessionKeeper {
  /** The nonce of the session that was open, and the identity of the board. */
  current(): { readonly nonce: Uint8Array; readonly identity: DeviceIdentity };
  /** Takes the new session, after all calls of the old one have failed. */
  begin(nonce: Uint8Array, identity: DeviceIdentity): void;
  tell(event: DeviceEvent): void;
}

/**
 * Finds the board again after its port was lost, by identity and not by path, with growing pauses. If the
 * board still has the session, the session goes on (protocol.md, "Resuming a session"). Otherwise all calls
 * in progress fail and a new session is opened.
 */
export class Reconnector {
  readonly #connection: Connection;
  readonly #options: ReconnectOptions;
  readonly #keeper: SessionKeeper;
  readonly #ended = new AbortController();
  #working = false;
  /** Set when the board was lost again before the last search ended. */
  #lostAgain: ThermolinkError | undefined;

  constructor(connection: Connection, keeper: SessionKeeper, options: ReconnectOptions) {
    this.#connection = connection;
    this.#keeper = keeper;
    this.#options = options;
    connection.onLost = (reason) => this.#start(reason);
  }

  /** Ends the search, because the device is closed. */
  end(): void {
    this.#ended.abort();
  }

  #start(reason: ThermolinkError): void {
    if (this.#working) {
      this.#lostAgain = reason;
      return;
    }
    this.#working = true;
    this.#keeper.tell({ kind: 'disconnected', reason });
    this.#reconnect(reason)
      .catch((error: unknown) => {
        if (this.#ended.signal.aborted) return;
        const failure = gaveUpError(this.#connection.port.name, error);
        this.#connection.fail(failure);
        this.#keeper.tell({ kind: 'gaveUp', error: failure });
      })
      .finally(() => {
        this.#working = false;
        const again = this.#lostAgain;
        this.#lostAgain = undefined;
        if (again && !this.#ended.signal.aborted && !this.#connection.failure) this.#start(again);
      });
  }

  async #reconnect(reason: ThermolinkError): Promise<void> {
    const { clock } = this.#connection;
    const { delayMsFirst, delayMsMax, giveUpMs } = searchTimes(this.#options);
    const untilMs = clock.nowMs() + giveUpMs;
    let delayMs = delayMsFirst;
    let last: unknown = reason;
    for (let attempt = 1; clock.nowMs() < untilMs; attempt++) {
      await pause(clock, delayMs, this.#ended.signal);
      if (this.#ended.signal.aborted) throw last;
      delayMs = Math.min(delayMsMax, 2 * delayMs);
      this.#keeper.tell({ kind: 'reconnecting', attempt });
      try {
        await this.#attempt(attempt);
        return;
      } catch (error) {
        last = error;
        if (this.#ended.signal.aborted || this.#connection.failure || isFinal(error)) throw error;
      }
    }
    throw last;
  }

  async #attempt(attempt: number): Promise<void> {
    const connection = this.#connection;
    const { signal } = this.#ended;
    const port = await this.#options.openPort(signal);
    if (signal.aborted || connection.failure) {
      await port.close().catch(() => undefined);
      return;
    }
    connection.attach(port);
    try {
      // This HELLO only asks and opens no session. If an opening HELLO lost its answer, its repetition would
      // be answered as a resumed session.
      const options = { signal, timeoutMs: HELLO_MS };
      const last = this.#keeper.current().nonce;
      const greeting = await greet(connection, last, { ...options, purpose: 'resume' });
      this.#refuseAnother(greeting.identity);
      const sameBoot = greeting.identity.bootEpoch === this.#keeper.current().identity.bootEpoch;
      if (greeting.resumed && sameBoot && connection.mayResume) {
        this.#requireAttached();
        connection.resumeSession();
        this.#keeper.tell({ kind: 'resumed', attempt });
        return;
      }
      const error = sessionLostError(port.name, this.#keeper.current().identity, greeting.identity);
      connection.endSession(error);
      this.#keeper.tell({ kind: 'sessionLost', error });
      // With the new nonce, late frames of the old session are not taken for frames of the new one
      // (protocol.md, "Nonces").
      const { nonce, identity, limits } = await openSession(connection, newNonce(last), options);
      this.#requireAttached();
      this.#keeper.begin(nonce, identity);
      connection.openSession(nonce, limits);
      this.#keeper.tell({ kind: 'reconnected', attempt });
    } catch (error) {
      connection.detach();
      await port.close().catch(() => undefined);
      throw error;
    }
  }

  /** Throws if the port closed in the same turn in which the answer came. */
  #requireAttached(): void {
    if (!this.#connection.attached)
      throw new ThermolinkError('LINK_LOST', 'The port was lost again.', { retryable: true });
  }

  #refuseAnother({ model, serialNumber }: DeviceIdentity): void {
    const { identity } = this.#keeper.current();
    if (model === identity.model && serialNumber === identity.serialNumber) return;
    throw new ThermolinkError(
      'PORT_NOT_FOUND',
      `${this.#connection.port.name} is now another board: ${model} ${serialNumber} instead of ${identity.model} ${identity.serialNumber}.`,
      { hint: 'Plug the board in again, or connect to the other one by a new call.' },
    );
  }
}

/** Whether another attempt would end with the same error. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof ThermolinkError &&
    ['VERSION_MISMATCH', 'REPLAY_MISMATCH', 'NOT_ALLOWED'].includes(error.code)
  );
}

function sessionLostError(portName: string, before: DeviceIdentity, after: DeviceIdentity): ThermolinkError {
  const restarted = after.bootEpoch !== before.bootEpoch;
  const what = restarted
    ? `has restarted (boot ${before.bootEpoch}, now ${after.bootEpoch}): its programs are gone`
    : 'has ended the session: its runs are over, and the board still has its programs';
  return new ThermolinkError('SESSION_LOST', `The board on ${portName} ${what}.`, {
    retryable: true,
    hint: 'Load the program again, in the session that is open now, and run it again.',
    data: { bootEpochBefore: before.bootEpoch, bootEpochNow: after.bootEpoch },
  });
}

function gaveUpError(portName: string, cause: unknown): ThermolinkError {
  const last = cause instanceof ThermolinkError ? cause : undefined;
  return new ThermolinkError(
    'LINK_LOST',
    `The board on ${portName} could not be reached again${last ? `: ${last.message}` : '.'}`,
    {
      cause,
      retryable: true,
      hint: last?.hint ?? 'Check the cable and that the board has power, then connect again.',
    },
  );
}
