import type { EmulatedDevice } from '../../emulator/index.js';
import type { Clock } from '../../firmware-protocol/clock.js';
import type { Port } from '../../firmware-protocol/port.js';
import { checkObject } from '../argument-checks.js';
import '../driver/fast-bytes.js';
import { SYSTEM_CLOCK } from '../driver/system-clock.js';

/** Wanted longest duration of a slice. A stop must wait for the end of a slice. */
const SLICE_MS = 5;
/** Several slices run in one turn of the event loop until they have taken this time together. */
const TOGETHER_MS = 1;
/**
 * Number of ticks in the first slice of a run. It is small, because the duration of one tick is not known
 * yet.
 */
const FIRST_SLICE_TICKS = 4;
const SLICE_TICKS_MAX = 1 << 20;
/** A chunk of at least this size is probably a part of an upload, and more chunks will follow. */
const BULK_BYTES = 32768;
/**
 * Number of chunks whose answers are written together. A write of a few bytes costs half as much as one of 64
 * KiB.
 */
const BULKS_TOGETHER = 4;
/** Largest number of bytes of answers that are written together. */
const TOGETHER_BYTES = 4096;

/**
 * A board with a byte interface, as `ServedDevice` needs it. `EmulatedDevice` is one. Errors: no bytes make
 * it throw.
 */
export interface ServableDevice
  extends Pick<
    EmulatedDevice,
    | 'receive'
    | 'poll'
    | 'ready'
    | 'advance'
    | 'disconnect'
    | 'elapse'
    | 'nextTimeoutMs'
    | 'watchdogDueMs'
    | 'link'
  > {
  /** Values for status lines, and the run in progress. */
  readonly board: {
    readonly state: string;
    readonly runId: number;
    readonly tick: number;
    readonly run: object | undefined;
    readonly watchdogTrips: number;
    /** End of the time in which the board identifies itself by its light, ms of its clock. */
    readonly identifyUntilMs?: number;
  };
}

/** Clock of an emulated board, and how many ticks it may compute at once. */
export interface ServeOptions {
  readonly clock?: Clock;
  /** Largest number of ticks of one slice. It is for virtual clocks, on which a slice takes no time. */
  readonly sliceTicksMax?: number;
}

/**
 * Runs an emulated board on a port, as fast as the machine can. It passes bytes and time to the board, lets
 * ticks pass in slices of about SLICE_MS, and writes the answers of the board. Results do not depend on the
 * slices. When the port closes, the board stops, goes to `safe` and keeps its programs.
 */
export class ServedDevice {
  readonly #device: ServableDevice;
  readonly #port: Port;
  readonly #clock: Clock;
  readonly #sliceTicksMax: number;
  #sliceTicks = FIRST_SLICE_TICKS;
  /**
   * The run for which #sliceTicks was determined. It is an object and not a number, because run numbers
   * restart in each session.
   */
  #sliceRun: object | undefined;
  #working = false;
  #again = false;
  /** Number of large chunks since the answers of the board were last taken. */
  #bulks = 0;
  readonly #together = new Uint8Array(TOGETHER_BYTES);
  /** A frame of the board that did not fit into #together. */
  #held: Uint8Array | undefined;
  #cancelTimer: (() => void) | undefined;
  /** Cancels `#watch`. Set while a write is in progress. */
  #cancelWatch: (() => void) | undefined;

  constructor(device: ServableDevice, port: Port, options: ServeOptions = {}) {
    checkObject('device', device, 'new EmulatedDevice(die)');
    checkObject('port', port, "memoryPortPair('board')[1]");
    this.#device = device;
    this.#port = port;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#sliceTicksMax = options.sliceTicksMax ?? SLICE_TICKS_MAX;
    port.onData((bytes) => {
      this.#device.receive(bytes, this.#clock.nowMs());
      // These bytes may have started a run and its watchdog while a write still waits for the host.
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
      // A write to a port that closed ends the service. Any other error is a bug.
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
          this.#slices();
          this.#again = true;
          // Bytes that arrived during a slice are handled between two slices.
          await new Promise<void>((resolve) => this.#clock.defer(resolve));
        }
      }
      const dueMs = this.#device.nextTimeoutMs;
      if (dueMs !== undefined && !this.#port.closed)
        this.#cancelTimer = this.#clock.schedule(dueMs - this.#clock.nowMs(), () => this.#wake());
    } finally {
      // This must happen in the same turn of the event loop as the last poll. Otherwise a wake-up in between
      // would be lost.
      this.#working = false;
    }
  }

  /** Returns the next bytes to write: one frame, or several short frames after the chunks of an upload. */
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

  /** Writes. Also checks the watchdog while the write waits for a host that does not read. */
  async #write(bytes: Uint8Array): Promise<void> {
    this.#watch();
    try {
      await this.#port.write(bytes);
    } finally {
      this.#cancelWatch?.();
      this.#cancelWatch = undefined;
    }
  }

  /** Checks the watchdog whenever it is due, until the write in progress has ended. */
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

  /**
   * Lets one slice pass, or several short slices. The first slices of a run are shorter than a turn of the
   * event loop, so several of them share one turn. On a virtual clock, on which a slice takes no time, one
   * slice passes.
   */
  #slices(): void {
    const startMs = this.#clock.nowMs();
    for (let fromMs = startMs; ; ) {
      this.#slice();
      const nowMs = this.#clock.nowMs();
      if (!this.#device.ready || nowMs === fromMs || nowMs - startMs >= TOGETHER_MS) return;
      fromMs = nowMs;
    }
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
    // A slice that ended early (no credit, end of the run) does not show the duration of a full slice.
    else if (ticks === this.#sliceTicks && tookMs < SLICE_MS / 2)
      this.#sliceTicks = Math.min(this.#sliceTicksMax, this.#sliceTicks * 2);
  }
}
