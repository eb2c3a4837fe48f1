import type { BoardSession } from './board-records.js';
import type { TestRig } from './test-rig.js';

/** Longest time in which a host notices silence and reaches the board again. */
const NOTICED_MS = 4000;

/**
 * The real events of a simulation that several checkers need, and the violations that the checkers found.
 */
export class Truth {
  /** Violations. The first one is reported. */
  readonly violations: string[] = [];
  /** Sessions that the board has opened. */
  readonly sessions: BoardSession[] = [];
  /** The messages that the host has sent, by session and request. */
  readonly payloads = new Map<string, Uint8Array>();
  /** Session and request of each message that was written to the line. */
  readonly onLine = new Set<string>();
  /** The place of each stop among all calls when it was first issued, by session and number. */
  readonly stopIssues = new Map<string, number>();
  /**
   * The place of each start among all calls. Each start has a watchdog time of its own, which identifies the
   * board's run as the host's call.
   */
  readonly startIssues = new Map<number, number>();
  /** The time at which a call last passed its deadline; −1 before. */
  lastTimeoutMs = -1;
  /** The time at which a watchdog last tripped; −1 before. */
  lastTripMs = -1;
  /** Nonce of the present host's session. */
  hostSession = '';
  /** The end of the last disturbance that may end a session. */
  #disturbedUntilMs = -1;
  readonly #rig: TestRig;

  constructor(rig: TestRig) {
    this.#rig = rig;
  }

  get nowMs(): number {
    return this.#rig.time.nowMs();
  }

  /**
   * The session that the board opened first under this nonce. A board that has forgotten the nonce opens
   * another one.
   */
  session(nonce: string): BoardSession | undefined {
    return this.sessions.find((session) => session.nonce === nonce);
  }

  broken(invariant: string): void {
    this.violations.push(invariant);
  }

  disturbed(what: string, forMs: number): void {
    this.#disturbedUntilMs = Math.max(this.#disturbedUntilMs, this.nowMs + forMs);
    this.#rig.note(what);
  }

  /**
   * From this time on nothing delays a command: the last disturbance is over, and a host has had the time to
   * notice it.
   */
  get quietFromMs(): number {
    return this.#disturbedUntilMs < 0 ? 0 : this.#disturbedUntilMs + NOTICED_MS;
  }

  /** Whether a disturbance that may end a session still lasts, or has ended at `ms` or later. */
  disturbedSince(ms: number): boolean {
    return this.#disturbedUntilMs >= ms;
  }
}
