import { beforeAll, describe, expect, test } from 'vitest';
import { NO_ROW_ELEMENT } from '../../firmware-protocol/limits.js';
import type { Field } from '../../firmware-protocol/message-table.js';
import {
  directedRow,
  FRAME_VECTORS,
  type FrameVector,
  fromHex,
  MESSAGE_VECTORS,
  type MessageVector,
  toHex,
} from '../support/protocol-vectors.js';
import { make, missingTools, runOnLines, SANITIZED } from './build.js';

const missing = missingTools();

const hex = (text: string): string => (text === '' ? '-' : text);

function frameWords({ channel, session, flags, seq, ack, payload }: FrameVector): string {
  return `${channel} ${session} ${flags} ${seq} ${ack} ${hex(payload)}`;
}

/** The form of a field that tools/vectors.c prints and reads: bytes and text are x and hexadecimal digits. */
function valueWord(field: Field, value: number | string): string {
  if (field.type === 'integer' || field.type === 'choice') return String(value);
  const digits = field.type === 'text' ? Buffer.from(value as string).toString('hex') : (value as string);
  return `x${hex(digits)}`;
}

function messageWords(vector: MessageVector): string {
  const { row, fields } = directedRow(vector.name, vector.direction);
  const values = fields.map((field) => ` ${valueWord(field, vector.fields[field.name])}`);
  return `${row.opcode} ${vector.requestId}${values.join('')}`;
}

function codeHex(codes: readonly number[], bytes: number): string {
  const view = bytes === 1 ? Int8Array.from(codes) : Int16Array.from(codes);
  return hex(toHex(new Uint8Array(view.buffer)));
}

describe.skipIf(missing !== undefined)(`the wire in C${missing ? ` (${missing})` : ''}`, () => {
  let program: string;

  beforeAll(() => {
    program = make('thermolink-vectors', ...SANITIZED);
  });

  /** Lines, each with an order and its expected output. */
  const check = (pairs: readonly (readonly [string, string])[]): void => {
    expect(pairs.length).toBeGreaterThan(0);
    expect(
      runOnLines(
        program,
        pairs.map(([order]) => order),
      ),
    ).toEqual(pairs.map(([, printed]) => printed));
  };

  test('encodes and decodes frames', () => {
    check(
      FRAME_VECTORS.frames.flatMap((vector) => [
        [`encode ${frameWords(vector)}`, vector.wire],
        [`stream 1024 ${vector.wire}`, `frame ${frameWords(vector)};`],
      ]),
    );
  });

  test('counts bad frames by their kind', () => {
    check(
      FRAME_VECTORS.bad.map(({ wire, fault, frameBytesMax }) => [
        `stream ${frameBytesMax} ${wire}`,
        `fault ${fault} ${fromHex(wire).length - 1};`,
      ]),
    );
  });

  test('decodes streams that are cut anywhere', () => {
    const item = (one: (typeof FRAME_VECTORS.streams)[number]['items'][number]): string =>
      'frame' in one
        ? `frame ${frameWords(FRAME_VECTORS.frames.find(({ name }) => name === one.frame)!)};`
        : `fault ${one.fault} ${one.bytes};`;
    check(
      FRAME_VECTORS.streams.map(({ frameBytesMax, chunks, items }) => [
        `stream ${frameBytesMax} ${chunks.map(hex).join(' ')}`,
        items.map(item).join(''),
      ]),
    );
  });

  test('encodes and decodes messages', () => {
    check(
      MESSAGE_VECTORS.messages.flatMap((vector) => [
        [`message ${vector.direction} ${messageWords(vector)}`, vector.payload],
        [`decode ${vector.direction} ${vector.payload}`, `ok ${messageWords(vector)}`],
      ]),
    );
  });

  test('decodes messages of a later minor version, and of an earlier one', () => {
    check(
      [...MESSAGE_VECTORS.laterMinor, ...MESSAGE_VECTORS.earlierVersion].map((vector) => [
        `decode ${vector.direction} ${vector.payload}`,
        `ok ${messageWords(vector)}`,
      ]),
    );
  });

  test('names every bad field', () => {
    check(
      MESSAGE_VECTORS.rejectedFields.map(({ name, direction, field, payload }) => {
        const { row, fields } = directedRow(name, direction);
        const place = fields.findIndex((one) => one.name === field);
        return [`decode ${direction} ${payload}`, `bad field ${row.opcode} 3 ${place}`];
      }),
    );
  });

  test('rejects bad payloads with their reason', () => {
    const lines = runOnLines(
      program,
      MESSAGE_VECTORS.rejectedPayloads.map(({ payload }) => `decode toDevice ${hex(payload)}`),
    );
    const printed = lines.map((line) => /^bad (\S+)/.exec(line)?.[1]);
    const expected = MESSAGE_VECTORS.rejectedPayloads.map(({ reason }) =>
      reason.replace('2⁵³', '2^53').replaceAll(' ', '-'),
    );
    expect(printed).toEqual(expected);
  });

  test('reads values and writes the same values again', () => {
    check(MESSAGE_VECTORS.values.map(({ payload }) => [`value ${payload}`, payload]));
  });

  test('computes the digests of programs', () => {
    check(
      MESSAGE_VECTORS.digests.map((vector) => {
        const { couplingBits, cells, rows, damping, noiseAmplitude, noiseShift } = vector;
        const { linearRows = NO_ROW_ELEMENT, rowTable, rowDrive } = vector;
        const codes = [
          codeHex(vector.couplings, couplingBits <= 8 ? 1 : 2),
          codeHex(vector.drive, 2),
          codeHex(vector.initialState, 2),
          ...(rowTable && rowDrive ? [codeHex(rowTable, 2), codeHex(rowDrive, 2)] : []),
        ];
        return [
          `digest ${couplingBits} ${cells} ${rows} ${linearRows} ${damping} ${noiseAmplitude} ${noiseShift} ${codes.join(' ')}`,
          `${vector.crc32} ${vector.crc32c}`,
        ];
      }),
    );
  });
});
