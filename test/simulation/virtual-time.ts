import type { Clock } from '../../firmware-protocol/clock.js';

interface Event {
  readonly atMs: number;
  /** Events of the same time happen in the order in which they were scheduled. */
  readonly order: number;
  /** Undefined for a cancelled event. */
  callback: (() => void) | undefined;
}

/**
 * Time that passes only when nothing else can happen. After each event every promise that can settle does so.
 * Host code waits only for promises and this clock, so the same seed gives the same history.
 */
export class VirtualTime implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #heap: Event[] = [];
  /** The number of events that have happened. */
  events = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, callback };
    this.#push(event);
    return () => {
      event.callback = undefined;
    };
  }

  defer(callback: () => void): void {
    this.schedule(0, callback);
  }

  /**
   * Lets events happen until `done` returns true. `done` is called before the first event and after each
   * event. Rejects with the error that an event or `done` throws. Rejects also when no event is left.
   */
  run(done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (done()) {
            resolve();
            return;
          }
          const event = this.#pop();
          if (!event) throw new Error('nothing is left that could happen');
          this.#nowMs = event.atMs;
          this.events++;
          event.callback!();
        } catch (error) {
          reject(error);
          return;
        }
        queueMicrotask(again);
      };
      // Node runs all microtasks before the next tick. A tick that a microtask asks for therefore comes after
      // every promise that can settle. A turn of the whole event loop would do as well, but doubles the time
      // of a simulation.
      const again = (): void => process.nextTick(step);
      again();
    });
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!earlier(event, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = event;
  }

  /** The next event that was not cancelled. */
  #pop(): Event | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (!first) return undefined;
      const last = this.#heap.pop()!;
      if (this.#heap.length > 0) this.#sink(last);
      if (first.callback) return first;
    }
  }

  #sink(event: Event): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && earlier(heap[child + 1], heap[child])) child++;
      if (!earlier(heap[child], event)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = event;
  }
}

function earlier(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/**
 * The clock of a process that can die: afterwards its timers never fire. `turnMs` is the time of one turn of
 * its event loop.
 */
export class MortalClock implements Clock {
  alive = true;
  readonly #time: Clock;
  readonly #turnMs: number;

  constructor(time: Clock, turnMs = 0) {
    this.#time = time;
    this.#turnMs = turnMs;
  }

  nowMs(): number {
    return this.#time.nowMs();
  }

  schedule(delayMs: number, callback: () => void): () => void {
    return this.#time.schedule(delayMs, () => {
      if (this.alive) callback();
    });
  }

  defer(callback: () => void): void {
    this.schedule(this.#turnMs, callback);
  }

  /** A pause in the process of this clock. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.schedule(ms, resolve));
  }
}
