import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32, crc32c } from '../../firmware-protocol/crc.js';

const SEED = 20240601;

const CRCS = [
  { name: 'CRC-32', crc: crc32, polynomial: 0xedb88320 },
  { name: 'CRC-32C', crc: crc32c, polynomial: 0x82f63b78 },
] as const;

/** Bit by bit, as the standards define it. */
function bitwise(bytes: Uint8Array, polynomial: number): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  }
  return ~crc >>> 0;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Uint8Array.of(...a, ...b);
}

const ascii = (text: string) => new TextEncoder().encode(text);

test('the published check values', () => {
  expect(crc32(ascii('123456789'))).toBe(0xcbf43926);
  expect(crc32c(ascii('123456789'))).toBe(0xe3069283);
  expect(crc32(new Uint8Array(0))).toBe(0);
  expect(crc32c(new Uint8Array(0))).toBe(0);
});

test('the CRC-32C values of RFC 3720, B.4', () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(ascending)).toBe(0x46dd794e);
  expect(crc32c(ascending.toReversed())).toBe(0x113fdb5c);
});

describe.each(CRCS)('$name', ({ crc, polynomial }) => {
  test('equals the bitwise definition for every length and alignment', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(7), (bytes, offset) => {
        const shifted = concat(new Uint8Array(offset), bytes).subarray(offset);
        expect(crc(shifted)).toBe(bitwise(bytes, polynomial));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test('calls can be chained over any cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 64 }), (a, b) => {
        expect(crc(b, crc(a))).toBe(crc(concat(a, b)));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test('every change within 32 consecutive bits is detected', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 5, maxLength: 300 }),
        fc.nat(),
        fc.integer({ min: 1, max: 0xffffffff }),
        (bytes, place, burst) => {
          const firstBit = place % (8 * bytes.length - 31);
          const changed = bytes.slice();
          for (let bit = 0; bit < 32; bit++)
            if ((burst >>> bit) & 1) changed[(firstBit + bit) >> 3] ^= 1 << ((firstBit + bit) & 7);
          expect(crc(changed)).not.toBe(crc(bytes));
        },
      ),
      { seed: SEED, numRuns: 500 },
    );
  });
});
