import type { Clock } from '../../../../firmware-protocol/clock.js';
import { stoppedMsOf } from '../../../driver/run-keeper.js';

/** Number of times that the meter reads the clock within the lateness that matters. */
const LOOKS = 4;
const LOOK_MS_MIN = 2;

/**
 * Measures how late this machine is: a timer that is due again and again fires late while the machine or this
 * process is busy or stopped. The clock is read only every quarter of `slackMs` (or every 2 ms, if that is
 * more). So the measured delay may be too small by this time, but is never too large. Runs from its
 * construction to `end`.
 */
export class LatenessMeter {
  readonly #clock: Clock;
  readonly #slackMs: number;
  readonly #everyMs: number;
  #dueMs = 0;
  #stoppedMs = 0;
  #cancel: () => void = () => undefined;
  /** The longest delay seen, ms. */
  #mostMs = 0;

  constructor(clock: Clock, slackMs: number) {
    this.#clock = clock;
    this.#slackMs = slackMs;
    this.#everyMs = Math.max(LOOK_MS_MIN, slackMs / LOOKS);
    this.#wait();
  }

  /** Ends the measurement. Returns how late the machine was, in ms, or 0 if it was at most `slackMs` late. */
  end(): number {
    this.#cancel();
    this.#look();
    return this.#mostMs + this.#everyMs > this.#slackMs ? this.#mostMs : 0;
  }

  #wait(): void {
    this.#dueMs = this.#clock.nowMs() + this.#everyMs;
    this.#stoppedMs = stoppedMsOf(this.#clock);
    this.#cancel = this.#clock.schedule(this.#everyMs, () => {
      this.#look();
      this.#wait();
    });
  }

  #look(): void {
    const stoppedMs = stoppedMsOf(this.#clock) - this.#stoppedMs;
    this.#mostMs = Math.max(this.#mostMs, this.#clock.nowMs() - this.#dueMs + stoppedMs);
  }
}
