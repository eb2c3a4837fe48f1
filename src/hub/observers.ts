import type { WebSocket } from 'ws';
import type { Clock } from '../../firmware-protocol/clock.js';
import type { HubEvent } from './api.js';
import { Bucket, OBSERVER_MESSAGES } from './rates.js';
import { Refusal } from './refusal.js';
import { refuseSocket } from './sockets.js';

/** Largest number of observers at the same time. */
export const OBSERVERS_MAX = 32;
/** Largest number of observers of one owner, so that one owner alone cannot keep others out. */
export const OBSERVERS_PER_OWNER_MAX = 24;
/** If more bytes than this wait for an observer, figures that are sent again soon are left out. */
const THIN_BYTES = 262_144;
/** If more bytes than this wait for an observer, it is disconnected. */
export const OBSERVER_QUEUE_BYTES_MAX = 2 << 20;
/** An observer that does not answer a ping within this time is disconnected. */
const PING_MS = 20_000;

/** Types of events that are sent again soon, so a slow observer may miss some of them. */
const REPEATED: ReadonlySet<HubEvent['type']> = new Set(['voltages', 'moments', 'link']);

interface Observer {
  readonly socket: WebSocket;
  readonly owner: string;
  /** Waiting bytes of the events that it had missed. They are not a sign of a slow reader. */
  missedBytes: number;
  thinned: number;
  answered: boolean;
}

/** The observers. Each of them gets every event while it reads fast enough. */
export class Observers {
  readonly #observers = new Set<Observer>();
  readonly #timer: NodeJS.Timeout;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#timer = setInterval(() => this.#ping(), PING_MS);
    this.#timer.unref();
  }

  get count(): number {
    return this.#observers.size;
  }

  /** Throws a `Refusal` when there are too many, also when there are too many of this owner. */
  checkRoom(owner?: string): void {
    if (this.#observers.size >= OBSERVERS_MAX)
      throw new Refusal(429, 'BUSY', `${OBSERVERS_MAX} observers watch already.`, 'Close another page.', 5);
    const own = [...this.#observers].filter((observer) => observer.owner === owner).length;
    if (own >= OBSERVERS_PER_OWNER_MAX)
      throw new Refusal(429, 'BUSY', `${own} observers of ${owner} watch already.`, 'Close another page.', 5);
  }

  /**
   * Adds an observer. The first event of `missed` is sent before anything else. The others are made and sent
   * one by one, each after the previous one was sent. So a slow reader has time, and few bytes wait for it.
   */
  add(socket: WebSocket, owner: string, missed: Iterable<HubEvent>): void {
    const observer: Observer = { socket, owner, missedBytes: 0, thinned: 0, answered: true };
    this.#observers.add(observer);
    socket.on('close', () => this.#observers.delete(observer));
    socket.on('pong', () => {
      observer.answered = true;
    });
    const said = new Bucket(OBSERVER_MESSAGES, this.#clock);
    const take = (): void => {
      if (said.spend() === 0 || !this.#observers.delete(observer)) return;
      refuseSocket(socket, new Refusal(429, 'BUSY', 'An observer sends too many messages.', 'Only listen.'));
    };
    socket.on('message', take).on('ping', take);
    void this.#tellMissed(observer, missed);
  }

  tell(event: HubEvent): void {
    if (this.#observers.size === 0) return;
    const text = JSON.stringify(event);
    for (const observer of this.#observers) this.#send(observer, event, text);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { socket } of this.#observers) socket.close(1001, 'the server ends');
  }

  async #tellMissed(observer: Observer, missed: Iterable<HubEvent>): Promise<void> {
    for (const event of missed) {
      if (!this.#observers.has(observer)) return;
      const text = JSON.stringify(event);
      observer.missedBytes = Buffer.byteLength(text);
      await new Promise<void>((resolve) => observer.socket.send(text, () => resolve()));
      observer.missedBytes = 0;
      // A ping would wait behind these bytes. An observer that takes bytes is alive.
      observer.answered = true;
    }
  }

  #send(observer: Observer, { type, timeMs }: HubEvent, text: string): void {
    const { socket } = observer;
    const waiting = socket.bufferedAmount - observer.missedBytes;
    if (waiting > OBSERVER_QUEUE_BYTES_MAX) {
      socket.terminate();
      return;
    }
    if (waiting > THIN_BYTES && REPEATED.has(type)) {
      observer.thinned++;
      return;
    }
    if (observer.thinned > 0 && waiting <= THIN_BYTES) {
      socket.send(JSON.stringify({ type: 'thinned', timeMs, messages: observer.thinned } satisfies HubEvent));
      observer.thinned = 0;
    }
    socket.send(text);
  }

  #ping(): void {
    for (const observer of this.#observers) {
      if (!observer.answered) observer.socket.terminate();
      observer.answered = false;
      observer.socket.ping();
    }
  }
}
