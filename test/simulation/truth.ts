import type { BoardSession } from './board-records.js';
import type { TestRig } from './test-rig.js';

/** A host that hears nothing notices it, and has the board again, within this time. */
const NOTICED_MS = 4000;

/**
 * What really happened in a simulation, as far as several checkers need it, and the violations that they
 * found.
 */
export class Truth {
  /** The first is the one to report. */
  readonly violations: string[] = [];
  /** Sessions that the board has opened. */
  readonly sessions: BoardSession[] = [];
  /** What the host has sent, by session and request. */
  readonly payloads = new Map<string, Uint8Array>();
  /** Those requests that were given to the line. */
  readonly onLine = new Set<string>();
  /** When each stop was first issued: its place among all calls, by session and number. */
  readonly stopIssues = new Map<string, number>();
  /**
   * The same for starts. Each has a watchdog time of its own, which identifies the board's run as the host's
   * call.
   */
  readonly startIssues = new Map<number, number>();
  /**
   * When a call last passed its deadline because the line had lost something, and when a watchdog tripped for
   * that reason.
   */
  lastTimeoutMs = -1;
  lastTripMs = -1;
  /** Nonce of the session that the present host has. */
  hostSession = '';
  /** Until when a disturbance lasted that may cost a session. */
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
   * From this time on nothing holds anything up: neither a disturbance nor the time that a host needs to
   * notice it.
   */
  get quietFromMs(): number {
    return this.#disturbedUntilMs < 0 ? 0 : this.#disturbedUntilMs + NOTICED_MS;
  }

  /** Whether a disturbance that may cost a session happened since then. */
  disturbedSince(ms: number): boolean {
    return this.#disturbedUntilMs >= ms;
  }
}
