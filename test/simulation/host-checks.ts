import type { Link } from '../../firmware-protocol/link/link.js';
import { type CommandName, commandRow } from '../../firmware-protocol/messages/index.js';
import type { Connection } from '../../src/driver/connection.js';
import type { DeviceEvent } from '../../src/driver/reconnect.js';
import { ThermolinkError } from '../../src/errors.js';
import { EFFECT, EFFECT_IS_OPTIONAL, type HostCall, hex } from './board-records.js';
import type { AskedCall } from './hooks.js';
import { peek } from './peek.js';
import type { TestRig } from './test-rig.js';
import type { Truth } from './truth.js';

/** Longest time of a command if the line has lost no frame of it. */
const ANSWER_MS = 300;
const DEADLINE_CODES: ReadonlySet<string> = new Set(['TIMEOUT', 'LINK_LOST']);

/** Compares the outcomes of the host's calls and sessions with the actions of the board. */
export class HostChecks {
  /** The connection of the present host. */
  connection: Connection | undefined;
  readonly #rig: TestRig;
  readonly #truth: Truth;
  readonly #freeMs: () => number;
  readonly #sessionOf = new WeakMap<Link, string>();
  #issues = 0;
  /** Number of the last stop, by session. */
  readonly #stopsIssued = new Map<string, number>();
  #reconnectingAtMs = 0;

  /** `freeMs` returns the total time in which the line delayed no frame. */
  constructor(rig: TestRig, truth: Truth, freeMs: () => number) {
    this.#rig = rig;
    this.#truth = truth;
    this.#freeMs = freeMs;
  }

  hostAsks(connection: Connection, name: CommandName, fields: unknown): AskedCall {
    this.connection = connection;
    const call: HostCall = {
      name,
      fields,
      issue: ++this.#issues,
      askedAtMs: this.#truth.nowMs,
      freeMsAtStart: this.#freeMs(),
      session: '',
      requestId: 0,
    };
    if (name === 'start')
      this.#truth.startIssues.set((fields as { watchdogMs: number }).watchdogMs, call.issue);
    if (name === 'stop') {
      const { nonce, stopNumber } = fields as { nonce: Uint8Array; stopNumber: number };
      this.#stopsIssued.set(hex(nonce), stopNumber);
      const key = `${hex(nonce)} ${stopNumber}`;
      if (!this.#truth.stopIssues.has(key)) this.#truth.stopIssues.set(key, call.issue);
    }
    return {
      registered: (requestId) => {
        call.session = this.#sessionOf.get(connection.link) ?? '';
        if (commandRow(name).channel === 'command') call.requestId = requestId;
      },
      answered: () => this.#answered(call),
      failed: (error) => this.#failed(call, error, connection),
    };
  }

  sessionOpened(link: Link, nonce: Uint8Array): void {
    this.#truth.hostSession = hex(nonce);
    this.#sessionOf.set(link, this.#truth.hostSession);
  }

  /** Called when the host has written a command to the line. */
  onLine(payload: Uint8Array): void {
    this.#truth.onLine.add(`${this.#truth.hostSession} ${peek(payload).requestId}`);
  }

  /** Stores a payload that the host's link sends. Returns false if `link` has no session of a host. */
  sent(link: Link, parts: readonly Uint8Array[]): boolean {
    const session = this.#sessionOf.get(link);
    if (session === undefined) return false;
    const payload = Uint8Array.from(Buffer.concat(parts));
    this.#truth.payloads.set(`${session} ${peek(payload).requestId}`, payload);
    return true;
  }

  #answered(call: HostCall): void {
    const { name, requestId } = call;
    if (!EFFECT[name] || EFFECT_IS_OPTIONAL.has(name)) return;
    if (!this.#executed(call))
      this.#truth.broken(
        `success of ${name} (request ${requestId}) was reported, but the board has not executed it`,
      );
  }

  /** The host's user calls stop. The returned function is called when the stop is reported done. */
  hostStops(): () => void {
    const { hostSession } = this.#truth;
    const issued = this.#stopsIssued.get(hostSession) ?? 0;
    return () => {
      // A new session that began meanwhile has stopped the board, and the stop was repeated in this session.
      const before = this.#truth.hostSession === hostSession ? issued : 0;
      const done = this.#truth.session(this.#truth.hostSession)?.stopNumber ?? 0;
      if (done <= before) this.#truth.broken('a stop was reported done before the board had stopped');
    };
  }

  /** The driver reports whether its session goes on or is lost. */
  driverSays({ kind }: DeviceEvent): void {
    this.#rig.note(`driver: ${kind}`);
    if (kind === 'reconnecting') this.#reconnectingAtMs = this.#truth.nowMs;
    const session = this.#truth.session(this.#truth.hostSession);
    // A board that fails while its answer is on its way no longer has the session. The host will notice.
    if (kind === 'resumed' && (session?.endedAtMs ?? this.#truth.nowMs) < this.#reconnectingAtMs)
      this.#truth.broken('a session was resumed that the board had ended');
    // The driver may give up a session in which nothing has happened yet.
    if (kind === 'sessionLost' && session && session.endedAtMs === undefined && session.heard)
      this.#truth.broken('a session was given up that the board still had');
  }

  #failed(call: HostCall, error: unknown, connection: Connection): void {
    const { name, requestId, askedAtMs } = call;
    if (!(error instanceof ThermolinkError)) {
      this.#truth.broken(`${name} failed with an error without a code: ${String(error)}`);
      return;
    }
    if (error.code === 'OUTCOME_UNKNOWN') {
      const session = this.#truth.session(call.session);
      // A session counts as lost when the board has ended it, or when the host has given it up for good
      // because of the line.
      const wasEnded = session?.endedAtMs !== undefined;
      const wasGivenUp =
        connection.failure !== undefined && this.#truth.disturbedSince(session?.openedAtMs ?? askedAtMs);
      if (!wasEnded && !wasGivenUp)
        this.#truth.broken(
          `the outcome of ${name} (request ${requestId}) was unknown, its session was not lost`,
        );
      if (!this.#truth.onLine.has(`${call.session} ${requestId}`))
        this.#truth.broken(`the outcome of ${name} (request ${requestId}) was unknown, it was never sent`);
      return;
    }
    // HELLO and stop are repeated, and each try ends by a deadline.
    if (error.code === 'TIMEOUT' && commandRow(name).channel === 'command') this.#timedOut(call);
    // After a deadline the outcome is unknown. The error must not advise to repeat the call.
    const saysNothing = error.code === 'ABORTED' || (DEADLINE_CODES.has(error.code) && !error.retryable);
    if (!saysNothing && this.#executed(call))
      this.#truth.broken(
        `${name} (request ${requestId}) failed with ${error.code}, but the board has executed it`,
      );
  }

  #timedOut({ name, requestId, session, freeMsAtStart }: HostCall): void {
    this.#truth.lastTimeoutMs = this.#truth.nowMs;
    const freeMs = this.#freeMs() - freeMsAtStart;
    if (freeMs <= ANSWER_MS || this.#truth.session(session)?.endedAtMs !== undefined) return;
    this.#truth.broken(
      `${name} (request ${requestId}) timed out, though for ${freeMs} ms nothing that it waited for was missing`,
    );
  }

  #executed({ session, requestId }: HostCall): boolean {
    return this.#truth.sessions.some(({ nonce, executed }) => nonce === session && executed.has(requestId));
  }
}
