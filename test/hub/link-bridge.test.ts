import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import type { Port } from '../../firmware-protocol/port.js';
import type { Lease } from '../../src/hub/lease.js';
import { bridge, piecesOf } from '../../src/hub/link-bridge.js';

it.each([
  ['without a bound, at once', [1, 0, 2, 0], undefined, [[1, 0, 2, 0]]],
  [
    'behind the last frame that fits',
    [1, 0, 2, 0, 3, 3, 0],
    5,
    [
      [1, 0, 2, 0],
      [3, 3, 0],
    ],
  ],
  [
    'in the middle of a frame that is longer',
    [1, 2, 3, 4, 5, 0],
    4,
    [
      [1, 2, 3, 4],
      [5, 0],
    ],
  ],
  ['not at all when they are none', [], 4, []],
])('bytes of a client pass %s', (_, bytes, bytesMax, pieces) => {
  expect([...piecesOf(Uint8Array.from(bytes), bytesMax)].map((piece) => [...piece])).toEqual(pieces);
});

it('a bridge gives a slow line no more bytes than it has room for, and none after its end', async () => {
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
  const ended = bridge(client, board, lease, () => 1);
  client.write(Uint8Array.of(1, 0, 2, 2, 0, 3, 3, 3, 0));
  await ended;
  expect(written).toEqual([
    [1, 0],
    [2, 2, 0],
  ]);
  expect(lease.heardMs).toBe(1);
});
