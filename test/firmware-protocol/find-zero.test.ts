import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { findZero, useFasterZeroSearch } from '../../firmware-protocol/find-zero.js';
import { hardBytes } from '../support/frames.js';

const RUNS = { seed: 20240611, numRuns: 500 };
const plain = (bytes: Uint8Array, start: number) => bytes.indexOf(0, start);
const native = (bytes: Uint8Array, start: number) => Buffer.prototype.indexOf.call(bytes, 0, start);

afterEach(() => useFasterZeroSearch(plain));

test.each([
  ['plain', plain],
  ['native', native],
])('the %s search finds the first zero from every place on, or the end', (_, search) => {
  useFasterZeroSearch(search);
  fc.assert(
    fc.property(hardBytes(700), fc.nat(700), (bytes, place) => {
      const start = Math.min(place, bytes.length);
      let zero = start;
      while (zero < bytes.length && bytes[zero] !== 0) zero++;
      expect(findZero(bytes, start)).toBe(zero);
    }),
    RUNS,
  );
});

test.each([
  ['finds nothing', () => -1],
  ['forgets the start', (bytes: Uint8Array) => bytes.indexOf(0)],
  ['finds the last one', (bytes: Uint8Array, start: number) => Math.max(bytes.lastIndexOf(0), start - 1)],
])('a search that %s is refused', (_, search) => {
  expect(() => useFasterZeroSearch(search)).toThrow('bug: this does not find the first zero');
});
