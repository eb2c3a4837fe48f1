import type { Dataset, ExampleSet } from '../../src/learning/data/dataset.js';
import type { Examples } from '../../src/learning/network/contract.js';
import { randomSource } from '../../src/linalg/random.js';

/** A stream number for tests, far from the stream numbers of the program. */
const TEST_STREAM = 60_000;

export function testRandom(seed: number): ReturnType<typeof randomSource> {
  return randomSource({ seed, stream: TEST_STREAM });
}

/** Examples of uniform noise; every third image has a blank half, so that pooling windows with ties occur. */
export function noiseExamples(count: number, inputCount: number, classes: number, seed: number): Examples {
  const random = testRandom(seed);
  const inputs = Float32Array.from({ length: count * inputCount }, (_, i) => {
    const value = random.uniform();
    const blank = Math.floor(i / inputCount) % 3 === 2 && i % inputCount < inputCount / 2;
    return blank ? 0 : value;
  });
  const labels = Uint8Array.from({ length: count }, () => Math.floor(random.uniform() * classes));
  return { count, inputs, labels };
}

export function noiseVector(length: number, seed: number, scale = 1): Float64Array<ArrayBuffer> {
  const random = testRandom(seed);
  return Float64Array.from({ length }, () => scale * random.normal());
}

/** Three classes of 8 × 8 images: a bright bar in a place of its own, with noise. A few steps learn them. */
export function barsDataset(trainCount: number, testCount: number, seed = 1): Dataset {
  const [rows, columns, classes] = [8, 8, 3];
  const random = testRandom(seed);
  const make = (count: number): ExampleSet => {
    const labels = Uint8Array.from({ length: count }, () => Math.floor(random.uniform() * classes));
    const inputs = new Float32Array(count * rows * columns);
    for (let i = 0; i < inputs.length; i++) {
      const label = labels[Math.floor(i / (rows * columns))];
      const column = i % columns;
      inputs[i] = 0.6 * random.uniform() + (Math.floor(column / 3) === label ? 0.3 : 0);
    }
    return { count, inputs, labels };
  };
  return {
    name: 'bars',
    rows,
    columns,
    classes,
    train: make(trainCount),
    test: make(testCount),
    digest: `bars ${trainCount} ${testCount} ${seed}`,
  };
}
