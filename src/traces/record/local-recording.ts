import type { Clock } from '../../../firmware-protocol/clock.js';
import type { WritePart } from '../../files/replace-file.js';
import { Recording, type RecordingFailure, type RecordingSettings } from './recording.js';

/** A recording that this thread itself writes, with a timer for its chunks. Errors: none. */
export class LocalRecording {
  readonly #recording: Recording;
  readonly #clock: Clock;
  #cancelTimer: () => void = () => undefined;
  /** Time at which the timer fires, in ms of the clock. */
  #timerDueMs = Infinity;

  constructor(
    settings: RecordingSettings,
    clock: Clock,
    onFailure: (failure: RecordingFailure) => void,
    write?: WritePart,
  ) {
    this.#clock = clock;
    this.#recording = new Recording(settings, () => clock.nowMs(), onFailure, write);
  }

  /** Takes an entry (`Recording.take`). */
  take(tag: number, elapsedNs: number, bytes: Uint8Array): void {
    this.#recording.take(tag, elapsedNs, bytes);
    this.#setTimer();
  }

  /** Writes all waiting messages. */
  writeNow(): void {
    this.#recording.closeChunk();
  }

  /** Writes the remaining messages and the end of the file. */
  finish(): void {
    this.#cancelTimer();
    this.#recording.finish();
  }

  close(): Promise<void> {
    this.finish();
    return Promise.resolve();
  }

  #setTimer(): void {
    const { dueMs } = this.#recording;
    // A timer that fires too early finds no chunk due, and is set again.
    if (dueMs >= this.#timerDueMs) return;
    this.#cancelTimer();
    this.#timerDueMs = dueMs;
    this.#cancelTimer = this.#clock.schedule(dueMs - this.#clock.nowMs(), () => {
      this.#timerDueMs = Infinity;
      this.#recording.closeWhenDue();
      this.#setTimer();
    });
  }
}
