import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CobsDecoder, cobsEncode } from '../../firmware-protocol/cobs.js';
import {
  type DecodedItem,
  encodeFrame,
  FRAME_FAULTS,
  FrameDecoder,
  wireBytesMax,
} from '../../firmware-protocol/framing.js';
import { FAULT_BYTES_KEPT, FRAME_OVERHEAD_BYTES } from '../../firmware-protocol/limits.js';
import { anyFrame, hardBytes, joined, pieces } from '../support/frames.js';
import { law } from '../support/law.js';

const RUNS = { seed: 20240602, numRuns: 400 };
const FRAME_MAX = 600;
const PAYLOAD_MAX = FRAME_MAX - FRAME_OVERHEAD_BYTES;
const DELIMITER = new Uint8Array(1);

/**
 * COBS as its paper (Cheshire and Baker) describes it. A zero is added to the data. The result is cut into
 * groups that end in a zero or have 254 bytes.
 */
function naiveCobs(raw: Uint8Array): number[] {
  const groups: number[][] = [[]];
  for (const [i, byte] of [...raw, 0].entries()) {
    const group = groups.at(-1)!;
    if (byte !== 0) {
      group.push(byte);
      if (group.length === 254 && i < raw.length - 1) groups.push([]);
    } else if (i < raw.length) groups.push([]);
  }
  return groups.flatMap((group) => [group.length + 1, ...group]);
}

function naiveUncobs(block: readonly number[]): number[] {
  const raw: number[] = [];
  for (let at = 0; at < block.length; at += block[at]) {
    raw.push(...block.slice(at + 1, at + block[at]));
    if (block[at] < 255) raw.push(0);
  }
  if (block[lastGroup(block)] < 255) raw.pop();
  return raw;
}

function lastGroup(block: readonly number[]): number {
  let at = 0;
  while (at + block[at] < block.length) at += block[at];
  return at;
}

function decodeCobs(
  chunks: readonly Uint8Array[],
  decoder = new CobsDecoder(chunks.reduce((sum, chunk) => sum + chunk.length, 0)),
): Uint8Array | undefined {
  for (const chunk of chunks) decoder.push(chunk, 0, chunk.length);
  const length = decoder.end();
  return length < 0 ? undefined : decoder.bytes.slice(0, length);
}

function decode(chunks: readonly Uint8Array[], decoder = new FrameDecoder(FRAME_MAX)): DecodedItem[] {
  return chunks.flatMap((chunk) => decoder.push(chunk));
}

law('COBS equals the naive encoding, has no zero inside, and is decoded to the same bytes', RUNS, (runs) => {
  fc.assert(
    fc.property(hardBytes(1300), (raw) => {
      const encoded = cobsEncode(raw);
      expect(Array.from(encoded.subarray(0, -1))).toEqual(naiveCobs(raw));
      expect(encoded.indexOf(0)).toBe(encoded.length - 1);
      expect(encoded.length).toBeLessThanOrEqual(wireBytesMax(raw.length));
      expect(naiveUncobs(Array.from(encoded.subarray(0, -1)))).toEqual(Array.from(raw));
      expect(decodeCobs([encoded.subarray(0, -1)])).toEqual(raw);
    }),
    runs,
  );
});

law('COBS is decoded alike from pieces, one block after another', RUNS, (runs) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(hardBytes(1300), fc.array(fc.nat(), { maxLength: 6 }))), (blocks) => {
      const decoder = new CobsDecoder(1400);
      for (const [raw, cuts] of blocks)
        expect(decodeCobs(pieces(cobsEncode(raw).subarray(0, -1), cuts), decoder)).toEqual(raw);
    }),
    runs,
  );
});

test('bytes without a zero reach the bound on the length of the encoding', () => {
  // If the data end in a group of 254 bytes, no further group is needed. So the bound is one byte too large
  // for multiples of 254.
  for (const length of [1, 253, 255, 507, 509, 8192])
    expect(cobsEncode(new Uint8Array(length).fill(7)).length).toBe(wireBytesMax(length));
  for (const length of [254, 508])
    expect(cobsEncode(new Uint8Array(length).fill(7)).length).toBe(wireBytesMax(length) - 1);
});

test('a block that COBS cannot have made is refused, but an empty last group is accepted', () => {
  const decoder = new CobsDecoder(600);
  const decode = (...block: readonly number[]) => decodeCobs([Uint8Array.from(block)], decoder)?.length;
  expect(decode(3, 1)).toBeUndefined();
  expect(decode(1, 0, 1)).toBeUndefined();
  const full = [255, ...new Uint8Array(254).fill(9)];
  expect(decode(...full)).toBe(254);
  expect(decode(...full.slice(1, -1))).toBeUndefined();
  expect(decode(...full.slice(0, -1))).toBeUndefined();
  expect(decode(...full, 1)).toBe(254);
});

law('frames are decoded from any chunks of their bytes', RUNS, (runs) => {
  fc.assert(
    fc.property(
      fc.array(anyFrame(PAYLOAD_MAX), { maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (frames, cuts) => {
        const stream = joined(frames.map((frame) => encodeFrame(frame)));
        expect(decode(pieces(stream, cuts))).toEqual(frames.map((frame) => ({ kind: 'frame', frame })));
      },
    ),
    runs,
  );
});

/** A stream of frames, rubbish and damaged frames, with delimiters in odd places. */
const dirtyStream = fc
  .array(
    fc.oneof(
      anyFrame(PAYLOAD_MAX + 40).map((frame) => encodeFrame(frame)),
      fc.uint8Array({ maxLength: 40 }),
      hardBytes(1500),
      fc
        .tuple(
          anyFrame(100).map((frame) => encodeFrame(frame)),
          fc.nat(),
          fc.nat(255),
        )
        .map(([bytes, at, value]) => bytes.with(at % bytes.length, value)),
    ),
    { maxLength: 8 },
  )
  .map(joined);

law('what is decoded does not depend on the chunks', { ...RUNS, numRuns: 200 }, (runs) => {
  fc.assert(
    fc.property(dirtyStream, fc.array(fc.nat(), { maxLength: 40 }), (stream, cuts) => {
      const bytewise = Array.from(stream, (byte) => Uint8Array.of(byte));
      const whole = decode([stream]);
      expect(decode(pieces(stream, cuts))).toEqual(whole);
      expect(decode(bytewise)).toEqual(whole);
    }),
    runs,
  );
});

test('every byte is counted: in a frame, in a fault, or as a delimiter', () => {
  fc.assert(
    fc.property(dirtyStream, (stream) => {
      let bytes = 0;
      for (const item of decode([stream, DELIMITER])) {
        if (item.kind === 'fault') {
          expect(FRAME_FAULTS).toContain(item.fault);
          expect(item.head.length).toBe(Math.min(item.bytes, FAULT_BYTES_KEPT));
        } else expect(item.frame.payload.length).toBeLessThanOrEqual(PAYLOAD_MAX);
        bytes += item.kind === 'fault' ? item.bytes : encodeFrame(item.frame).length - 1;
      }
      // A received COBS block may end in an empty group that is not needed. Only such a block has one byte
      // more than the encoding by `encodeFrame`.
      const nonzero = stream.filter((byte) => byte !== 0).length;
      expect(nonzero - bytes).toBeGreaterThanOrEqual(0);
      expect(nonzero - bytes).toBeLessThanOrEqual(stream.filter((byte) => byte === 255).length);
    }),
    RUNS,
  );
});

law('no good frame after a delimiter is lost, whatever comes before it', RUNS, (runs) => {
  fc.assert(
    fc.property(
      dirtyStream,
      anyFrame(PAYLOAD_MAX),
      fc.array(fc.nat(), { maxLength: 8 }),
      (rubbish, frame, cuts) => {
        const stream = joined([rubbish, DELIMITER, encodeFrame(frame)]);
        expect(decode(pieces(stream, cuts)).at(-1)).toEqual({ kind: 'frame', frame });
      },
    ),
    runs,
  );
});

test('a zero in the middle of a frame cuts it; this is one fault, and the next frame passes', () => {
  fc.assert(
    fc.property(anyFrame(200), fc.nat(), anyFrame(20), (first, place, second) => {
      const whole = encodeFrame(first);
      const at = 1 + (place % (whole.length - 2));
      const [fault, ...others] = decode([whole.subarray(0, at), DELIMITER, encodeFrame(second)]);
      expect(fault).toMatchObject({ kind: 'fault', bytes: at });
      expect(others).toEqual([{ kind: 'frame', frame: second }]);
    }),
    RUNS,
  );
});

law(
  'a change of any single bit makes a fault, but never another frame',
  { ...RUNS, numRuns: 2000 },
  (runs) => {
    fc.assert(
      fc.property(anyFrame(60), fc.nat(), (frame, place) => {
        const bytes = encodeFrame(frame);
        const bit = place % (8 * (bytes.length - 1));
        const changed = bytes.with(bit >> 3, bytes[bit >> 3] ^ (1 << (bit & 7)));
        const items = decode([changed]);
        expect(items.length).toBeGreaterThan(0);
        for (const item of items) expect(item.kind).toBe('fault');
      }),
      runs,
    );
  },
);

test('an endless frame uses the memory of one frame, and is one fault of its full length', () => {
  const decoder = new FrameDecoder(256);
  const chunk = new Uint8Array(1 << 16).fill(0x41);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 1024; i++) expect(decoder.push(chunk)).toEqual([]);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * chunk.length);
  const [item, ...others] = decoder.push(DELIMITER);
  expect(others).toEqual([]);
  expect(item).toMatchObject({ kind: 'fault', fault: 'oversize', bytes: 1024 * chunk.length });
  expect(item.kind === 'fault' && item.head.length).toBe(FAULT_BYTES_KEPT);
});

test('delimiters alone have no meaning, and cost almost no time', () => {
  expect(decode([new Uint8Array(1000)])).toEqual([]);
  const decoder = new FrameDecoder(FRAME_MAX);
  const chunk = new Uint8Array(1 << 16);
  const before = process.cpuUsage();
  for (let i = 0; i < 128; i++) expect(decoder.push(chunk)).toEqual([]);
  // Eight megabytes take 0.03 s here. They took 4 s when each zero was handled as a frame.
  expect(process.cpuUsage(before).user / 1e6).toBeLessThan(1);
});

test('the longest frame passes, one byte more is oversize', () => {
  const frame = { channel: 1, session: 2, flags: 0, seq: 3, ack: 4 } as const;
  const longest = { ...frame, payload: new Uint8Array(PAYLOAD_MAX).fill(5) };
  expect(decode([encodeFrame(longest)])).toEqual([{ kind: 'frame', frame: longest }]);
  const longer = { ...frame, payload: new Uint8Array(PAYLOAD_MAX + 1).fill(5) };
  expect(decode([encodeFrame(longer)])).toMatchObject([{ kind: 'fault', fault: 'oversize' }]);
});

test('a decoded payload keeps its bytes when the decoder continues, and when the caller reuses the chunk', () => {
  const decoder = new FrameDecoder(FRAME_MAX);
  const frame = {
    channel: 2,
    session: 2,
    flags: 0,
    seq: 3,
    ack: 4,
    payload: Uint8Array.of(1, 2, 3),
  } as const;
  const chunk = encodeFrame(frame).slice();
  const [item] = decoder.push(chunk);
  chunk.fill(9);
  decoder.push(encodeFrame({ ...frame, payload: Uint8Array.of(7, 7, 7) }));
  expect(item).toEqual({ kind: 'frame', frame });
});
