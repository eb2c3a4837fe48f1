import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noiseGroup, noiseWord, PHILOX_STREAM, philox4x32 } from '../../firmware-protocol/philox.js';
import { referencePhilox } from '../support/analog-reference.js';

const PHILOX_RUNS = { seed: 20240501, numRuns: 500 };

function words(counter: readonly number[], key: readonly number[]): number[] {
  const out = new Uint32Array(4);
  philox4x32(counter[0], counter[1], counter[2], counter[3], key[0], key[1], out);
  return Array.from(out);
}

// The three lines `philox4x32 10` of Random123's tests/kat_vectors.
test.each([
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [new Array(4).fill(0xffffffff), [0xffffffff, 0xffffffff], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
])('known answer of Random123: counter %j', (counter, key, answer) => {
  expect(words(counter, key)).toEqual(answer);
});

test('agrees with 64-bit products in BigInt, at any offset', () => {
  const word = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff));
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 4, maxLength: 4 }),
      fc.array(word, { minLength: 2, maxLength: 2 }),
      fc.nat(4),
      ([c0, c1, c2, c3], [k0, k1], offset) => {
        const out = new Uint32Array(8).fill(7);
        philox4x32(c0, c1, c2, c3, k0, k1, out, offset);
        expect(Array.from(out.subarray(offset, offset + 4))).toEqual(
          referencePhilox([c0, c1, c2, c3], [k0, k1]),
        );
        expect(
          out.reduce((rest, x, i) => (i < offset || i >= offset + 4 ? rest && x === 7 : rest), true),
        ).toBe(true);
      },
    ),
    PHILOX_RUNS,
  );
});

test('every cell has its own word, and sixteen cells fill four groups', () => {
  const taken = new Set<number>();
  for (let cell = 0; cell < 8192; cell++) {
    expect(noiseGroup(cell) >> 2).toBe(cell >> 4);
    taken.add(4 * noiseGroup(cell) + noiseWord(cell));
  }
  expect(taken.size).toBe(8192);
});

test('no two uses share a stream', () => {
  const numbers = Object.values(PHILOX_STREAM);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(PHILOX_STREAM.thermalNoise).toBe(0);
});
