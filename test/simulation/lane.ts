import type { FrameFaultName } from './faults.js';
import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

export interface LaneOptions {
  readonly latencyMs: number;
  readonly bytesPerMs: number;
  readonly random: Random;
  /** The fault of this write. It is called once for each write. */
  readonly fault: (bytes: Uint8Array) => FrameFaultName | undefined;
  readonly deliver: (bytes: Uint8Array) => void;
}

/** Longest delay of a late frame. */
export const LATENESS_MS_MAX = 1500;
/** The time that bytes wait for the next ones when chunks are joined. */
const JOIN_MS = 4;

/** One direction of a line. Bytes arrive after the latency and in order, unless there is a fault. */
export class Lane {
  readonly #time: VirtualTime;
  readonly #options: LaneOptions;
  #lastArrivalMs = 0;
  #stalledUntilMs = 0;
  /** Number of cuts. Bytes that were on the way at a cut never arrive. */
  #cuts = 0;
  /** Bytes that will arrive in one chunk together with the next ones. */
  #held: Uint8Array | undefined;

  constructor(time: VirtualTime, options: LaneOptions) {
    this.#time = time;
    this.#options = options;
  }

  /** Takes a write. Returns the milliseconds after which the writer may go on. */
  send(bytes: Uint8Array): number {
    const { random, latencyMs, bytesPerMs } = this.#options;
    const nowMs = this.#time.nowMs();
    const busyMs = bytes.length / bytesPerMs + Math.max(0, this.#stalledUntilMs - nowMs);
    const fault = this.#options.fault(bytes);
    const inOrder = (extraMs: number, chunk: Uint8Array): void => {
      this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + busyMs + latencyMs + extraMs);
      this.#arrive(this.#lastArrivalMs, this.#joined(chunk));
    };
    switch (fault) {
      case undefined:
        inOrder(0, bytes);
        break;
      case 'drop':
        break;
      case 'flip': {
        const at = random.whole(0, bytes.length - 1);
        inOrder(0, bytes.with(at, bytes[at] ^ (1 << random.whole(0, 7))));
        break;
      }
      case 'duplicate':
        inOrder(0, bytes);
        inOrder(random.chance(0.5) ? 0 : random.ms(0, 60), bytes);
        break;
      case 'reorder': {
        // The frame usually arrives after a few later frames, and sometimes after a whole later session.
        const lateMs = random.chance(0.8) ? random.ms(1, 30) : random.ms(30, LATENESS_MS_MAX);
        this.#arrive(nowMs + busyMs + latencyMs + lateMs, bytes);
        break;
      }
      case 'truncate':
        inOrder(0, bytes.slice(0, random.whole(0, bytes.length - 1)));
        break;
      case 'fragment':
        this.#fragment(bytes, inOrder);
        break;
      case 'delay':
        inOrder(random.ms(1, 120), bytes);
        break;
    }
    return busyMs;
  }

  /** Stalls the line for this time: it takes no bytes, and writers wait. */
  stall(ms: number): void {
    this.#stalledUntilMs = this.#time.nowMs() + ms;
  }

  /** Cuts the line: the bytes on the way are lost. */
  cut(): void {
    this.#cuts++;
    this.#held = undefined;
    this.#lastArrivalMs = 0;
    this.#stalledUntilMs = 0;
  }

  /**
   * Cuts the bytes in pieces that arrive one after another, or holds them until they arrive in one chunk with
   * the following bytes.
   */
  #fragment(bytes: Uint8Array, inOrder: (extraMs: number, chunk: Uint8Array) => void): void {
    const { random } = this.#options;
    if (random.chance(0.5)) {
      this.#held = this.#joined(bytes);
      const held = this.#held;
      this.#time.schedule(JOIN_MS, () => {
        if (this.#held !== held) return;
        this.#held = undefined;
        inOrder(0, held);
      });
      return;
    }
    let start = 0;
    while (start < bytes.length) {
      const end = random.whole(start + 1, bytes.length);
      inOrder(random.ms(0, 2), bytes.slice(start, end));
      start = end;
    }
  }

  #joined(bytes: Uint8Array): Uint8Array {
    const held = this.#held;
    if (!held) return bytes;
    this.#held = undefined;
    const both = new Uint8Array(held.length + bytes.length);
    both.set(held);
    both.set(bytes, held.length);
    return both;
  }

  #arrive(atMs: number, bytes: Uint8Array): void {
    const { deliver } = this.#options;
    const cuts = this.#cuts;
    this.#time.schedule(atMs - this.#time.nowMs(), () => {
      if (cuts === this.#cuts && bytes.length > 0) deliver(bytes);
    });
  }
}
