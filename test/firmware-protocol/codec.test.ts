import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeToDevice, decodeToHost, encodeCommand, encodeEvent } from '../../firmware-protocol/codec.js';
import type { Field } from '../../firmware-protocol/message-table.js';
import { pack, unpack, type WireValue } from '../../firmware-protocol/restricted-messagepack.js';
import { decodeByDirection, encodeByName } from '../support/codec-by-name.js';
import { directedRow, directedRows, fromHex, MESSAGE_VECTORS } from '../support/protocol-vectors.js';

const SEED = 20240604;
const U32 = 2 ** 32 - 1;
const CHARACTERS = fc.constantFrom('a', '~', '\0', 'é', '\u07ff', '漢', '\uffff', '😀', '\u{10ffff}');

function fieldValue(field: Field): fc.Arbitrary<WireValue> {
  switch (field.type) {
    case 'integer':
      return fc.oneof(
        fc.constantFrom(field.min, field.max),
        fc.maxSafeNat().map((n) => field.min + (n % (field.max - field.min + 1))),
      );
    case 'choice':
      return fc.constantFrom(...Object.values(field.choices));
    case 'bytes':
      return fc.uint8Array({ minLength: field.minBytes, maxLength: Math.min(field.maxBytes, 300) });
    case 'text':
      // At most four bytes a character.
      return fc.string({ unit: CHARACTERS, maxLength: field.maxBytes / 4 });
  }
}

function fieldsOf(fields: readonly Field[]): fc.Arbitrary<Record<string, WireValue>> {
  return fc.record(Object.fromEntries(fields.map((field) => [field.name, fieldValue(field)])));
}

const EVERY_ROW = directedRows().map((entry) => [entry.row.name, entry.direction, entry] as const);

test.each(EVERY_ROW)('%s %s: the received message is the sent one', (name, direction, { row, fields }) => {
  fc.assert(
    fc.property(fieldsOf(fields), fc.integer({ min: 0, max: U32 }), (values, requestId) => {
      const decoded = decodeByDirection(direction, encodeByName(name, direction, requestId, values));
      const kind = row.kind === 'event' ? 'event' : direction === 'toDevice' ? 'command' : 'answer';
      expect(decoded).toEqual({ kind, name, row, requestId, fields: values });
    }),
    { seed: SEED, numRuns: 20 },
  );
});

test.each(EVERY_ROW.filter(([, , { fields }]) => fields.length > 0))(
  '%s %s: a value out of range is a bug of the sender',
  (name, direction, { fields }) => {
    fc.assert(
      fc.property(fieldsOf(fields), fc.nat(fields.length - 1), fc.nat(), (values, index, which) => {
        const field = fields[index];
        const wrong = wrongValues(field);
        const bad = { ...values, [field.name]: wrong[which % wrong.length] };
        expect(() => encodeByName(name, direction, 1, bad)).toThrow(`bug: ${field.name}`);
      }),
      { seed: SEED, numRuns: 60 },
    );
  },
);

function wrongValues(field: Field): unknown[] {
  const never = [undefined, null, true, {}, [], Number.NaN, Number.POSITIVE_INFINITY, 0.5, 1n];
  switch (field.type) {
    case 'integer':
      return [...never, field.min - 1, field.max + 1, field.min + 0.5, '1', new Uint8Array(1)];
    case 'choice':
      return [...never, -1, Math.max(...Object.values(field.choices)) + 1, Object.keys(field.choices)[0]];
    case 'bytes':
      return [
        ...never,
        '00',
        1,
        new Uint8Array(field.maxBytes + 1),
        new Uint16Array(field.minBytes),
        ...(field.minBytes > 0 ? [new Uint8Array(field.minBytes - 1)] : []),
      ];
    case 'text':
      return [
        ...never,
        1,
        'x'.repeat(field.maxBytes + 1),
        '漢'.repeat(field.maxBytes / 2),
        '\ud800',
        'a\udfffb',
      ];
  }
}

test('a request id that is not a u32 is refused by the receiver', () => {
  for (const requestId of [U32 + 1, -1])
    expect(decodeToDevice(pack([1, requestId, 7]))).toMatchObject({
      kind: 'bad',
      reason: 'no request id',
      opcode: 1,
    });
});

describe('attacks', () => {
  const payloads = MESSAGE_VECTORS.messages.map(({ payload }) => fromHex(payload));

  /**
   * Decoding never throws. An accepted payload encodes to the same bytes, without items of a later version.
   */
  function attack(payload: Uint8Array): boolean {
    let taken = false;
    for (const direction of ['toDevice', 'toHost'] as const) {
      const decoded = decodeByDirection(direction, payload);
      if (decoded.kind === 'bad') continue;
      taken = true;
      const again = encodeByName(decoded.name, direction, decoded.requestId, decoded.fields);
      const items = unpack(payload) as { value: WireValue[] };
      const known = directedRow(decoded.name, direction).fields.length;
      expect(again).toEqual(pack(items.value.slice(0, 2 + known)));
    }
    return taken;
  }

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (payload) => {
        attack(payload);
      }),
      { seed: SEED, numRuns: 3000 },
    );
  });

  test('random arrays of the subset never throw', () => {
    const item = fc.oneof(
      fc.nat(60),
      fc.maxSafeNat(),
      fc.integer(),
      fc.string(),
      fc.uint8Array(),
      fc.array(fc.nat()),
    );
    let taken = 0;
    fc.assert(
      fc.property(fc.nat(50), fc.array(item, { maxLength: 38 }), (opcode, items) => {
        if (attack(pack([opcode, ...items] as WireValue))) taken++;
      }),
      { seed: SEED, numRuns: 3000 },
    );
    expect(taken).toBeGreaterThan(30);
  });

  test('damaged messages never throw, and an accepted one encodes to the same bytes', () => {
    const damage = fc.record({
      payload: fc.constantFrom(...payloads),
      at: fc.nat(),
      remove: fc.nat(3),
      insert: fc.uint8Array({ maxLength: 3 }),
    });
    let taken = 0;
    fc.assert(
      fc.property(damage, ({ payload, at, remove, insert }) => {
        const place = at % payload.length;
        const changed = [...payload.subarray(0, place), ...insert, ...payload.subarray(place + remove)];
        if (attack(Uint8Array.from(changed))) taken++;
      }),
      { seed: SEED, numRuns: 5000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});

test('a message of the other direction is unknown', () => {
  expect(decodeToHost(encodeEvent('credit', 0, { runId: 1, blocks: 2, released: 0 }))).toMatchObject({
    kind: 'bad',
    reason: 'unknown opcode',
  });
  const refusal = encodeEvent('refusal', 3, { reason: 0, opcode: 1, state: 2, detail: '' });
  expect(decodeToDevice(refusal)).toMatchObject({
    kind: 'bad',
    reason: 'unknown opcode',
    opcode: 7,
    requestId: 3,
  });
});

test('opcode and request id are returned if they can be read, so the sender can be answered', () => {
  expect(decodeToDevice(pack([1, 77]))).toEqual({
    kind: 'bad',
    reason: 'field token of ping',
    opcode: 1,
    requestId: 77,
  });
  expect(decodeToDevice(pack([100, 77]))).toEqual({
    kind: 'bad',
    reason: 'unknown opcode',
    opcode: 100,
    requestId: 77,
  });
  expect(decodeToDevice(pack([1]))).toEqual({ kind: 'bad', reason: 'no request id', opcode: 1 });
  expect(decodeToDevice(pack(['ping', 5]))).toEqual({ kind: 'bad', reason: 'no opcode' });
});

test('decoded bytes are those of the payload at any place in its buffer', () => {
  const payload = encodeCommand('writeDrive', 5, { bank: 1, firstCell: 3, codes: Uint8Array.of(1, 2, 3, 4) });
  const shifted = new Uint8Array(payload.length + 9);
  shifted.set(payload, 3);
  const decoded = decodeToDevice(shifted.subarray(3, 3 + payload.length));
  expect(decoded).toMatchObject({ name: 'writeDrive', fields: { codes: Uint8Array.of(1, 2, 3, 4) } });
});
