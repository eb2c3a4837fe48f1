import type { Connection } from '../../src/driver/connection.js';
import type { DeviceEvent } from '../../src/driver/reconnect.js';
import type { RunKeeper } from '../../src/driver/run-keeper.js';
import type { Truth } from './truth.js';

/** Longest wait of the driver: one turn of the host, and one frame on the slowest line. */
const TURN_MS = 20;
/** Pauses between two attempts to find a board: the first pause, which doubles each time, and the longest. */
const PAUSE_MS_FIRST = 100;
const PAUSE_MS_MAX = 2000;
/** Longest attempt: HELLO to resume and HELLO to open, each repeated for 2 s. */
const ATTEMPT_MS = 4000;

/**
 * Checks what the driver must do by itself. It must look for a lost board, and feed the watchdog of its runs.
 */
export class DriverChecks {
  readonly #truth: Truth;
  #fedAtMs = 0;
  #keeper: RunKeeper | undefined;
  #watchdogMs = 0;
  #connection: Connection | undefined;
  /** The time at which the search for the board, or its last attempt, began; undefined with a board. */
  #lookedAtMs: number | undefined;
  #attempts = 0;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  /** Called when the host's process has ended. */
  hostGone(): void {
    this.#connection = undefined;
    this.#keeper = undefined;
  }

  /** Called when the host has written a frame of its session to the line. */
  fed(): void {
    this.#fedAtMs = this.#truth.nowMs;
  }

  runKnown(keeper: RunKeeper, watchdogMs: number): void {
    this.#keeper = keeper;
    // Until the host knows of its run, its repeated commands feed the watchdog.
    this.#fedAtMs = this.#truth.nowMs;
    this.#watchdogMs = watchdogMs;
  }

  says({ kind }: DeviceEvent): void {
    if (kind !== 'reconnecting') return;
    this.#attempts++;
    this.#lookedAtMs = this.#truth.nowMs;
  }

  /** Called after every event, while the host lives. */
  check(connection: Connection | undefined): void {
    if (connection !== this.#connection) {
      this.#connection = connection;
      this.#keeper = undefined;
      this.#lookedAtMs = undefined;
    }
    if (!connection || connection.failure) return;
    if (connection.suspended) this.#checkSearch();
    else {
      this.#lookedAtMs = undefined;
      this.#checkFeeding(connection);
    }
  }

  #checkSearch(): void {
    const { nowMs } = this.#truth;
    if (this.#lookedAtMs === undefined) {
      this.#lookedAtMs = nowMs;
      this.#attempts = 0;
    }
    const pauseMs = Math.min(PAUSE_MS_MAX, PAUSE_MS_FIRST * 2 ** this.#attempts);
    const limitMs = pauseMs + (this.#attempts > 0 ? ATTEMPT_MS : 0) + TURN_MS;
    if (nowMs - this.#lookedAtMs > limitMs)
      this.#truth.broken(`a board was lost, and for ${nowMs - this.#lookedAtMs} ms nobody has looked for it`);
  }

  #checkFeeding(connection: Connection): void {
    if (!this.#keeper || this.#keeper.isEmpty || !connection.attached) return;
    const { nowMs } = this.#truth;
    const limitMs = this.#watchdogMs / 4 + TURN_MS;
    // A line that stalls takes no bytes.
    if (nowMs - this.#fedAtMs > limitMs && !this.#truth.disturbedSince(this.#fedAtMs))
      this.#truth.broken(
        `a watchdog of ${this.#watchdogMs} ms was not fed for ${nowMs - this.#fedAtMs} ms by a host with a run`,
      );
  }
}
