import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSafetensors, type TensorFile, writeSafetensors } from '../../src/files/safetensors.js';

const directory = mkdtempSync(join(tmpdir(), 'thermolink-tensors-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'a.safetensors');

const CONTENT: TensorFile = {
  tensors: [
    { name: 'a.weight', shape: [2, 3], values: Float64Array.of(1, -2.5, 1e-300, -0, 5, 1 / 3) },
    { name: 'a.bias', shape: [2], values: Float64Array.of(7, 8) },
    { name: 'none', shape: [0, 4], values: new Float64Array(0) },
  ],
  metadata: { format: 'test', text: '“quotes” and \n lines' },
};

const BAD_FILE = expect.objectContaining({ code: 'BAD_FILE' });

/** A file that is made only by the description of the format. */
function made(header: object, data: Uint8Array): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

describe('a file of tensors', () => {
  it('reads back bit for bit, and its numbers begin at a multiple of eight', () => {
    writeSafetensors(file, CONTENT);
    expect(readSafetensors(file)).toEqual(CONTENT);
    expect(Object.is(readSafetensors(file).tensors[0].values[3], -0)).toBe(true);
    const bytes = readFileSync(file);
    expect((8 + Number(bytes.readBigUInt64LE(0))) % 8).toBe(0);
    expect(bytes.readDoubleLE(8 + Number(bytes.readBigUInt64LE(0)) + 8)).toBe(-2.5);
  });

  it('of float32 is read, in any order of its tensors', () => {
    const data = Buffer.alloc(12);
    for (const [i, value] of [0.5, -1, 2].entries()) data.writeFloatLE(value, 4 * i);
    const header = {
      second: { dtype: 'F32', shape: [1], data_offsets: [8, 12] },
      first: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    };
    writeFileSync(file, made(header, data));
    const { tensors, metadata } = readSafetensors(file);
    expect(tensors.map(({ name, values }) => [name, [...values]])).toEqual([
      ['second', [2]],
      ['first', [0.5, -1]],
    ]);
    expect(metadata).toEqual({});
  });

  it('that is cut anywhere is refused', () => {
    writeSafetensors(file, CONTENT);
    const whole = readFileSync(file);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      expect(() => readSafetensors(file), `${length} bytes`).toThrow(BAD_FILE);
    }
  });

  it('with a damaged byte is refused or has other content', () => {
    writeSafetensors(file, CONTENT);
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] ^= 0x11;
      writeFileSync(file, damaged);
      let read: TensorFile | undefined;
      try {
        read = readSafetensors(file);
      } catch (error) {
        expect(error).toMatchObject({ code: 'BAD_FILE' });
      }
      expect(read).not.toEqual(CONTENT);
    }
  });

  const entry = { dtype: 'F64', shape: [1], data_offsets: [0, 8] };
  it.each([
    ['overlapping tensors', { a: entry, b: { ...entry, data_offsets: [4, 12] } }, 12],
    ['a gap', { a: entry, b: { ...entry, data_offsets: [16, 24] } }, 24],
    ['bytes that belong to no tensor', { a: entry }, 16],
    ['a shape that does not fit', { a: { ...entry, shape: [2] } }, 8],
    ['a negative size', { a: { ...entry, shape: [-1] } }, 8],
    ['a huge product of sizes', { a: { ...entry, shape: [2 ** 40, 2 ** 40] } }, 8],
    ['another type of number', { a: { ...entry, dtype: 'BF16' } }, 8],
    ['metadata that is no text', { __metadata__: { a: 1 }, a: entry }, 8],
    ['an array in place of an entry', { a: [1] }, 8],
    ['a tensor with the name of a method of every object', { toString: 1 }, 0],
  ])('with %s is refused', (_, header, bytes) => {
    writeFileSync(file, made(header, new Uint8Array(bytes)));
    expect(() => readSafetensors(file)).toThrow(BAD_FILE);
  });

  it('that is missing is named', () => {
    expect(() => readSafetensors(join(directory, 'missing.safetensors'))).toThrow(
      expect.objectContaining({ code: 'BAD_FILE', message: expect.stringContaining('missing.safetensors') }),
    );
  });
});
