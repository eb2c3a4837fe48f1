import { COMMAND_QUEUE_MAX } from '../../firmware-protocol/limits.js';
import type { LinkLimits } from '../../firmware-protocol/link/command-sender.js';
import { Link, type LinkEvent } from '../../firmware-protocol/link/link.js';
import { pieces } from './frames.js';

/** The faults of a medium: probabilities for frames, and the longest extra delay. */
export interface Faults {
  readonly drop: number;
  readonly duplicate: number;
  readonly flip: number;
  readonly truncate: number;
  readonly fragment: number;
  /** A frame arrives later and delays the frames after it. */
  readonly delay: number;
  /** A frame arrives later than the frames that were sent after it. */
  readonly reorder: number;
  readonly extraMs: number;
}

export const NO_FAULTS: Faults = {
  drop: 0,
  duplicate: 0,
  flip: 0,
  truncate: 0,
  fragment: 0,
  delay: 0,
  reorder: 0,
  extraMs: 0,
};

const LATENCY_MS = 2;

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Arrival {
  readonly atMs: number;
  readonly to: End;
  readonly bytes: Uint8Array;
}

/** One end: its link, the waiting messages, and the received messages. */
export class End {
  readonly link: Link;
  readonly outbox: Uint8Array[] = [];
  readonly inbox: { channel: number; payload: Uint8Array }[] = [];
  lastArrivalMs = 0;
  /** The number of whole frames that this end has sent. */
  written: Uint8Array[] = [];

  constructor(frameBytesMax: number, answersEverything: boolean) {
    this.link = new Link(frameBytesMax, { answersEverything });
  }
}

/**
 * Two links in virtual time over a medium with these `Faults`. Nothing sleeps; the same seed gives the same
 * history.
 */
export class LossyPair {
  readonly host: End;
  readonly device: End;
  nowMs = 0;
  /** Called with every message that arrives. */
  onMessage: ((end: End, payload: Uint8Array, channel: number) => void) | undefined;
  readonly #faults: Faults;
  readonly #random: () => number;
  readonly #arrivals: Arrival[] = [];

  constructor(seed: number, faults: Faults, limits: LinkLimits) {
    this.#faults = faults;
    this.#random = uniform(seed);
    this.host = new End(limits.frameBytes, false);
    this.device = new End(limits.frameBytes, true);
    const nonce = Uint8Array.of(0x5a, 1, 2, 3, 4, 5, 6, 7);
    for (const { link } of [this.host, this.device]) link.openSession(nonce, limits);
  }

  get failed(): boolean {
    return this.host.link.failed || this.device.link.failed;
  }

  /** Lets time pass until there are no more events, until a link has failed, or until `untilMs`. */
  run(untilMs = Number.POSITIVE_INFINITY): void {
    for (;;) {
      for (const end of [this.host, this.device]) this.#write(end);
      if (this.failed) return;
      const nextMs = Math.min(
        this.#arrivals[0]?.atMs ?? Number.POSITIVE_INFINITY,
        this.host.link.nextTimeoutMs ?? Number.POSITIVE_INFINITY,
        this.device.link.nextTimeoutMs ?? Number.POSITIVE_INFINITY,
      );
      if (nextMs === Number.POSITIVE_INFINITY || nextMs > untilMs) return;
      if (nextMs < this.nowMs) throw new Error(`time runs backwards: ${nextMs} after ${this.nowMs}`);
      this.nowMs = nextMs;
      while (this.#arrivals.length > 0 && this.#arrivals[0].atMs <= this.nowMs) {
        const { to, bytes } = this.#arrivals.shift()!;
        to.link.receive(bytes, this.nowMs, (event) => this.#take(to, event));
      }
    }
  }

  #take(end: End, event: LinkEvent): void {
    if (event.kind !== 'message') return;
    end.inbox.push({ channel: event.channel, payload: event.payload.slice() });
    this.onMessage?.(end, event.payload, event.channel);
  }

  #write(end: End): void {
    for (;;) {
      while (end.outbox.length > 0 && end.link.canSend && end.link.unacknowledged < 2 * COMMAND_QUEUE_MAX)
        end.link.send(end.outbox.shift()!);
      // The frame is copied, because the link uses one buffer for all frames, and frames stay on their way
      // here for a while.
      const bytes = end.link.poll(this.nowMs)?.slice();
      if (!bytes) return;
      end.written.push(bytes);
      this.#carry(end, bytes);
    }
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }

  #carry(from: End, bytes: Uint8Array): void {
    const faults = this.#faults;
    const to = from === this.host ? this.device : this.host;
    for (let copies = this.#chance(faults.duplicate) ? 2 : 1; copies > 0; copies--) {
      if (this.#chance(faults.drop)) continue;
      let carried = bytes;
      if (this.#chance(faults.flip)) {
        const at = Math.floor(this.#random() * carried.length);
        carried = carried.with(at, carried[at] ^ (1 << Math.floor(this.#random() * 8)));
      }
      if (this.#chance(faults.truncate))
        carried = carried.slice(0, Math.floor(this.#random() * carried.length));
      const extraMs = this.#random() * faults.extraMs;
      const ownMs = this.nowMs + LATENCY_MS + (this.#chance(faults.delay) ? extraMs : 0);
      const inOrderMs = Math.max(ownMs, to.lastArrivalMs);
      if (this.#chance(faults.reorder)) this.#schedule(inOrderMs + extraMs, to, carried);
      else {
        to.lastArrivalMs = inOrderMs;
        this.#schedule(inOrderMs, to, carried);
      }
    }
  }

  /** Pieces of a frame arrive at the same time, in order, as separate chunks. */
  #schedule(atMs: number, to: End, bytes: Uint8Array): void {
    const cuts = this.#chance(this.#faults.fragment)
      ? Array.from({ length: 3 }, () => Math.floor(this.#random() * bytes.length))
      : [];
    let place = this.#arrivals.length;
    while (place > 0 && this.#arrivals[place - 1].atMs > atMs) place--;
    const arrivals = pieces(bytes, cuts).map((piece) => ({ atMs, to, bytes: piece }));
    this.#arrivals.splice(place, 0, ...arrivals);
  }
}

/** A command message that contains its own number. */
export function numbered(index: number, extraBytes = 0): Uint8Array {
  const payload = new Uint8Array(4 + extraBytes);
  new DataView(payload.buffer).setUint32(0, index);
  return payload;
}

export function numberOf(payload: Uint8Array): number {
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0);
}
