import type { WebSocket } from 'ws';
import type { HubEvent } from './api.js';
import { Refusal } from './refusal.js';

/** Observers at once. */
export const OBSERVERS_MAX = 32;
/** Bytes that wait for an observer before messages that come again anyway are left out. */
const THIN_BYTES = 262_144;
/** Bytes that wait for an observer before it is sent away. */
export const OBSERVER_QUEUE_BYTES_MAX = 2 << 20;
/** An observer that does not answer a ping within this time is sent away. */
const PING_MS = 20_000;

/** Figures that are told again soon: a slow observer can do without some of them. */
const REPEATED: ReadonlySet<HubEvent['type']> = new Set(['voltages', 'moments', 'link']);

interface Observer {
  readonly socket: WebSocket;
  /** Bytes of what it missed that wait for it. They are no sign of a slow reader. */
  missedBytes: number;
  thinned: number;
  answered: boolean;
}

/** Those who watch. Each gets every event, as long as it reads. */
export class Observers {
  readonly #observers = new Set<Observer>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#ping(), PING_MS);
    this.#timer.unref();
  }

  get count(): number {
    return this.#observers.size;
  }

  /** Throws a `Refusal` when there are too many. */
  checkRoom(): void {
    if (this.#observers.size >= OBSERVERS_MAX)
      throw new Refusal(429, 'BUSY', `${OBSERVERS_MAX} observers watch already.`, 'Close another page.', 5);
  }

  /**
   * Adds an observer. The first event of `missed` is told before anything else. The others are made and told
   * one by one, each when the one before has got out: a slow reader has time, and little waits for it.
   */
  add(socket: WebSocket, missed: Iterable<HubEvent>): void {
    const observer: Observer = { socket, missedBytes: 0, thinned: 0, answered: true };
    this.#observers.add(observer);
    socket.on('close', () => this.#observers.delete(observer));
    socket.on('pong', () => {
      observer.answered = true;
    });
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
      // A ping waits behind these bytes. Who takes them is there.
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
