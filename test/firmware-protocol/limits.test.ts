import { expect, test } from 'vitest';
import { wireBytesMax } from '../../firmware-protocol/framing.js';
import * as limits from '../../firmware-protocol/limits.js';
import type { Field } from '../../firmware-protocol/message-table.js';
import { encodeByName } from '../support/codec-by-name.js';
import { type DirectedRow, directedRows } from '../support/protocol-vectors.js';

const SAFE = 2n ** 53n - 1n;

/** The value with the longest encoding of a field. Bulk data have `bulkBytes` bytes. */
function longest(field: Field, bulkBytes: number): unknown {
  switch (field.type) {
    case 'integer':
      return field.max;
    case 'choice':
      return Math.max(...Object.values(field.choices));
    case 'bytes':
      return new Uint8Array(Math.max(field.minBytes, Math.min(field.maxBytes, bulkBytes)));
    case 'text':
      return 'x'.repeat(field.maxBytes);
  }
}

function longestPayload({ row, direction, fields }: DirectedRow, bulkBytes: number) {
  const values = Object.fromEntries(fields.map((field) => [field.name, longest(field, bulkBytes)]));
  return encodeByName(row.name, direction, 2 ** 32 - 1, values).length;
}

test('HELLO, its answers, and stop fit a frame of the size that every implementation takes', () => {
  const before = directedRows().filter(({ row }) => row.channel === 'open' || row.channel === 'stop');
  expect(before.map(({ row }) => row.name)).toEqual(['hello', 'hello', 'stop', 'stop', 'helloRefused']);
  for (const entry of before)
    expect(longestPayload(entry, 0) + limits.FRAME_OVERHEAD_BYTES).toBeLessThanOrEqual(
      limits.FRAME_BYTES_BEFORE_HELLO,
    );
});

test('every message without bulk data fits that frame too, so that no session is too small to work', () => {
  for (const entry of directedRows())
    expect(longestPayload(entry, 64) + limits.FRAME_OVERHEAD_BYTES).toBeLessThanOrEqual(
      limits.FRAME_BYTES_BEFORE_HELLO,
    );
});

test('every row fits the longest array, with room for fields of a later minor version', () => {
  for (const { fields } of directedRows()) expect(2 + fields.length).toBeLessThan(limits.ARRAY_ITEMS_MAX);
});

test('every range is a range of safe integers that starts at zero or above', () => {
  for (const { row, fields } of directedRows()) {
    expect(row.opcode).toBeLessThanOrEqual(127);
    for (const field of fields) {
      if (field.type === 'integer') {
        expect(Number.isSafeInteger(field.min) && Number.isSafeInteger(field.max)).toBe(true);
        expect(field.min).toBeGreaterThanOrEqual(0);
        expect(field.max).toBeGreaterThanOrEqual(field.min);
      }
      if (field.type === 'choice')
        expect(Object.values(field.choices)).toEqual(Object.keys(field.choices).map((_, i) => i));
      if (field.type === 'text') expect(field.maxBytes).toBeLessThanOrEqual(limits.TEXT_BYTES_MAX);
      if (field.type === 'bytes') expect(field.maxBytes).toBeLessThanOrEqual(limits.FRAME_BYTES_MAX);
    }
  }
});

test('names are unique within a row, and among the rows of a direction', () => {
  for (const { fields } of directedRows())
    expect(new Set(fields.map(({ name }) => name)).size).toBe(fields.length);
  const keys = directedRows().map(({ row, direction }) => `${row.name} ${direction}`);
  expect(new Set(keys).size).toBe(keys.length);
});

test('all products and sums of one tick stay below 2⁵³, in exact arithmetic', () => {
  const coupling = BigInt(limits.COUPLING_MAX);
  const rail = BigInt(limits.ROW_RAIL);
  expect(BigInt(limits.RAIL_MAX)).toBe((5n * BigInt(limits.FULL_SCALE)) / 4n);
  expect(BigInt(limits.CELLS_MAX) * coupling * rail < SAFE).toBe(true);
  expect(BigInt(limits.ROW_SCALE_MAX) * coupling * rail < SAFE).toBe(true);
  expect(BigInt(limits.ROWS_MAX) * coupling * rail < SAFE).toBe(true);
  expect(BigInt(limits.DAMPING_MAX) * rail < SAFE).toBe(true);
  // The drift of a tick adds up the couplings, the damping and the drive.
  const drift =
    BigInt(limits.CELLS_MAX) * coupling * rail + BigInt(limits.DAMPING_MAX) * rail + BigInt(limits.DRIVE_MAX);
  expect(drift < SAFE).toBe(true);
  expect(BigInt(limits.NOISE_CODE_MAX) * BigInt(limits.GAUSSIAN_MAX) < 2n ** 31n).toBe(true);
});

test('the sequence numbers distinguish old from new for every window', () => {
  expect(limits.WINDOW_MAX).toBeLessThan(65536 / 2);
  expect(limits.ANSWER_CACHE_MAX).toBeGreaterThanOrEqual(1);
  expect(limits.FRAME_OVERHEAD_BYTES).toBe(12);
  expect(wireBytesMax(limits.FRAME_BYTES_BEFORE_HELLO)).toBe(259);
});
