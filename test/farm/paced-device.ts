import { EmulatedDevice } from '../../emulator/index.js';
import { findProfile } from '../../emulator/profiles/profiles.js';
import { SYSTEM_CLOCK } from '../../src/driver/system-clock.js';
import type { ServableDevice } from '../../src/serve/serve-device.js';

/**
 * An emulated board whose ticks take as long as those of a real one. It computes no tick before it is due.
 * Several such boards can share a processor without waiting for each other.
 */
export class PacedDevice implements ServableDevice {
  readonly #device: EmulatedDevice;
  readonly #ticksPerMs: number;
  #run: object | undefined;
  #startMs = 0;
  #ticks = 0;

  constructor(profile: string, ticksPerMs: number) {
    this.#device = new EmulatedDevice({ profile: findProfile(profile)!, dieSeed: 1 });
    this.#ticksPerMs = ticksPerMs;
  }

  get board() {
    return this.#device.board;
  }
  get link() {
    return this.#device.link;
  }
  get watchdogDueMs() {
    return this.#device.watchdogDueMs;
  }
  get ready(): boolean {
    return this.#device.ready && this.#dueTicks() >= 1;
  }
  get nextTimeoutMs(): number | undefined {
    const nextMs = this.#device.nextTimeoutMs;
    if (!this.#device.ready) return nextMs;
    const tickMs = this.#startMs + (this.#ticks + 1) / this.#ticksPerMs;
    return Math.min(nextMs ?? Infinity, tickMs);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    this.#device.receive(bytes, nowMs);
  }
  poll(nowMs: number): Uint8Array | undefined {
    return this.#device.poll(nowMs);
  }
  disconnect(): void {
    this.#device.disconnect();
  }
  elapse(nowMs: number): void {
    this.#device.elapse(nowMs);
  }
  advance(ticks: number): number {
    const done = this.#device.advance(Math.min(ticks, this.#dueTicks()));
    this.#ticks += done;
    return done;
  }

  /** How many ticks of the run are due and not computed. A run begins when it is first seen. */
  #dueTicks(): number {
    const { run } = this.#device.board;
    if (run !== this.#run) {
      this.#run = run;
      this.#startMs = SYSTEM_CLOCK.nowMs();
      this.#ticks = 0;
    }
    return Math.floor((SYSTEM_CLOCK.nowMs() - this.#startMs) * this.#ticksPerMs) - this.#ticks;
  }
}
