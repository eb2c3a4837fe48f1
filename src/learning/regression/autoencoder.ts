import { badArgument, checkObject, checkWhole } from '../../argument-checks.js';
import type { Dataset, ExampleSet } from '../data/dataset.js';
import { type Pairs, type Regression, type RegressionSettings, regression } from './regression.js';

/** Settings of an autoencoder. */
export interface AutoencoderSettings
  extends Pick<RegressionSettings, 'batch' | 'curvatureExamples' | 'draws'> {
  /** Widths of the hidden layers; the smallest one is the code. Default [16, 4, 16]. */
  readonly hidden?: readonly number[];
  /** Edge of the square of pixels whose mean is one input. Default 2. */
  readonly pool?: number;
  /** Number of training images, taken from the start of the set. Default all. */
  readonly trainSize?: number;
}

/** An autoencoder of images. Errors: those of `Problem`. */
export interface Autoencoder extends Regression {
  /** Height and width of the image that it reads and reproduces, in inputs. */
  readonly rows: number;
  readonly columns: number;
  /** The test images, as inputs and targets. */
  readonly testPairs: Pairs;
}

const HIDDEN_DEFAULT = [16, 4, 16];
const POOL_DEFAULT = 2;

/**
 * A deep autoencoder: a network with a narrow layer. It is trained to reproduce its input image, with squared
 * error (`regression`). With the defaults, 28 × 28 pixels make 6,632 parameters. Errors: BAD_ARGUMENT for
 * sizes that don't fit.
 */
export function autoencoder(data: Dataset, settings: AutoencoderSettings = {}): Autoencoder {
  checkObject('data', data, "loadDataset({ kind: 'mnist' })");
  const { hidden = HIDDEN_DEFAULT, pool = POOL_DEFAULT, trainSize = data.train.count, ...others } = settings;
  checkWhole('trainSize', trainSize, 1, data.train.count);
  checkWhole('pool', pool, 1);
  if (pool > Math.min(data.rows, data.columns))
    throw badArgument('pool', pool, `at most ${Math.min(data.rows, data.columns)}, the edge of an image`);
  const pairs = (set: ExampleSet, count: number): Pairs => {
    const inputs = pooled(set.inputs.subarray(0, count * data.rows * data.columns), data, pool);
    return { count, inputs, targets: inputs };
  };
  const testPairs = pairs(data.test, data.test.count);
  const problem = regression({
    train: pairs(data.train, trainSize),
    test: testPairs,
    hidden,
    ...others,
    source: { data: data.digest, pool, trainSize },
  });
  const [rows, columns] = [Math.floor(data.rows / pool), Math.floor(data.columns / pool)];
  return { ...problem, name: 'autoencoder', rows, columns, testPairs };
}

/** Means over squares of pixels; incomplete squares at the edge are dropped. */
function pooled(images: Float32Array, { rows, columns }: Dataset, pool: number): Float32Array {
  if (pool === 1) return images;
  const [height, width] = [Math.floor(rows / pool), Math.floor(columns / pool)];
  const count = images.length / (rows * columns);
  const means = new Float32Array(count * height * width);
  for (let image = 0; image < count; image++)
    for (let y = 0; y < height * pool; y++)
      for (let x = 0; x < width * pool; x++)
        means[(image * height + Math.floor(y / pool)) * width + Math.floor(x / pool)] +=
          images[(image * rows + y) * columns + x] / (pool * pool);
  return means;
}
