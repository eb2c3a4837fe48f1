import type { Clock } from '../../firmware-protocol/clock.js';

/** Time that passes only when nothing else can happen: no test sleeps. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; callback: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  defer(callback: () => void): void {
    setImmediate(callback);
  }

  /** Lets time pass until `promise` settles. Fails when there are no more events. */
  async run<T>(promise: Promise<T>, untilMs = 600_000): Promise<T> {
    let settled = false;
    const watched = promise.finally(() => {
      settled = true;
    });
    watched.catch(() => undefined);
    while (!settled) {
      // Events that need no time happen first.
      for (let turn = 0; turn < 50 && !settled; turn++) await new Promise((resolve) => setImmediate(resolve));
      if (settled) break;
      const next = this.#timers.reduce<number>((soonest, { atMs }) => Math.min(soonest, atMs), Infinity);
      if (next > untilMs) throw new Error(`virtual time passed ${untilMs} ms without an end`);
      this.#nowMs = Math.max(this.#nowMs, next);
      const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
      this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs);
      for (const { callback } of due) callback();
    }
    return watched;
  }
}
