import type { Clock } from '../../firmware-protocol/clock.js';
import { Refusal } from './refusal.js';

/** A limit: `atOnce` times at once, and `perSecond` times a second in the long run. */
export interface Rate {
  readonly atOnce: number;
  readonly perSecond: number;
}

/**
 * The limits of one owner, over all connections. Clients without a token are counted by address. Stops do not
 * count: a stop is never refused.
 */
export const RATES = {
  requests: { atOnce: 200, perSecond: 50 },
  /** Leases that are asked for. */
  leases: { atOnce: 128, perSecond: 10 },
  /** Recordings that are switched on or off. */
  recordings: { atOnce: 10, perSecond: 1 },
  /** Notes of trainings, each of which goes to every observer. */
  notes: { atOnce: 2000, perSecond: 640 },
  /** Stops that observers are told of. Further stops are executed too, but not told. */
  toldStops: { atOnce: 20, perSecond: 5 },
} as const satisfies Record<string, Rate>;
/** The names of the limits. */
export type RateName = keyof typeof RATES;

/** Messages and pings of an observer, which needs to send none. Above this rate it is disconnected. */
export const OBSERVER_MESSAGES: Rate = { atOnce: 16, perSecond: 1 };
/** Messages and pings on the link of a board, of any length. Above this rate the server reads more slowly. */
export const LINK_MESSAGES: Rate = { atOnce: 20_000, perSecond: 10_000 };

/**
 * Largest number of clients that are remembered for one rate. The one that asked longest ago is forgotten.
 */
const ASKERS_MAX = 10_000;

/** A bucket that fills steadily, and from which each event takes one. It may go into debt. */
export class Bucket {
  readonly #rate: Rate;
  readonly #clock: Clock;
  #level: number;
  #atMs: number;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#level = rate.atOnce;
    this.#atMs = clock.nowMs();
  }

  /** Returns after how many ms the bucket will hold `count`; 0 if it holds that already. */
  waitMs(count: number): number {
    const { atOnce, perSecond } = this.#rate;
    const nowMs = this.#clock.nowMs();
    this.#level = Math.min(atOnce, this.#level + ((nowMs - this.#atMs) * perSecond) / 1000);
    this.#atMs = nowMs;
    return Math.max(0, ((Math.min(count, atOnce) - this.#level) * 1000) / perSecond);
  }

  /** Takes `count`, and returns after how many ms the debt is paid. */
  spend(count = 1): number {
    this.waitMs(count);
    this.#level -= count;
    return this.waitMs(0);
  }
}

/** Counts the requests of each owner, and refuses requests beyond the limits. */
export class RateLimits {
  readonly #clock: Clock;
  readonly #buckets = new Map<RateName, Map<string, Bucket>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Uses `count` of the allowed number of `who`. Throws a `Refusal` when that is too much; nothing is taken
   * then.
   */
  take(name: RateName, who: string, count = 1): void {
    const waitMs = this.#try(name, who, count);
    if (waitMs === 0) return;
    const { atOnce, perSecond } = RATES[name];
    throw new Refusal(
      429,
      'BUSY',
      `${who} asks too often: ${TEXTS[name]} are limited to ${perSecond} a second, and ${atOnce} at once.`,
      'Ask less often. A stop is let through at any time.',
      Math.ceil(waitMs / 1000),
    );
  }

  /** Whether `who` is still within the limit `name`. If so, the call counts as one use. */
  allows(name: RateName, who: string): boolean {
    return this.#try(name, who, 1) === 0;
  }

  #try(name: RateName, who: string, count: number): number {
    const askers = this.#buckets.get(name) ?? new Map<string, Bucket>();
    this.#buckets.set(name, askers);
    const bucket = askers.get(who) ?? new Bucket(RATES[name], this.#clock);
    // The asker with the newest request stands last in the map.
    askers.delete(who);
    askers.set(who, bucket);
    if (askers.size > ASKERS_MAX) askers.delete(askers.keys().next().value!);
    const waitMs = bucket.waitMs(count);
    if (waitMs === 0) bucket.spend(count);
    return waitMs;
  }
}

const TEXTS: Readonly<Record<RateName, string>> = {
  requests: 'requests',
  leases: 'asks for a lease',
  recordings: 'switches of recordings',
  notes: 'notes',
  toldStops: 'stops that are told',
};
