import { uniform } from '../support/lossy-link.js';

/**
 * Random draws of one seed. Streams of one seed that differ in `stream` are independent: one more draw in a
 * stream changes no other.
 */
export class Random {
  readonly #next: () => number;

  constructor(seed: number, stream: number) {
    // Without mixing, neighbouring seeds would begin with similar draws.
    this.#next = uniform(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b));
    for (let i = 0; i < 4; i++) this.#next();
  }

  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.#next() * (to - from + 1));
  }

  /** Milliseconds from `from` to `to`, in whole microseconds. */
  ms(from: number, to: number): number {
    return this.whole(from * 1000, to * 1000) / 1000;
  }

  chance(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.whole(0, items.length - 1)];
  }
}
