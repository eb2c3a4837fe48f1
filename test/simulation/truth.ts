import type { Bench } from './bench.js';
import type { BoardSession } from './board-records.js';
import type { FrameFaultName } from './faults.js';

/** Frames that a fault takes away: what is cut off before its delimiter spoils the next one too. */
const FRAMES_COST: Readonly<Record<FrameFaultName, number>> = {
  drop: 1,
  flip: 1,
  truncate: 2,
  duplicate: 0,
  reorder: 0,
  fragment: 0,
  delay: 0,
};
/** Longest deadline of a command with some room, and how often it is sent within any: 250 ms, doubled each time. */
const DEADLINE_MS = 5100;
const SENDINGS_MIN = 4;

/** What really happened in a run, as far as several checkers need it, and what they found broken. */
export class Truth {
  /** The first is the one to report. */
  readonly violations: string[] = [];
  /** Sessions that the board has opened. */
  readonly sessions: BoardSession[] = [];
  /** What the host has sent, by session and request. */
  readonly payloads = new Map<string, Uint8Array>();
  /** When each stop was first issued: its place among all calls, by session and number. */
  readonly stopIssues = new Map<string, number>();
  /** The same of starts: each carries a watchdog time of its own, by which the board's run is known to be the host's call. */
  readonly startIssues = new Map<number, number>();
  /** Nonce of the session that the present host has. */
  hostSession = '';
  /** Until when things lasted for which a session may be lost. */
  #disturbedUntilMs = -1;
  readonly #damages: { readonly atMs: number; readonly cost: number }[] = [];
  readonly #bench: Bench;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  get nowMs(): number {
    return this.#bench.time.nowMs();
  }

  /** The session that the board opened first under this nonce: one that has forgotten it opens another when it is asked for it. */
  session(nonce: string): BoardSession | undefined {
    return this.sessions.find((session) => session.nonce === nonce);
  }

  broken(invariant: string): void {
    this.violations.push(invariant);
  }

  disturbed(what: string, forMs: number): void {
    this.#disturbedUntilMs = Math.max(this.#disturbedUntilMs, this.nowMs + forMs);
    this.#bench.note(what);
  }

  damaged(fault: FrameFaultName): void {
    const cost = FRAMES_COST[fault];
    if (cost > 0) this.#damages.push({ atMs: this.nowMs, cost });
  }

  /** Whether so many frames were lost one way or the other within a command's deadline that it may pass by bad luck alone. */
  get unlucky(): boolean {
    const sinceMs = this.nowMs - DEADLINE_MS;
    while (this.#damages.length > 0 && this.#damages[0].atMs < sinceMs) this.#damages.shift();
    return this.#damages.reduce((sum, { cost }) => sum + cost, 0) >= SENDINGS_MIN;
  }

  /** Whether anything happened since then that may cost a session. */
  disturbedSince(ms: number): boolean {
    return this.#disturbedUntilMs >= ms;
  }
}
