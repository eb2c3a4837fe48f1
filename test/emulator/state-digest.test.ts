import { expect, test } from 'vitest';
import type { CellArray } from '../../emulator/analog/cell-array.js';
import { stateBytes, stateDigest } from '../../emulator/state-digest.js';
import { cellArray, idealBoard } from '../support/analog-boards.js';

test('v, c, r, q as int32, flags as bytes, tick as u64, little-endian', () => {
  const array = cellArray(idealBoard({ cells: 2, rows: 1 }));
  array.v.set([1, -2]);
  array.c.set([3, 4]);
  array.r.set([5, 6]);
  array.q.set([0x01020304]);
  array.cellFlags.set([0, 1]);
  array.rowFlags.set([1]);
  const hex = Array.from(stateBytes(array, 2 ** 40 + 7), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
  const expected = ['01000000', 'feffffff', '03000000', '04000000', '05000000', '06000000', '04030201'];
  expect(hex).toBe(`${expected.join('')}0001010700000000010000`);
});

test('changes with every part and with the tick', () => {
  const digest = (change: (array: CellArray) => void, tick = 0) => {
    const array = cellArray(idealBoard({ cells: 2, rows: 2 }));
    change(array);
    return stateDigest(array, tick);
  };
  const parts = ['v', 'c', 'r', 'q', 'cellFlags', 'rowFlags'] as const;
  const digests = parts.map((part) =>
    digest((array) => {
      array[part][1] = 1;
    }),
  );
  digests.push(
    digest(() => {}),
    digest(() => {}, 1),
    digest(() => {}, 2 ** 32),
  );
  expect(new Set(digests).size).toBe(digests.length);
});
