import { describe, expect, it } from 'vitest';
import { HostClock, type TimeSource } from '../../src/driver/system-clock.js';

/** A machine whose time is set by a test. The test can stop its process or suspend the machine. */
class Machine implements TimeSource {
  #nowMs = 1000;
  #suspendedMs = 0;
  #timers: { atMs: number; callback: () => void; ref: boolean }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1e12 + this.#nowMs + this.#suspendedMs;
  }

  setTimer(delayMs: number, callback: () => void, ref: boolean): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback, ref };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** The process runs for `ms`: every timer fires when it is due. */
  run(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.reduce<number>((soonest, { atMs }) => Math.min(soonest, atMs), Infinity);
      if (next > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, next);
      this.#fire();
    }
    this.#nowMs = untilMs;
  }

  /** The process does not run for `ms`. Timers that are due meanwhile fire when it runs again. */
  stop(ms: number): void {
    this.#nowMs += ms;
  }

  /** The machine is suspended for `ms`, and its monotonic time stands still. */
  suspend(ms: number): void {
    this.#suspendedMs += ms;
  }

  /** Timers that keep the process alive. */
  get alive(): number {
    return this.#timers.filter(({ ref }) => ref).length;
  }

  get timers(): number {
    return this.#timers.length;
  }

  #fire(): void {
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs);
    for (const { callback } of due) callback();
  }
}

/** A clock on a machine, and the times at which its timers fired, by this clock. */
function start() {
  const machine = new Machine();
  const clock = new HostClock(machine);
  const fired: number[] = [];
  const note = () => void fired.push(clock.nowMs());
  return { machine, clock, fired, note };
}

describe('the clock of the host', () => {
  it('fires a timer after its delay', () => {
    const { machine, clock, fired, note } = start();
    const startMs = clock.nowMs();
    clock.schedule(5000, note);
    machine.run(4999);
    expect(fired).toEqual([]);
    machine.run(1);
    expect(fired).toEqual([startMs + 5000]);
    expect(clock.stoppedMs()).toBe(0);
  });

  it('moves a deadline by the time in which the process was stopped', () => {
    const { machine, clock, fired, note } = start();
    clock.schedule(5000, note);
    machine.run(1000);
    machine.stop(11_000);
    // The machine's time has passed the deadline, but the stop moved the deadline. Up to 250 ms of the stop
    // count as running time.
    machine.run(3700);
    expect(fired).toEqual([]);
    machine.run(300);
    expect(fired).toHaveLength(1);
    expect(clock.stoppedMs()).toBeGreaterThanOrEqual(10_750);
    expect(clock.stoppedMs()).toBeLessThanOrEqual(11_000);
  });

  it('knows of the stop before any timer fires, so the first reader gets the time without the stop', () => {
    const { machine, clock, note } = start();
    clock.schedule(5000, note);
    const startMs = clock.nowMs();
    machine.run(1000);
    machine.stop(11_000);
    expect(clock.nowMs() - startMs).toBeLessThanOrEqual(1250);
  });

  it('never runs backwards, at any time of reading', () => {
    const { machine, clock, note } = start();
    clock.schedule(60_000, note);
    let lastMs = clock.nowMs();
    for (const [runMs, stopMs] of [
      [10, 240],
      [0, 490],
      [0, 20],
      [249, 501],
      [1, 499],
      [0, 3],
      [500, 10_000],
    ]) {
      machine.run(runMs);
      machine.stop(stopMs);
      const nowMs = clock.nowMs();
      expect(nowMs).toBeGreaterThanOrEqual(lastMs);
      lastMs = nowMs;
    }
  });

  it('counts a stop of 700 ms as running time', () => {
    const { machine, clock, note } = start();
    clock.schedule(60_000, note);
    const startMs = clock.nowMs();
    machine.stop(700);
    expect(clock.nowMs() - startMs).toBe(700);
    expect(clock.stoppedMs()).toBe(0);
  });

  it('counts a stop as running time if no timer is waiting', () => {
    const { machine, clock, fired, note } = start();
    clock.schedule(100, note);
    machine.run(1000);
    const startMs = clock.nowMs();
    machine.stop(3_600_000);
    expect(clock.nowMs() - startMs).toBe(3_600_000);
    clock.schedule(100, note);
    machine.run(100);
    expect(fired).toHaveLength(2);
  });

  it('tells the time for which the machine was suspended, although the monotonic time does not contain it', () => {
    const { machine, clock, note } = start();
    clock.schedule(5000, note);
    machine.run(1000);
    machine.suspend(11_000);
    expect(clock.stoppedMs()).toBe(11_000);
    machine.run(500);
    expect(clock.stoppedMs()).toBe(11_000);
  });

  it('keeps the process alive for a timer that waits, and keeps no other timers', () => {
    const { machine, clock, note } = start();
    const cancel = clock.schedule(5000, note);
    expect(machine.alive).toBe(1);
    cancel();
    cancel();
    expect(machine.alive).toBe(0);
    machine.run(1000);
    expect(machine.timers).toBe(0);
    clock.schedule(Infinity, note);
    expect(machine.timers).toBe(0);
  });
});
