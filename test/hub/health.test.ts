import { expect, it } from 'vitest';
import type { BoardView } from '../../src/hub/api.js';
import { healthOf } from '../../src/hub/health.js';
import { Tokens } from '../../src/hub/tokens.js';
import { ask, withHub } from './shared-board.js';

const BOARDS: readonly Pick<BoardView, 'name' | 'health'>[] = [
  { name: 'a', health: 'good' },
  { name: 'b', health: 'lost' },
  { name: 'c', health: 'fault' },
];
const STATES = { a: 'good', b: 'lost', c: 'fault' };
const version = 'test';

it.each([
  ['', { ok: true, boards: 3, boardsGood: 1, states: STATES }],
  ['all=1', { ok: false, boards: 3, boardsGood: 1, states: STATES }],
  ['board=a', { ok: true, boards: 1, boardsGood: 1, states: { a: 'good' } }],
  ['board=c', { ok: false, boards: 1, boardsGood: 0, states: { c: 'fault' } }],
])('the answer has the health of the boards in the query: %j', (query, told) => {
  const parameters = new URLSearchParams(query);
  expect(healthOf(BOARDS, parameters, { version, mayObserve: true })).toEqual({ ...told, version });
  const { states: _, ...counts } = told;
  expect(healthOf(BOARDS, parameters, { version, mayObserve: false })).toEqual({ ...counts, version });
});

it('a client that may not observe does not learn which boards there are', () => {
  const parameters = new URLSearchParams('board=z');
  const hidden = healthOf(BOARDS, parameters, { version, mayObserve: false });
  expect(hidden).toEqual({ ok: false, boards: 0, boardsGood: 0, version });
  expect(() => healthOf(BOARDS, parameters, { version, mayObserve: true })).toThrow('no board of that name');
});

it('a query that contradicts itself is refused', () => {
  const parameters = new URLSearchParams('board=a&all=1');
  expect(() => healthOf(BOARDS, parameters, { version, mayObserve: true })).toThrow('exclude each other');
});

it('/livez answers while the board is lost, and /healthz reports the loss', () =>
  withHub(
    async (hub) => {
      const token = { Authorization: 'Bearer secret-of-the-wall' };
      expect(await ask(hub, 'GET', '/livez')).toMatchObject({ status: 200, body: { ok: true } });
      expect((await ask(hub, 'GET', '/healthz')).status).toBe(503);
      expect((await ask(hub, 'GET', '/healthz?board=a')).status).toBe(503);
      const { body } = await ask(hub, 'GET', '/healthz?all=1', undefined, token);
      expect(body).toMatchObject({ ok: false, states: { a: expect.any(String) } });
    },
    {
      openPort: () => Promise.reject(new Error('no cable')),
      tokens: Tokens.single('secret-of-the-wall', 'a test'),
    },
  ));
