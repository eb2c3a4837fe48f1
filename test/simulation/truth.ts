import type { BoardSession } from './board-records.js';
import type { TestRig } from './test-rig.js';

/** A host that hears nothing notices within this time, and has the board again. */
const NOTICED_MS = 4000;

/** What really happened in a run, as far as several checkers need it, and what they found broken. */
export class Truth {
  /** The first is the one to report. */
  readonly violations: string[] = [];
  /** Sessions that the board has opened. */
  readonly sessions: BoardSession[] = [];
  /** What the host has sent, by session and request. */
  readonly payloads = new Map<string, Uint8Array>();
  /** What of it was given to the line. */
  readonly onLine = new Set<string>();
  /** When each stop was first issued: its place among all calls, by session and number. */
  readonly stopIssues = new Map<string, number>();
  /**
   * The same of starts: each carries a watchdog time of its own, by which the board's run is known to be the
   * host's call.
   */
  readonly startIssues = new Map<number, number>();
  /**
   * When a call last passed its deadline for what the line had lost, and when a watchdog tripped for the same
   * reason.
   */
  lastTimeoutMs = -1;
  lastTripMs = -1;
  /** Nonce of the session that the present host has. */
  hostSession = '';
  /** Until when things lasted for which a session may be lost. */
  #disturbedUntilMs = -1;
  readonly #rig: TestRig;

  constructor(rig: TestRig) {
    this.#rig = rig;
  }

  get nowMs(): number {
    return this.#rig.time.nowMs();
  }

  /**
   * The session that the board opened first under this nonce: one that has forgotten it opens another when it
   * is asked for it.
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

  /** From when on, so far, neither a disturbance nor what a host needs to notice it holds anything up. */
  get quietFromMs(): number {
    return this.#disturbedUntilMs < 0 ? 0 : this.#disturbedUntilMs + NOTICED_MS;
  }

  /** Whether anything happened since then that may cost a session. */
  disturbedSince(ms: number): boolean {
    return this.#disturbedUntilMs >= ms;
  }
}
