import type { Clock } from '../../firmware-protocol/clock.js';

/** Longest delay of a timer in Node. One with a longer delay would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The machine's monotonic clock. */
export const SYSTEM_CLOCK: Clock = {
  nowMs: () => performance.now(),
  schedule(delayMs, callback) {
    if (delayMs === Infinity) return () => undefined;
    const dueMs = performance.now() + delayMs;
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      timer = setTimeout(
        () => (leftMs > TIMER_MS_MAX ? arm(dueMs - performance.now()) : callback()),
        Math.min(TIMER_MS_MAX, Math.max(0, leftMs)),
      );
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
  defer: (callback) => void setImmediate(callback),
};
