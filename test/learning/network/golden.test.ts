import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createConvolutionClassifier } from '../../../src/learning/network/convolution-classifier.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import { regression } from '../../../src/learning/regression/regression.js';
import { jacobianRow } from '../../support/network-reference.js';

/** One case of golden.json, made by golden.py, which shares no code with the sources. */
interface Golden {
  readonly name: string;
  readonly count: number;
  readonly probabilities: readonly number[];
  readonly loss: number;
  readonly gradient: readonly number[];
  readonly gaussNewtonTimesCosine: readonly number[];
}

/** The same of an autoencoder, which has outputs in place of probabilities. */
interface GoldenAutoencoder extends Pick<Golden, 'count' | 'loss' | 'gradient'> {
  readonly widths: readonly number[];
  readonly outputs: readonly number[];
}

const { classifiers, autoencoder } = JSON.parse(
  readFileSync(new URL('golden.json', import.meta.url), 'utf8'),
) as { classifiers: [Golden, Golden]; autoencoder: GoldenAutoencoder };
const [mlp, convolution] = classifiers;
const CASES = [
  [mlp, createMlp({ inputCount: 12, hidden: [7, 5], classes: 4 })],
  [
    convolution,
    createConvolutionClassifier({
      ...{ rows: 8, columns: 8, classes: 3 },
      ...{ channels: 2, kernel: 3, stride: 1, pool: 2, hidden: [5] },
    }),
  ],
] as const;

const EXAMPLES = 3;
/** The network computes in float32. */
const TOLERANCE = 2e-6;

const parametersOf = (count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => 0.5 * Math.sin(1.3 * i + 0.4));
const inputsOf = (width: number): Float32Array =>
  Float32Array.from({ length: EXAMPLES * width }, (_, i) => Math.sin(0.7 * i + 0.2));

function expectNear(found: ArrayLike<number>, expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  const largest = Math.max(...expected.map((value, i) => Math.abs(value - found[i])));
  expect(largest).toBeLessThan(TOLERANCE);
}

describe.each(CASES.map(([golden, network]) => [golden.name, golden, network] as const))(
  'an independent program and our %s',
  (_, golden, network) => {
    const { parameterCount, inputCount, outputCount } = network;
    const parameters = parametersOf(parameterCount);
    const examples = {
      count: EXAMPLES,
      inputs: inputsOf(inputCount),
      labels: Uint8Array.from({ length: EXAMPLES }, (_, i) => i % outputCount),
    };

    it('have the same probabilities, loss and gradient', () => {
      expect(parameterCount).toBe(golden.count);
      expectNear(network.predict(parameters, examples.inputs), golden.probabilities);
      const { loss, gradient } = network.lossAndGradient(parameters, examples);
      expectNear([loss], [golden.loss]);
      expectNear(gradient, golden.gradient);
    });

    it('have the same Gauss–Newton matrix, seen through a product', () => {
      const factors = network.perExampleFactors(parameters, examples);
      const found = new Float64Array(parameterCount);
      for (let e = 0; e < EXAMPLES; e++) {
        const rows = Array.from({ length: outputCount }, (_, k) => jacobianRow(network, factors, e, k));
        const p = factors.probabilities.subarray(e * outputCount, (e + 1) * outputCount);
        const along = rows.map((row) => row.reduce((sum, value, i) => sum + value * Math.cos(i), 0));
        const mean = along.reduce((sum, value, k) => sum + p[k] * value, 0);
        for (const [k, row] of rows.entries())
          for (const [i, value] of row.entries()) found[i] += (p[k] * (along[k] - mean) * value) / EXAMPLES;
      }
      expectNear(found, golden.gaussNewtonTimesCosine);
    });
  },
);

it('an independent program and our autoencoder have the same outputs, loss and gradient', async () => {
  const { widths, count, outputs, loss, gradient } = autoencoder;
  const inputs = inputsOf(widths[0]);
  const pairs = { count: EXAMPLES, inputs, targets: inputs };
  const problem = regression({ train: pairs, test: pairs, hidden: widths.slice(1, -1) });
  const parameters = parametersOf(problem.parameterCount);
  expect(problem.parameterCount).toBe(count);
  expectNear(problem.outputs(parameters, inputs, EXAMPLES), outputs);
  const point = { parameters, state: {}, step: 0, totalSteps: 1, seed: 1 };
  const first = await problem.evaluate(point).first;
  expectNear([first.loss], [loss]);
  expectNear(first.gradient, gradient);
});
