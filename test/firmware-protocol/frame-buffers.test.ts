import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CobsDecoder, cobsBytesMax, cobsEncode } from '../../firmware-protocol/cobs.js';
import { crc32, crc32c } from '../../firmware-protocol/crc.js';
import {
  foldedMessage,
  newFrameBuffers,
  newUnstuffer,
  stuffedInPlace,
  UNSTUFF_STATE,
  withSlack,
} from '../../firmware-protocol/frame-kernel/frame-buffers.js';
import { CHANNEL, encodeFrame, FrameDecoder, openFrame, sealFrame } from '../../firmware-protocol/framing.js';
import { FRAME_BYTES_MAX, FRAME_OVERHEAD_BYTES } from '../../firmware-protocol/limits.js';
import { hardBytes, joined, pieces } from '../support/frames.js';
import { law } from '../support/law.js';

const RUNS = { seed: 20240630, numRuns: 300 };
const LENGTH_MAX = 70_000;
const WIRE_BYTES = withSlack(cobsBytesMax(LENGTH_MAX));

/**
 * In the memory of the WebAssembly module: room for a message, a buffer for its frame, and guard bytes around
 * both. The guard bytes must not change.
 */
const [before, message, between, wire, after] = newFrameBuffers([64, LENGTH_MAX, 64, WIRE_BYTES, 64]);

const plain = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);

/** Mostly zeros with a few other bytes, like the codes of the factor of a trained network. */
const mostlyZero = fc
  .array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 60 })
  .map((runs) =>
    Uint8Array.from(runs.flatMap(([zeros, others]) => [...Array(zeros).fill(0), ...Array(others).fill(3)])),
  );

/** Long data that repeat a short pattern, with few or many zeros. */
const longBytes = fc
  .tuple(
    fc.integer({ min: 0, max: LENGTH_MAX }),
    fc.oneof(
      hardBytes(2000),
      fc.uint8Array({ minLength: 1, maxLength: 600 }),
      fc.constantFrom(Uint8Array.of(0), Uint8Array.of(0, 1), Uint8Array.of(7)),
      mostlyZero,
    ),
    fc.array(fc.tuple(fc.nat(LENGTH_MAX), fc.nat(255)), { maxLength: 20 }),
  )
  .map(([length, pattern, changes]) => {
    const bytes = Uint8Array.from({ length }, (_, i) => pattern[i % Math.max(1, pattern.length)] ?? 1);
    for (const [at, value] of changes) if (at < length) bytes[at] = value;
    return bytes;
  });

function place(bytes: Uint8Array, offset = 0): Uint8Array {
  message.fill(0xa5);
  message.set(bytes, offset);
  return message.subarray(offset, offset + bytes.length);
}

describe('the embedded module', () => {
  const script = 'firmware-protocol/frame-kernel/scripts/build-frame-kernel.mjs';

  test('names the digest of the present sources (otherwise run npm run build)', () => {
    execFileSync(process.execPath, [script, '--check-sources']);
  });

  test('is the compiled form of these sources', { tags: 'long' }, () => {
    execFileSync(process.execPath, [script, '--check']);
  });
});

test.each([
  ['CRC-32', 0xedb88320, 1927, 2181, 4018],
  ['CRC-32C', 0x82f63b78, 767, 2524, 5275],
])(
  'the distances in bytes over which a %s is folded give a multiple of its polynomial',
  (_, polynomial, near, middle, far) => {
    // The remainder of x^(8·bytes). Its bits are reflected: the lowest bit belongs to the highest power.
    const power = (bytes: number): number => {
      let remainder = 0x80000000;
      for (let bit = 0; bit < 8 * bytes; bit++)
        remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
      return remainder;
    };
    expect(power(far) ^ power(far - near) ^ power(far - middle) ^ power(0)).toBe(0);
  },
);

describe.each([
  ['CRC-32', 'crc32', crc32, 4100],
  ['CRC-32C', 'crc32c', crc32c, 5400],
] as const)('%s of a message in the module’s memory', (_, name, crc, leftMax) => {
  test('is the CRC of the same bytes in a plain buffer, at lengths near the limits between the ways of folding', () => {
    const bytes = Uint8Array.from({ length: LENGTH_MAX }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24);
    place(bytes);
    const lengths = [12_280, 20_270, 28_460, 65_500].flatMap((first) =>
      Array.from({ length: 200 }, (_, i) => first + i),
    );
    for (const length of [...lengths, LENGTH_MAX])
      expect(crc(message.subarray(0, length)), `${length}`).toBe(crc(bytes.subarray(0, length)));
    expect(foldedMessage(name, message.subarray(0, 12_287), 0)).toBeUndefined();
    expect(foldedMessage(name, message.subarray(0, 12_288), 0)?.length).toBeLessThan(leftMax);
    expect(foldedMessage(name, bytes, 0)).toBeUndefined();
  });

  law('is the same for all bytes, at any address', RUNS, (runs) => {
    fc.assert(
      fc.property(longBytes, fc.nat(40), (bytes, offset) => {
        const fits = bytes.subarray(0, LENGTH_MAX - offset);
        const expected = crc(plain(fits));
        expect(crc(place(fits, offset))).toBe(expected);
        expect(Buffer.compare(message.subarray(offset, offset + fits.length), fits)).toBe(0);
      }),
      runs,
    );
  });

  test('a call that continues from the CRC of earlier bytes gives the CRC of all bytes', () => {
    const bytes = place(new Uint8Array(30_000).fill(3));
    expect(crc(bytes.subarray(10_000), crc(bytes.subarray(0, 10_000)))).toBe(crc(plain(bytes)));
    fc.assert(
      fc.property(longBytes, fc.nat(0xffffffff), (anyBytes, state) => {
        expect(crc(place(anyBytes), state)).toBe(crc(plain(anyBytes), state));
      }),
      { ...RUNS, numRuns: 50 },
    );
  });
});

describe('COBS in the module’s memory', () => {
  const encoded = (raw: Uint8Array): Uint8Array => {
    const stuffed = stuffedInPlace(raw, wire, cobsBytesMax(raw.length));
    if (!stuffed) throw new Error('not stuffed by the module');
    return stuffed;
  };

  test.each([0, 1, 7, 16, 253, 254, 255, 256, 300, 508, 600].map((period) => [period]))(
    'equals the definition at every length up to 1,100, with a zero every %i bytes',
    (period) => {
      const bytes = Uint8Array.from({ length: 1100 }, (_, i) => (period > 0 && i % period === 0 ? 0 : 9));
      for (let length = 0; length <= bytes.length; length++) {
        const raw = place(bytes.subarray(0, length));
        expect(Buffer.compare(encoded(raw), cobsEncode(plain(raw))), `${length}`).toBe(0);
      }
    },
  );

  law('equals the definition for all bytes and addresses, and stays within the wire', RUNS, (runs) => {
    fc.assert(
      fc.property(longBytes, fc.nat(40), fc.nat(40), (bytes, offset, from) => {
        const raw = place(bytes.subarray(0, LENGTH_MAX - 40 - offset), offset);
        for (const neighbour of [before, between, after]) neighbour.fill(0x5a);
        wire.fill(0x33);
        const stuffed = cobsEncode(raw, wire.subarray(from));
        expect(stuffed.byteOffset).toBe(wire.byteOffset + from);
        expect(Buffer.compare(stuffed, cobsEncode(plain(raw)))).toBe(0);
        for (const neighbour of [before, between, after, wire.subarray(0, from)])
          expect(new Set(neighbour).size).toBeLessThan(2);
      }),
      runs,
    );
  });

  test('an `out` without free bytes after it, or outside the module, is written as the definition says', () => {
    const raw = place(Uint8Array.of(1, 0, 2));
    const tight = wire.subarray(0, cobsBytesMax(3) + 15);
    expect(stuffedInPlace(raw, tight, cobsBytesMax(3))).toBeUndefined();
    expect(stuffedInPlace(raw, new Uint8Array(100), cobsBytesMax(3))).toBeUndefined();
    wire.fill(0x33);
    expect([...cobsEncode(raw, tight)]).toEqual([2, 1, 2, 2, 0]);
    expect(wire[6]).toBe(0x33);
  });
});

describe('COBS decoded by the module', () => {
  const BLOCK_MAX = 12_000;
  const unstuffer = newUnstuffer(cobsBytesMax(LENGTH_MAX))!;

  /**
   * Decodes a block in plain code and by the module. Returns both results: the content, or undefined if the
   * block is malformed.
   */
  function both(block: Uint8Array, cuts: readonly number[]): (Uint8Array | undefined)[] {
    const plainDecoder = new CobsDecoder(BLOCK_MAX);
    unstuffer.state.fill(0);
    let length = 0;
    for (const piece of pieces(block, cuts)) {
      plainDecoder.push(piece, 0, piece.length);
      length += unstuffer.push(piece, 0, piece.length, length);
    }
    const { left, malformed } = UNSTUFF_STATE;
    const isWhole = unstuffer.state[left] === 0 && unstuffer.state[malformed] === 0;
    const plainLength = plainDecoder.end();
    return [
      plainLength < 0 ? undefined : plainDecoder.bytes.slice(0, plainLength),
      isWhole ? unstuffer.bytes.slice(0, length) : undefined,
    ];
  }

  law(
    'equals the definition for encodings in any pieces, with few or many zeros',
    { ...RUNS, numRuns: 150 },
    (runs) => {
      fc.assert(
        fc.property(longBytes, fc.array(fc.nat(), { maxLength: 5 }), (bytes, cuts) => {
          const raw = bytes.subarray(0, BLOCK_MAX - 100);
          for (const decoded of both(cobsEncode(raw).slice(0, -1), cuts))
            expect(decoded && Buffer.compare(decoded, raw)).toBe(0);
        }),
        runs,
      );
    },
  );

  law(
    'equals the definition for blocks of any bytes, many of which are not valid encodings',
    { ...RUNS, numRuns: 150 },
    (runs) => {
      const block = fc.oneof(fc.uint8Array({ maxLength: 3000 }), hardBytes(3000), longBytes);
      let malformed = 0;
      fc.assert(
        fc.property(block, fc.array(fc.nat(), { maxLength: 5 }), (bytes, cuts) => {
          const [expected, decoded] = both(bytes.slice(0, BLOCK_MAX), cuts);
          if (!expected) malformed++;
          expect(decoded === undefined).toBe(expected === undefined);
          if (expected && decoded) expect(Buffer.compare(decoded, expected)).toBe(0);
        }),
        runs,
      );
      expect(malformed).toBeGreaterThan(runs.numRuns / 3);
    },
  );

  test('a piece longer than the buffer of the module is decoded in parts', () => {
    const raw = Uint8Array.from({ length: LENGTH_MAX }, (_, i) => (i % 7 === 0 ? 0 : i));
    const encoded = cobsEncode(raw);
    unstuffer.state.fill(0);
    const length = unstuffer.push(encoded, 0, encoded.length - 1, 0);
    expect(Buffer.compare(unstuffer.bytes.subarray(0, length), raw)).toBe(0);
  });
});

/** A frame with a payload of any length up to the largest one. */
const largeFrame = longBytes.map((bytes) => ({
  channel: CHANNEL.command,
  session: 7,
  flags: 0,
  seq: 300,
  ack: 0,
  payload: bytes.subarray(0, FRAME_BYTES_MAX - FRAME_OVERHEAD_BYTES),
}));

law(
  'large frames get the same bytes in the memory of the module and elsewhere, and are decoded from any pieces',
  { ...RUNS, numRuns: 150 },
  (runs) => {
    const decoder = new FrameDecoder(FRAME_BYTES_MAX);
    fc.assert(
      fc.property(largeFrame, fc.array(fc.nat(), { maxLength: 5 }), (frame, cuts) => {
        const bytes = encodeFrame(frame).slice();
        expect(Buffer.compare(sealFrame(openFrame(message, [frame.payload]), frame, wire), bytes)).toBe(0);
        const items = pieces(bytes, cuts).flatMap((piece) => decoder.push(piece));
        expect(items.map((item) => item.kind)).toEqual(['frame']);
        const decoded = items[0].kind === 'frame' ? items[0].frame : undefined;
        expect({ ...decoded, payload: undefined }).toEqual({ ...frame, payload: undefined });
        expect(Buffer.compare(decoded!.payload, frame.payload)).toBe(0);
      }),
      runs,
    );
  },
);

law(
  'a large frame with any bit changed is a fault, and the next frame is received',
  { ...RUNS, numRuns: 150 },
  (runs) => {
    const decoder = new FrameDecoder(FRAME_BYTES_MAX);
    fc.assert(
      fc.property(largeFrame, fc.nat(), largeFrame, (frame, place, next) => {
        const bytes = encodeFrame(frame).slice();
        const bit = place % (8 * (bytes.length - 1));
        bytes[bit >> 3] ^= 1 << (bit & 7);
        const items = decoder.push(joined([bytes, Uint8Array.of(0), encodeFrame(next)]));
        const kinds = items.map((item) => item.kind);
        expect(kinds.pop()).toBe('frame');
        expect(kinds).toContain('fault');
        expect(kinds).not.toContain('frame');
      }),
      runs,
    );
  },
);

test('a decoder keeps its bytes when a block grows beyond its small buffer', () => {
  for (const length of [12_286, 12_287, 12_288, 12_289, 14_000]) {
    const raw = Uint8Array.from({ length }, (_, i) => i);
    const encoded = cobsEncode(raw).slice(0, -1);
    const decoder = new CobsDecoder(cobsBytesMax(14_000));
    for (let at = 0; at < encoded.length; at += 100)
      decoder.push(encoded.slice(at, at + 100), 0, Math.min(100, encoded.length - at));
    expect(decoder.end()).toBe(length);
    expect(Buffer.compare(decoder.bytes.subarray(0, length), raw)).toBe(0);
  }
});

describe('a host that can not run the module', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  /** The parts of the real WebAssembly that are used before a memory is made. */
  interface Api {
    readonly Module: unknown;
    readonly Instance: unknown;
    readonly validate: unknown;
  }
  const { WebAssembly: real } = globalThis as unknown as { readonly WebAssembly: Api };

  function NoMemory(): never {
    throw new RangeError('no address space');
  }

  test.each([
    ['no WebAssembly', undefined],
    ['no SIMD', { validate: () => false }],
    [
      'no room for its memory',
      { Module: real.Module, Instance: real.Instance, validate: real.validate, Memory: NoMemory },
    ],
  ])('%s: the buffers are plain, and the frames are the same', async (_, host) => {
    const payload = new Uint8Array(20_000).fill(5);
    const frame = { channel: CHANNEL.command, session: 7, flags: 0, seq: 1, ack: 2, payload };
    const expected = encodeFrame(frame).slice();
    vi.stubGlobal('WebAssembly', host);
    vi.resetModules();
    const fresh = await import('../../firmware-protocol/frame-kernel/frame-buffers.js');
    const framing = await import('../../firmware-protocol/framing.js');
    const [raw, out] = fresh.newFrameBuffers([30_000, 40_000]);
    expect([raw.length, out.length]).toEqual([30_000, 40_000]);
    expect(raw.buffer).not.toBe(out.buffer);
    const sealed = framing.sealFrame(framing.openFrame(raw, [payload]), frame, out);
    expect(Buffer.compare(sealed, expected)).toBe(0);
  });
});
