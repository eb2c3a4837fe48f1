import type { Clock } from '../../firmware-protocol/clock.js';

/** The machine's monotonic clock. */
export const SYSTEM_CLOCK: Clock = {
  nowMs: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
  defer: (callback) => void setImmediate(callback),
};
