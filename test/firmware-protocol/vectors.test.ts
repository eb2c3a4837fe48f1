import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type DecodedItem, encodeFrame, type Frame, FrameDecoder } from '../../firmware-protocol/framing.js';
import { programDigest } from '../../firmware-protocol/program-digest.js';
import { pack, unpack, type WireValue } from '../../firmware-protocol/restricted-messagepack.js';
import { decodeByDirection, encodeByName } from '../support/codec-by-name.js';
import {
  directedRow,
  directedRows,
  FRAME_VECTORS,
  type FrameVector,
  fromHex,
  MESSAGE_VECTORS,
  type MessageVector,
  toHex,
} from '../support/protocol-vectors.js';
import { PYTHON } from '../support/python.js';

const SCRIPT = fileURLToPath(
  new URL('../../firmware-protocol/tools/scripts/protocol-vectors.py', import.meta.url),
);
const hasPython = PYTHON !== undefined;

/** The fields as the codec returns them. Hexadecimal texts become bytes in fields of type bytes. */
function codecFields(vector: MessageVector): Record<string, unknown> {
  const { fields } = directedRow(vector.name, vector.direction);
  return Object.fromEntries(
    Object.entries(vector.fields).map(([name, value]) => {
      const isBytes = fields.find((field) => field.name === name)?.type === 'bytes';
      return [name, isBytes ? fromHex(value as string) : value];
    }),
  );
}

function frameOf({ channel, session, flags, seq, ack, payload }: FrameVector): Frame {
  return { channel, session, flags, seq, ack, payload: fromHex(payload) };
}

function decodeAll(chunks: readonly Uint8Array[], frameBytesMax: number): DecodedItem[] {
  const decoder = new FrameDecoder(frameBytesMax);
  return chunks.flatMap((chunk) => decoder.push(chunk));
}

test.skipIf(!hasPython)('the Python script reproduces the checked-in vectors', { tags: 'long' }, () => {
  expect(() => execFileSync(PYTHON!, [SCRIPT, '--check'], { stdio: 'pipe' })).not.toThrow();
});

describe('frames', () => {
  test.each(FRAME_VECTORS.frames.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const frame = frameOf(vector);
    expect(toHex(encodeFrame(frame))).toBe(vector.wire);
    expect(decodeAll([fromHex(vector.wire)], 1024)).toEqual([{ kind: 'frame', frame }]);
  });

  test.each(FRAME_VECTORS.bad.map((vector) => [vector.name, vector] as const))('bad: %s', (_, vector) => {
    const wire = fromHex(vector.wire);
    const [item, ...others] = decodeAll([wire], vector.frameBytesMax);
    expect(others).toEqual([]);
    expect(item).toMatchObject({ kind: 'fault', fault: vector.fault, bytes: wire.length - 1 });
    if (item.kind === 'fault')
      expect(toHex(item.head)).toBe(toHex(wire.subarray(0, Math.min(128, wire.length - 1))));
  });

  test.each(FRAME_VECTORS.streams.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const items = decodeAll(vector.chunks.map(fromHex), vector.frameBytesMax).map((item) =>
      item.kind === 'frame' ? { frame: item.frame } : { fault: item.fault, bytes: item.bytes },
    );
    const expected = vector.items.map((item) =>
      'frame' in item
        ? { frame: frameOf(FRAME_VECTORS.frames.find(({ name }) => name === item.frame)!) }
        : item,
    );
    expect(items).toEqual(expected);
  });

  test('every kind of fault is among the bad frames', () => {
    const kinds = new Set(FRAME_VECTORS.bad.map(({ fault }) => fault));
    expect([...kinds].sort()).toEqual(['cobs', 'crc', 'header', 'oversize', 'short']);
  });
});

describe('messages', () => {
  test('every row of the tables is there in every direction, and nothing else', () => {
    const key = (name: string, direction: string) => `${name} ${direction}`;
    const inTables = directedRows().map(({ row, direction }) => key(row.name, direction));
    for (const list of [MESSAGE_VECTORS.messages, MESSAGE_VECTORS.laterMinor]) {
      const inVectors = new Set(list.map(({ name, direction }) => key(name, direction)));
      expect([...inVectors].sort()).toEqual([...inTables].sort());
    }
  });

  test.each(directedRows().map(({ row, direction }) => [row.name, direction] as const))(
    '%s %s: the same bytes both ways',
    (name, direction) => {
      const vectors = MESSAGE_VECTORS.messages.filter(
        (vector) => vector.name === name && vector.direction === direction,
      );
      for (const vector of vectors) {
        const fields = codecFields(vector);
        expect(toHex(encodeByName(name, direction, vector.requestId, fields))).toBe(vector.payload);
        expect(decodeByDirection(direction, fromHex(vector.payload))).toMatchObject({
          name,
          requestId: vector.requestId,
          fields,
        });
      }
    },
  );

  test('fields of a later minor version are ignored, and fields that an earlier one leaves out have their default', () => {
    expect(MESSAGE_VECTORS.earlierVersion.map(({ name, direction }) => `${name} ${direction}`)).toEqual([
      'hello toDevice',
      'hello toHost',
      'readCounters toHost',
      'defineProgram toDevice',
      'start toDevice',
    ]);
    for (const vector of [...MESSAGE_VECTORS.laterMinor, ...MESSAGE_VECTORS.earlierVersion]) {
      const decoded = decodeByDirection(vector.direction, fromHex(vector.payload));
      expect(decoded).toMatchObject({ name: vector.name, requestId: vector.requestId });
      expect(decoded.kind !== 'bad' && decoded.fields).toEqual(codecFields(vector));
    }
  });

  test('every field outside its range, of another type, or missing is named', () => {
    const fields = new Set<string>();
    for (const vector of MESSAGE_VECTORS.rejectedFields) {
      fields.add(`${vector.name} ${vector.direction} ${vector.field}`);
      const decoded = decodeByDirection(vector.direction, fromHex(vector.payload));
      expect({ ...vector, decoded }).toMatchObject({
        decoded: { kind: 'bad', reason: `field ${vector.field} of ${vector.name}`, requestId: 3 },
      });
    }
    const inTables = directedRows().flatMap(({ row, direction, fields: own }) =>
      own.map((field) => `${row.name} ${direction} ${field.name}`),
    );
    expect([...fields].sort()).toEqual(inTables.sort());
  });
});

/** The pattern of our reason for each kind of fault that the script names. */
const REASONS: Readonly<Record<string, RegExp>> = {
  'type byte': /^type 0x[0-9a-f]{2} is not allowed$/,
  'shortest form': /^not in shortest form$/,
  '2⁵³': /^integer of 2⁵³ or more$/,
  length: /too long$/,
  depth: /^nested too deep$/,
  'UTF-8': /^text is not UTF-8$/,
  truncated: /^truncated$/,
  trailing: /^\d+ bytes after the value$/,
  'not an array': /^not an array$/,
  'no opcode': /^no opcode$/,
  'no request id': /^no request id$/,
  'unknown opcode': /^unknown opcode$/,
};

describe('rejected payloads', () => {
  test.each(
    MESSAGE_VECTORS.rejectedPayloads.map((vector) => [vector.reason, vector.note, vector.payload] as const),
  )('%s: %s', (reason, _, payload) => {
    const decoded = decodeByDirection('toDevice', fromHex(payload));
    expect(decoded).toMatchObject({ kind: 'bad', reason: expect.stringMatching(REASONS[reason]) });
  });

  test('every kind of reason occurs', () => {
    const kinds = new Set(MESSAGE_VECTORS.rejectedPayloads.map(({ reason }) => reason));
    expect([...kinds].sort()).toEqual(Object.keys(REASONS).sort());
  });
});

test('values of the subset pack to the same bytes and come back', () => {
  for (const { integer, text, bytes, array, payload } of MESSAGE_VECTORS.values) {
    const value = (integer ?? text ?? array ?? fromHex(bytes!)) as WireValue;
    expect(toHex(pack(value))).toBe(payload);
    expect(unpack(fromHex(payload))).toEqual({ ok: true, value });
  }
});

test.each(
  MESSAGE_VECTORS.digests.map(
    (vector) => [vector.couplingBits, vector.rowTable ? 'with' : 'without', vector] as const,
  ),
)(
  'the digest of a program with %i-bit couplings %s a row element',
  (couplingBits, _, { couplings, drive, initialState, crc32, crc32c, ...rest }) => {
    const { linearRows, rowTable, rowDrive, ...shape } = rest;
    const image = {
      ...shape,
      mode: 1 as const,
      rowAttenuation: 3,
      couplings: couplingBits <= 8 ? Int8Array.from(couplings) : Int16Array.from(couplings),
      drive: Int16Array.from(drive),
      initialState: Int16Array.from(initialState),
      ...(linearRows !== undefined && {
        rowElement: { linearRows, table: Int16Array.from(rowTable!), drive: Int16Array.from(rowDrive!) },
      }),
    };
    expect(programDigest(image)).toEqual({ crc32, crc32c });
  },
);

test('there is a digest for every coupling width', () => {
  expect(MESSAGE_VECTORS.digests.map(({ couplingBits }) => couplingBits)).toEqual([
    4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 16,
  ]);
});
