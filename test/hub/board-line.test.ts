import { describe, expect, it } from 'vitest';
import { ThermolinkError } from '../../src/errors.js';
import { BoardLine } from '../../src/hub/board-line.js';
import { memoryPortPair } from '../../src/transport/memory-port.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { ask, withHub } from './shared-board.js';

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
    // The board did not answer; that its port was closed is a consequence.
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
