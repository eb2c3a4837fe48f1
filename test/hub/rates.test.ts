import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { SYSTEM_CLOCK } from '../../src/driver/system-clock.js';
import {
  Bucket,
  LINK_MESSAGES,
  OBSERVER_MESSAGES,
  RATES,
  RateLimits,
  type RateName,
} from '../../src/hub/rates.js';
import { socketStream } from '../../src/hub/socket-stream.js';
import { Tokens } from '../../src/hub/tokens.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { ask, observe, withHub } from './shared-board.js';

describe('a rate', () => {
  it.each(Object.keys(RATES) as RateName[])(
    'of %s lets through exactly its number of requests',
    async (name) => {
      const clock = new VirtualClock();
      const limits = new RateLimits(clock);
      const { atOnce, perSecond } = RATES[name];
      for (let i = 0; i < atOnce; i++) limits.take(name, 'alice');
      expect(() => limits.take(name, 'alice')).toThrow(
        expect.objectContaining({
          status: 429,
          body: expect.objectContaining({
            code: 'BUSY',
            message: expect.stringContaining(`limited to ${perSecond} a second`),
          }),
          retryAfterSeconds: Math.ceil(1 / perSecond),
        }),
      );
      // Another client need not wait.
      limits.take(name, 'bob', atOnce);
      await clock.run(new Promise<void>((resolve) => void clock.schedule(10_000, () => resolve())));
      const after = Math.min(atOnce, 10 * perSecond);
      for (let i = 0; i < after; i++) limits.take(name, 'alice');
      expect(limits.allows(name, 'alice')).toBe(false);
    },
  );

  it('that was exceeded lets nothing pass until the excess is made up for', () => {
    const bucket = new Bucket({ atOnce: 10, perSecond: 100 }, new VirtualClock());
    expect(bucket.spend(10)).toBe(0);
    expect(bucket.spend(5)).toBe(50);
    expect(bucket.spend()).toBe(60);
  });

  it('forgets the clients that asked longest ago, and no others', () => {
    const limits = new RateLimits(new VirtualClock());
    limits.take('recordings', 'first', RATES.recordings.atOnce);
    for (let i = 0; i < 10_000; i++) limits.take('recordings', `${i}`, RATES.recordings.atOnce);
    expect(limits.allows('recordings', 'first')).toBe(true);
    expect(limits.allows('recordings', '9999')).toBe(false);
  });
});

describe('a holder of a token', () => {
  const TOKEN = 'alice-0123456789abcdef';
  const bearer = { Authorization: `Bearer ${TOKEN}` };

  it('is refused after too many requests, and can still stop the board', () =>
    withHub(
      async (hub) => {
        await hub.event((event) => event.type === 'board' && event.board.health === 'good');
        const request = `GET /api/boards HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${bearer.Authorization}\r\n\r\n`;
        const heard = await say(hub.url, request.repeat(RATES.requests.atOnce + 1));
        const statuses = [...heard.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => Number(status));
        expect(statuses.slice(0, -1)).toEqual(Array.from({ length: RATES.requests.atOnce }, () => 200));
        expect(statuses.at(-1)).toBe(429);
        expect(heard).toContain('Retry-After: 1');
        expect(await ask(hub, 'POST', '/api/boards/a/stop', undefined, bearer)).toMatchObject({
          status: 200,
          body: { state: 'safe' },
        });
        // A WebSocket gets the refusal as the code with which it is closed.
        const socket = new WebSocket(`${hub.url.replace('http', 'ws')}/api/events`, { headers: bearer });
        const code = await new Promise((resolve) => socket.once('close', resolve));
        expect(code).toBe(4429);
      },
      {
        tokens: Tokens.single(TOKEN, 'a test'),
        clock: {
          ...SYSTEM_CLOCK,
          nowMs: () => 0,
          schedule: (ms, call) => SYSTEM_CLOCK.schedule(ms, call),
          defer: (call) => SYSTEM_CLOCK.defer(call),
        },
      },
    ));

  it('is disconnected with the reason if it sends too many messages as an observer', () =>
    withHub(async (hub) => {
      const { socket } = await observe(hub);
      const closed = new Promise((resolve) =>
        socket.once('close', (code, reason: Buffer) => resolve([code, reason.toString()])),
      );
      for (let i = 0; i <= OBSERVER_MESSAGES.atOnce; i++) socket.send('hello?');
      expect(await closed).toEqual([4429, 'An observer sends too many messages.']);
    }));
});

it('the link of a board takes messages no faster than their rate, and loses none', async () => {
  const clock = new VirtualClock();
  const socket = Object.assign(new EventEmitter(), {
    isPaused: false,
    pause: () => {
      socket.isPaused = true;
    },
    resume: () => {
      socket.isPaused = false;
    },
  });
  const stream = socketStream(socket as unknown as WebSocket, clock);
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
  const count = LINK_MESSAGES.atOnce + LINK_MESSAGES.perSecond;
  let sent = 0;
  const endMs = 10_000;
  while (sent < 2 * count && clock.nowMs() < endMs) {
    // Some messages of a chunk still come when the socket was told to pause.
    for (let i = 0; i < 100 && !socket.isPaused; i++)
      for (let j = 0; j < 10; j++, sent++) socket.emit('message', Buffer.of(1), true);
    await clock.run(new Promise<void>((resolve) => void clock.schedule(100, () => resolve())));
    if (clock.nowMs() === 1000) expect(sent).toBeLessThanOrEqual(count + 1000);
  }
  expect(clock.nowMs()).toBeGreaterThan(3000);
  expect(bytes).toBe(sent);
});

/** Sends bytes on one connection, and returns what comes back until the server closes it. */
async function say(url: string, bytes: string): Promise<string> {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port: Number(port) });
  let heard = '';
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  socket.write(bytes);
  await once(socket, 'close');
  return heard;
}
