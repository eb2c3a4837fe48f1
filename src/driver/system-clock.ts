import type { Clock } from '../../firmware-protocol/clock.js';
import { letExit, nextTurn } from '../platform.js';

/** Longest delay of a timer in Node. One with a longer delay would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;
/** Period of the clock's own checks while a timer waits. */
const BEAT_MS = 250;
/** If a check is late by more than this, the process was stopped meanwhile. */
const LATE_MS = 500;

/** The time source of a clock: the machine or a test. */
export interface TimeSource {
  /** Monotonic time in ms. */
  nowMs(): number;
  /** Time of day in ms. It goes on while the machine is suspended. */
  wallMs(): number;
  /** Calls `callback` after `delayMs`. A timer that is not `ref` does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void, ref: boolean): () => void;
}

/**
 * A monotonic clock that does not count the time in which this process did not run: it was stopped (Ctrl-Z,
 * a debugger), the machine was suspended, or the process computed without a pause. The host hears nobody in
 * that time, so no deadline may pass because of it. All deadlines and watchdogs of the host, and of a board
 * that is emulated in this process, use this clock. So they all move by the lost time.
 */
export class HostClock implements Clock {
  readonly #source: TimeSource;
  /** The time that the clock leaves out, ms. */
  #lostMs = 0;
  /** Time for which the machine was suspended while the monotonic time stood still, ms. */
  #suspendedMs = 0;
  /** Time of day minus monotonic time at the last beat, ms. */
  #wallAheadMs = 0;
  /** The source's time at the last check. */
  #seenMs = 0;
  /** When the next beat is due in the source's time. Undefined while no timer waits. */
  #beatDueMs: number | undefined;
  #timersWaiting = 0;

  constructor(source: TimeSource) {
    this.#source = source;
  }

  nowMs(): number {
    const sourceMs = this.#look();
    return sourceMs - this.#lostMs;
  }

  stoppedMs(): number {
    this.#look();
    this.#lookAtWall();
    return this.#lostMs + this.#suspendedMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    if (delayMs === Infinity) return () => undefined;
    this.#beat();
    const dueMs = this.nowMs() + delayMs;
    let cancel: () => void;
    let waits = true;
    const end = (): void => {
      if (waits) this.#timersWaiting--;
      waits = false;
    };
    const arm = (leftMs: number): void => {
      cancel = this.#source.setTimer(
        Math.min(TIMER_MS_MAX, Math.max(0, leftMs)),
        () => {
          const stillMs = dueMs - this.nowMs();
          // Timers of Node may fire a part of a millisecond early.
          if (stillMs >= 1) return arm(stillMs);
          end();
          callback();
        },
        true,
      );
    };
    this.#timersWaiting++;
    arm(delayMs);
    return () => {
      end();
      cancel();
    };
  }

  defer(callback: () => void): void {
    nextTurn(callback);
  }

  /** The source's time. If a beat was due since the last look, the time after that beat is lost time. */
  #look(): number {
    const sourceMs = this.#source.nowMs();
    if (this.#beatDueMs !== undefined) {
      const fromMs = Math.max(this.#beatDueMs, this.#seenMs);
      if (sourceMs - fromMs > LATE_MS) this.#lostMs += sourceMs - fromMs;
    }
    this.#seenMs = sourceMs;
    return sourceMs;
  }

  /** On Linux and macOS the monotonic time stands still while the machine is suspended. */
  #lookAtWall(): void {
    if (this.#beatDueMs === undefined) return;
    const aheadMs = this.#source.wallMs() - this.#source.nowMs();
    if (aheadMs - this.#wallAheadMs > LATE_MS) this.#suspendedMs += aheadMs - this.#wallAheadMs;
    this.#wallAheadMs = aheadMs;
  }

  /** Starts the beats, unless they are going already. They end when no timer waits. */
  #beat(): void {
    if (this.#beatDueMs !== undefined) return;
    const sourceMs = this.#source.nowMs();
    this.#seenMs = sourceMs;
    this.#wallAheadMs = this.#source.wallMs() - sourceMs;
    const next = (nowMs: number): void => {
      this.#beatDueMs = nowMs + BEAT_MS;
      this.#source.setTimer(
        BEAT_MS,
        () => {
          const seenMs = this.#look();
          this.#lookAtWall();
          if (this.#timersWaiting > 0) next(seenMs);
          else this.#beatDueMs = undefined;
        },
        false,
      );
    };
    next(sourceMs);
  }
}

/** The machine's clock, without the time in which this process did not run. */
export const SYSTEM_CLOCK: Clock = new HostClock({
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(delayMs, callback, ref) {
    const timer = setTimeout(callback, delayMs);
    if (!ref) letExit(timer);
    return () => clearTimeout(timer);
  },
});
