import type { EmulatedDevice } from '../../emulator/index.js';
import type { Clock } from '../../firmware-protocol/clock.js';
import type { Port } from '../../firmware-protocol/port.js';
import '../driver/platform.js';
import { SYSTEM_CLOCK } from '../driver/system-clock.js';

/** Longest time that one slice of ticks should take, so that a stop is heard within it. */
const SLICE_MS = 5;
/** A run begins with few ticks: nothing is known yet of what a tick of its program costs. */
const FIRST_SLICE_TICKS = 4;
const SLICE_TICKS_MAX = 1 << 20;
/** Behind so many bytes at once there are probably more: an upload. */
const BULK_BYTES = 32768;
/** Its answers are written together, since a few bytes cost half as much as 64 KiB; fewer than a host has on the way. */
const BULKS_TOGETHER = 4;
/** What they take at most. */
const TOGETHER_BYTES = 4096;

export interface ServeOptions {
  readonly clock?: Clock;
  /** Bound of one slice, for a virtual clock, which can't see what a slice costs. */
  readonly sliceTicksMax?: number;
}

/**
 * Gives an emulated board life on a port: hands it bytes and the time, lets ticks pass in slices of about SLICE_MS, and
 * writes what it says. As fast as the machine can. No result depends on the slices. It ends when the port closes: the host
 * has gone, so the board stops, goes to safe and keeps its programs.
 */
export class ServedDevice {
  readonly #device: EmulatedDevice;
  readonly #port: Port;
  readonly #clock: Clock;
  readonly #sliceTicksMax: number;
  #sliceTicks = FIRST_SLICE_TICKS;
  /** The run that #sliceTicks was found for. Not its id: ids begin anew with every session. */
  #sliceRun: EmulatedDevice['board']['run'];
  #working = false;
  #again = false;
  /** Bulks taken since answers were last looked for; somebody will look. */
  #bulks = 0;
  readonly #together = new Uint8Array(TOGETHER_BYTES);
  /** Asked for, and too long to go with the frames before it. */
  #held: Uint8Array | undefined;
  #cancelTimer: (() => void) | undefined;
  /** While a write is in progress. */
  #cancelWatch: (() => void) | undefined;

  constructor(device: EmulatedDevice, port: Port, options: ServeOptions = {}) {
    this.#device = device;
    this.#port = port;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#sliceTicksMax = options.sliceTicksMax ?? SLICE_TICKS_MAX;
    port.onData((bytes) => {
      this.#device.receive(bytes, this.#clock.nowMs());
      // A run may begin, and its watchdog with it, while a write waits for a host that does not read.
      if (this.#cancelWatch) this.#watch();
      if (bytes.length < BULK_BYTES || ++this.#bulks >= BULKS_TOGETHER) this.#wake();
      else if (this.#bulks === 1) this.#clock.defer(() => this.#wake());
    });
    port.onClose(() => {
      this.#cancelTimer?.();
      device.disconnect();
    });
  }

  #wake(): void {
    this.#again = true;
    if (this.#working) return;
    this.#work().catch((error: unknown) => {
      // A port that closes in mid-write ends the service; its onClose tells whoever waits. Anything else is a bug.
      if (this.#port.closed) return;
      queueMicrotask(() => {
        throw error;
      });
    });
  }

  async #work(): Promise<void> {
    this.#working = true;
    try {
      this.#cancelTimer?.();
      while (this.#again && !this.#port.closed) {
        this.#again = false;
        for (let bytes = this.#next(); bytes; bytes = this.#next()) await this.#write(bytes);
        if (this.#device.ready) {
          this.#slice();
          this.#again = true;
          // Bytes that arrived meanwhile are served between two slices.
          await new Promise<void>((resolve) => this.#clock.defer(resolve));
        }
      }
      const dueMs = this.#device.nextTimeoutMs;
      if (dueMs !== undefined && !this.#port.closed)
        this.#cancelTimer = this.#clock.schedule(dueMs - this.#clock.nowMs(), () => this.#wake());
    } finally {
      // In the same turn as the last look: a wake-up in between would find nobody.
      this.#working = false;
    }
  }

  /** What to write next: one frame, or several short ones behind an upload's bulks. */
  #next(): Uint8Array | undefined {
    const behindBulks = this.#bulks > 0;
    this.#bulks = 0;
    const first = this.#held ?? this.#poll();
    this.#held = undefined;
    if (!behindBulks || !first || first.length > TOGETHER_BYTES) return first;
    let length = 0;
    for (let frame: Uint8Array | undefined = first; frame; frame = this.#poll()) {
      if (length + frame.length > TOGETHER_BYTES) {
        this.#held = frame;
        break;
      }
      this.#together.set(frame, length);
      length += frame.length;
    }
    return this.#together.subarray(0, length);
  }

  #poll(): Uint8Array | undefined {
    return this.#port.closed ? undefined : this.#device.poll(this.#clock.nowMs());
  }

  /** Writes; the watchdog is served also while a host that does not read holds the write up. */
  async #write(bytes: Uint8Array): Promise<void> {
    this.#watch();
    try {
      await this.#port.write(bytes);
    } finally {
      this.#cancelWatch?.();
      this.#cancelWatch = undefined;
    }
  }

  /** Serves the watchdog, as it is due now, until the write in progress has ended. */
  #watch(): void {
    this.#cancelWatch?.();
    const dueMs = this.#device.watchdogDueMs;
    this.#cancelWatch =
      dueMs === undefined
        ? () => undefined
        : this.#clock.schedule(dueMs - this.#clock.nowMs(), () => {
            this.#device.elapse(this.#clock.nowMs());
            this.#watch();
          });
  }

  #slice(): void {
    const { run } = this.#device.board;
    if (run !== this.#sliceRun) {
      this.#sliceRun = run;
      this.#sliceTicks = Math.min(this.#sliceTicks, FIRST_SLICE_TICKS);
    }
    const startMs = this.#clock.nowMs();
    const ticks = this.#device.advance(this.#sliceTicks);
    const tookMs = this.#clock.nowMs() - startMs;
    if (tookMs > SLICE_MS) this.#sliceTicks = Math.max(1, Math.floor(this.#sliceTicks / 2));
    // A slice that ended early (no credit, the end of the run) shows nothing of what longer ones cost.
    else if (ticks === this.#sliceTicks && tookMs < SLICE_MS / 2)
      this.#sliceTicks = Math.min(this.#sliceTicksMax, this.#sliceTicks * 2);
  }
}
