import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { findByte, useFasterByteSearch } from '../../firmware-protocol/find-byte.js';
import { hardBytes } from '../support/frames.js';

const RUNS = { seed: 20240611, numRuns: 500 };
const plain = (bytes: Uint8Array, byte: number, start: number) => bytes.indexOf(byte, start);
const native = (bytes: Uint8Array, byte: number, start: number) =>
  Buffer.prototype.indexOf.call(bytes, byte, start);

afterEach(() => useFasterByteSearch(plain));

test.each([
  ['plain', plain],
  ['native', native],
])('the %s search finds the first byte of a value from every place on, or the end', (_, search) => {
  useFasterByteSearch(search);
  fc.assert(
    fc.property(hardBytes(700), fc.constantFrom(0, 1, 127, 128, 255), fc.nat(700), (bytes, byte, place) => {
      const start = Math.min(place, bytes.length);
      let found = start;
      while (found < bytes.length && bytes[found] !== byte) found++;
      expect(findByte(bytes, byte, start)).toBe(found);
    }),
    RUNS,
  );
});

test.each([
  ['finds nothing', () => -1],
  ['finds zeros only', (bytes: Uint8Array, _byte: number, start: number) => bytes.indexOf(0, start)],
  ['takes the byte for a signed one', signed],
  ['forgets the start', (bytes: Uint8Array, byte: number) => bytes.indexOf(byte)],
  [
    'finds the last one',
    (bytes: Uint8Array, byte: number, start: number) => Math.max(bytes.lastIndexOf(byte), start - 1),
  ],
])('a search that %s is refused', (_, search) => {
  expect(() => useFasterByteSearch(search)).toThrow('bug: this does not find the first byte of a value');
});

function signed(bytes: Uint8Array, byte: number, start: number): number {
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(byte, start);
}
