import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ARRAY_ITEMS_MAX, TEXT_BYTES_MAX } from '../../firmware-protocol/limits.js';
import { pack, packParts, unpack, type WireValue } from '../../firmware-protocol/restricted-messagepack.js';
import { law } from '../support/law.js';
import { fromHex, toHex } from '../support/protocol-vectors.js';

const RUNS = { seed: 20240603, numRuns: 1000 };

const EDGES = [0, 31, 32, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 32];

const integer = fc.oneof(
  fc.maxSafeNat(),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc
    .tuple(fc.constantFrom(...EDGES), fc.constantFrom(-1, 0, 1), fc.constantFrom(-1, 1))
    .map(([edge, step, sign]) => Math.max(-(2 ** 31), sign * (edge + step)) + 0),
);
const characters = fc.constantFrom('a', '~', '\0', 'é', '\u07ff', '漢', '\uffff', '😀', '\u{10ffff}');
const text = fc.oneof(
  fc.string({ unit: characters, maxLength: TEXT_BYTES_MAX / 4 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: TEXT_BYTES_MAX }),
);
const bytes = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 250, maxLength: 300 }));
const scalar: fc.Arbitrary<WireValue> = fc.oneof(integer, text, bytes);
const list = (item: fc.Arbitrary<WireValue>) => fc.array(item, { maxLength: ARRAY_ITEMS_MAX });
const value: fc.Arbitrary<WireValue> = fc.oneof(scalar, list(fc.oneof(scalar, list(scalar))));

/** Unpacking never throws. An accepted input is the only encoding of its value. */
function expectStrict(encoded: Uint8Array): boolean {
  const result = unpack(encoded);
  if (!result.ok) return false;
  const again = toHex(pack(result.value));
  if (again !== toHex(encoded)) expect({ taken: toHex(encoded), again }).toEqual({ taken: again, again });
  return true;
}

test('a list that is packed in parts has the same bytes, and its long last item is not copied', () => {
  const tail = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.constantFrom(511, 512, 65535, 65536).map((length) => new Uint8Array(length).fill(length)),
  );
  fc.assert(
    fc.property(fc.array(scalar, { maxLength: 17 }), tail, (items, last) => {
      const parts = packParts([...items, last]);
      expect(Buffer.compare(Buffer.concat(parts), pack([...items, last]))).toBe(0);
      expect(parts.length).toBe(last.length >= 512 && items.length < 15 ? 2 : 1);
      if (parts.length === 2) expect(parts[1]).toBe(last);
    }),
    { ...RUNS, numRuns: 200 },
  );
});

law('every value of the subset is unpacked as it was packed', RUNS, (runs) => {
  fc.assert(
    fc.property(value, (wanted) => {
      expect(unpack(pack(wanted))).toEqual({ ok: true, value: wanted });
    }),
    runs,
  );
});

test('random bytes never throw, and an accepted value has no other encoding', () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (encoded) => {
      if (expectStrict(encoded)) taken++;
    }),
    { ...RUNS, numRuns: 5000 },
  );
  expect(taken).toBeGreaterThan(0);
});

test('every first byte with every kind of continuation', () => {
  const tails = [
    '',
    '00',
    '01',
    '7f',
    '80',
    'ff',
    '0000',
    '00ff',
    '0100',
    'ffff',
    '00000001',
    '00010000',
    'ffffffff',
  ];
  for (let first = 0; first < 256; first++)
    for (const tail of tails)
      for (const filler of ['', '00'.repeat(8), '61'.repeat(32), 'ff'.repeat(260)]) {
        const encoded = fromHex(first.toString(16).padStart(2, '0') + tail + filler);
        for (const end of [encoded.length, encoded.length - 1, 8]) expectStrict(encoded.subarray(0, end));
      }
});

law(
  'a changed byte in good bytes never throws and never makes a second encoding',
  { ...RUNS, numRuns: 3000 },
  (runs) => {
    fc.assert(
      fc.property(value, fc.nat(), fc.nat(255), (wanted, place, byte) => {
        const encoded = pack(wanted);
        expectStrict(encoded.with(place % encoded.length, byte));
      }),
      runs,
    );
  },
);

test('every prefix of good bytes is truncated', () => {
  fc.assert(
    fc.property(value, fc.nat(), (wanted, place) => {
      const encoded = pack(wanted);
      const cut = unpack(encoded.subarray(0, place % encoded.length));
      expect(cut).toEqual({ ok: false, reason: 'truncated' });
    }),
    RUNS,
  );
});

test('text of any bytes is accepted if and only if TextDecoder accepts it', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decodes = (encoded: Uint8Array) => {
    try {
      strict.decode(encoded);
      return true;
    } catch {
      return false;
    }
  };
  const lead = [
    0x41, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3,
    0xf4, 0xf5,
  ];
  const more = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  let good = 0;
  const check = (...content: number[]) => {
    const taken = unpack(Uint8Array.of(0xa0 | content.length, ...content)).ok;
    if (taken !== decodes(Uint8Array.from(content)))
      expect({ content, taken }).toEqual({ content, taken: !taken });
    if (taken) good++;
  };
  for (const a of lead) {
    check(a);
    for (const b of more) {
      check(a, b);
      for (const c of more) {
        check(a, b, c);
        for (const d of more) check(a, b, c, d);
      }
    }
  }
  expect(good).toBeGreaterThan(100);
});

/**
 * Counts the bytes that are read. Any other access, such as a call of the library with the buffer, is a
 * failure.
 */
function countReads(encoded: Uint8Array): { reads: number; ok: boolean } {
  let reads = 0;
  const watched = new Proxy(encoded, {
    get(target, key) {
      if (key === 'length') return target.length;
      if (typeof key !== 'string' || !/^\d+$/.test(key)) throw new Error(`touched ${String(key)}`);
      reads++;
      return target[Number(key)];
    },
  });
  return { ok: unpack(watched).ok, reads };
}

describe('40 bytes that claim huge contents are refused after at most 40 reads, before the library gets them', () => {
  test.each([
    ['arrays of 2³² − 1', 'ddffffffff'.repeat(8)],
    ['arrays of 2²⁸ in one another', 'dd0fffffff'.repeat(8)],
    ['arrays of 65535 in one another', `${'dcffff'.repeat(13)}00`],
    ['forty arrays in one another', '91'.repeat(40)],
    ['arrays of 15 in one another', '9f'.repeat(40)],
    ['an array that claims 40 items and holds 37 empty arrays', `dc0028${'90'.repeat(36)}90`],
    ['a map of 2³² − 1', 'dfffffffff'.repeat(8)],
    ['bytes of 4 GiB', 'c6ffffffff'.repeat(8)],
    ['bytes of 64 KiB', `c600010000${'00'.repeat(35)}`],
    ['text of 4 GiB', 'dbffffffff'.repeat(8)],
    ['an extension of 4 GiB', 'c9ffffffff'.repeat(8)],
  ])('%s', (_, hex) => {
    const encoded = fromHex(hex);
    expect(encoded.length).toBe(40);
    const { ok, reads } = countReads(encoded);
    expect(ok).toBe(false);
    expect(reads).toBeLessThanOrEqual(encoded.length);
  });
});

test('the limits are forty items, two levels, 256 bytes of text and 64 KiB of bytes', () => {
  const ok = (wanted: WireValue) => unpack(pack(wanted)).ok;
  const items = (count: number) => new Array<number>(count).fill(0);
  expect([ok(items(40)), ok(items(41))]).toEqual([true, false]);
  expect([ok([items(40), items(40)]), ok([items(41)])]).toEqual([true, false]);
  expect(ok([[1]])).toBe(true);
  expect(unpack(fromHex('91919101'))).toEqual({ ok: false, reason: 'nested too deep' });
  expect([ok('t'.repeat(256)), ok('t'.repeat(257))]).toEqual([true, false]);
  expect([ok(new Uint8Array(65536)), ok(new Uint8Array(65537))]).toEqual([true, false]);
  expect(toHex(pack(new Uint8Array(65536)).subarray(0, 5))).toBe('c600010000');
});
