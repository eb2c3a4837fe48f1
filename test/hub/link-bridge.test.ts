import { Duplex, PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import type { Port } from '../../firmware-protocol/port.js';
import type { Lease } from '../../src/hub/lease.js';
import { bridge, LINK_STALL_MS, piecesOf } from '../../src/hub/link-bridge.js';
import { VirtualClock } from '../support/virtual-clock.js';

it.each([
  ['at once if the line has no limit', [1, 0, 2, 0], undefined, [[1, 0, 2, 0]]],
  [
    'in pieces that end after the last frame that fits',
    [1, 0, 2, 0, 3, 3, 0],
    5,
    [
      [1, 0, 2, 0],
      [3, 3, 0],
    ],
  ],
  [
    'in pieces that cut a longer frame',
    [1, 2, 3, 4, 5, 0],
    4,
    [
      [1, 2, 3, 4],
      [5, 0],
    ],
  ],
  ['in no pieces if there are no bytes', [], 4, []],
])('bytes of a client pass %s', (_, bytes, bytesMax, pieces) => {
  expect([...piecesOf(Uint8Array.from(bytes), bytesMax)].map((piece) => [...piece])).toEqual(pieces);
});

it('a bridge gives a slow line no more bytes than the line has room for, and none after the end of the bridge', async () => {
  const clock = new VirtualClock();
  await clock.run(new Promise<void>((resolve) => void clock.schedule(1, resolve)));
  const client = new PassThrough();
  const over = new AbortController();
  const written: number[][] = [];
  const board = {
    inFlightBytesMax: 4,
    onData: () => undefined,
    onClose: () => undefined,
    close: () => Promise.resolve(),
    write: (bytes: Uint8Array) => {
      written.push([...bytes]);
      if (written.length === 2) over.abort('left');
      return Promise.resolve();
    },
  } as unknown as Port;
  const lease = { over: over.signal, heardMs: 0, end: () => undefined } as unknown as Lease;
  const ended = bridge(client, board, lease, clock);
  client.write(Uint8Array.of(1, 0, 2, 2, 0, 3, 3, 3, 0));
  await ended;
  expect(written).toEqual([
    [1, 0],
    [2, 2, 0],
  ]);
  expect(lease.heardMs).toBe(1);
});

it.each([
  ['nothing', 0, ['slow']],
  ['a little at a time', LINK_STALL_MS - 1, []],
])(
  'a client that reads %s and still sends loses the board only if it reads nothing',
  async (_, takesMs, ends) => {
    const clock = new VirtualClock();
    const over = new AbortController();
    const pause = (ms: number): Promise<void> =>
      clock.run(new Promise<void>((resolve) => void clock.schedule(ms, resolve)));
    const client = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, taken) => {
        if (takesMs > 0) clock.schedule(takesMs, () => taken());
      },
    });
    let send: (bytes: Uint8Array) => void = () => undefined;
    const board = {
      onData: (receive: typeof send) => (send = receive),
      onClose: () => undefined,
      close: () => Promise.resolve(),
      write: () => Promise.resolve(),
    } as unknown as Port;
    const told: string[] = [];
    const end = (why: string): void => {
      told.push(why);
      over.abort(why);
    };
    const ended = bridge(client, board, { over: over.signal, heardMs: 0, end } as unknown as Lease, clock);
    for (let i = 0; i < 3; i++) {
      send(Uint8Array.of(1, 0));
      client.push(Uint8Array.of(2, 0));
      await pause(LINK_STALL_MS / 3);
      expect(told).toEqual(i < 2 ? [] : ends);
    }
    await pause(3 * LINK_STALL_MS);
    expect(told).toEqual(ends);
    over.abort('left');
    await ended;
  },
);
