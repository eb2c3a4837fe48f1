import { describe, expect, it } from 'vitest';
import { openPort } from '../../src/connect.js';
import { ThermolinkError } from '../../src/errors.js';
import { BoardLine } from '../../src/hub/board-line.js';
import { BoardWatch } from '../../src/hub/board-watch.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { ask, withHub } from './shared-board.js';

/**
 * After this time a board that gets no acknowledgement sends its frames no more (protocol.md,
 * "Retransmission").
 */
const REPEATS_MS = 20_000;

describe('the server’s own session', () => {
  it('acknowledges everything, so the board repeats nothing', async () => {
    const clock = new VirtualClock();
    const watch = new BoardWatch({ message: () => undefined });
    const line = new BoardLine(
      'emulator:ideal-8',
      { health: () => undefined },
      {
        clock,
        tap: (port) => watch.tap(port),
        openPort: (uri, options) => openPort(uri, { ...options, clock, ownThread: false }),
      },
    );
    const pause = (ms: number) =>
      clock.run(new Promise<void>((resolve) => void clock.schedule(ms, () => resolve())));
    await pause(REPEATS_MS);
    await clock.run(line.makeSafe());
    await pause(REPEATS_MS);
    expect(watch.counters).toMatchObject({ sessions: 2, retransmissions: 0, framesFaulty: 0 });
    await clock.run(line.close());
  });
});

describe('a board that cannot be reached', () => {
  it('keeps the first reason of its loss until the next attempt', async () => {
    const clock = new VirtualClock();
    const told: string[] = [];
    let attempts = 0;
    const twice = new Promise<void>((resolve) => {
      const line = new BoardLine(
        'test:a',
        {
          health: (health, problem) => {
            told.push(`${health}: ${problem}`);
            if (attempts === 2) void line.close().then(resolve);
          },
        },
        {
          clock,
          tap: (port) => port,
          openPort: () => {
            attempts++;
            if (attempts === 2) return Promise.reject(new ThermolinkError('PORT_NOT_FOUND', 'Not there.'));
            const [near] = memoryPortPair('test');
            return Promise.resolve(near);
          },
        },
      );
    });
    await clock.run(twice);
    expect(told).toHaveLength(2);
    // The first reason is that the board did not answer. Its port was closed because of that.
    expect(told[0]).toMatch(/^lost: (?!Its port was closed)/);
    expect(told[1]).toBe('lost: Not there.');
  });

  it('is not reported as safe', () =>
    withHub(
      async (hub) => {
        expect(await ask(hub, 'POST', '/api/boards/a/stop')).toMatchObject({
          status: 503,
          body: { code: 'NO_ANSWER' },
        });
      },
      {
        openPort: (_, { signal } = {}) =>
          new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => reject(signal.reason as Error));
          }),
      },
    ));
});
