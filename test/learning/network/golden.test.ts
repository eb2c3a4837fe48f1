import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createConvolutionClassifier } from '../../../src/learning/network/convolution-classifier.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
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

const [mlp, convolution]: Golden[] = JSON.parse(
  readFileSync(new URL('golden.json', import.meta.url), 'utf8'),
);
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

function expectNear(found: ArrayLike<number>, expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  const largest = Math.max(...expected.map((value, i) => Math.abs(value - found[i])));
  expect(largest).toBeLessThan(TOLERANCE);
}

describe.each(CASES.map(([golden, network]) => [golden.name, golden, network] as const))(
  'an independent program and our %s',
  (_, golden, network) => {
    const { parameterCount, inputCount, outputCount } = network;
    const parameters = Float64Array.from({ length: parameterCount }, (_, i) => 0.5 * Math.sin(1.3 * i + 0.4));
    const examples = {
      count: EXAMPLES,
      inputs: Float32Array.from({ length: EXAMPLES * inputCount }, (_, i) => Math.sin(0.7 * i + 0.2)),
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
