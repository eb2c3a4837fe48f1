import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import type { HubEvent } from '../../src/hub/api.js';
import { OBSERVER_QUEUE_BYTES_MAX, Observers } from '../../src/hub/observers.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** A WebSocket whose other end reads only when the test allows it. */
class SlowSocket extends EventEmitter {
  readonly waiting: { readonly text: string; readonly sent?: () => void }[] = [];
  isTerminated = false;

  get bufferedAmount(): number {
    return this.waiting.reduce((bytes, { text }) => bytes + Buffer.byteLength(text), 0);
  }

  send(text: string, sent?: () => void): void {
    this.waiting.push({ text, ...(sent && { sent }) });
  }

  terminate(): void {
    this.isTerminated = true;
  }

  close(): void {
    this.emit('close');
  }

  /** Reads one message, and returns its type. */
  async read(): Promise<string> {
    const { text, sent } = this.waiting.shift()!;
    sent?.();
    await Promise.resolve();
    return (JSON.parse(text) as HubEvent).type;
  }
}

const incident = (text: string): HubEvent => ({
  type: 'incident',
  timeMs: 0,
  board: 'a',
  what: 'stopped',
  owner: 'local',
  text,
});

it('a slow observer stays connected while it gets the missed events, one at a time', async () => {
  const observers = new Observers(new VirtualClock());
  const socket = new SlowSocket();
  const history = incident('x'.repeat(OBSERVER_QUEUE_BYTES_MAX + 1));
  let made = 0;
  observers.add(
    socket as unknown as WebSocket,
    'local',
    (function* () {
      for (let i = 0; i < 3; i++) {
        made++;
        yield history;
      }
    })(),
  );
  expect(made).toBe(1);
  observers.tell(incident('live'));
  expect(socket.isTerminated).toBe(false);
  await socket.read();
  expect(made).toBe(2);
  // The bound on waiting events counts only events that come meanwhile, and none of the missed events.
  observers.tell(history);
  expect(socket.isTerminated).toBe(false);
  observers.tell(incident('one too many'));
  expect(socket.isTerminated).toBe(true);
  observers.close();
});
