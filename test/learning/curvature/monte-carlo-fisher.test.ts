import { describe, expect, it } from 'vitest';
import { gaussNewtonFactor } from '../../../src/learning/curvature/gauss-newton.js';
import { monteCarloFactor } from '../../../src/learning/curvature/monte-carlo-fisher.js';
import { createConvolutionClassifier } from '../../../src/learning/network/convolution-classifier.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import { train } from '../../../src/learning/trainer.js';
import { formDense, matVec } from '../../../src/linalg/products.js';
import { thrown } from '../../cli/support/thrown.js';
import { barsDataset, noiseExamples, noiseVector } from '../../support/network-examples.js';

const NETWORKS = [
  createMlp({ inputCount: 6, hidden: [5], classes: 3 }),
  createConvolutionClassifier({
    ...{ rows: 6, columns: 6, classes: 3, channels: 2, kernel: 3, stride: 1 },
  }),
];
const SEED = 5;

describe.each(NETWORKS)('the Monte-Carlo factor of $name', (network) => {
  const parameters = network
    .init(1)
    .map((value, i) => value + noiseVector(network.parameterCount, 11, 0.1)[i]);
  const examples = noiseExamples(4, network.inputCount, network.outputCount, 12);
  const factors = network.perExampleFactors(parameters, examples);
  const factorAt = (step: number) =>
    monteCarloFactor(network.layers, network.parameterCount, factors, { seed: SEED, step });

  it('has the Gauss–Newton matrix as its mean', () => {
    const direction = noiseVector(network.parameterCount, 13);
    const exact = matVec(gaussNewtonFactor(network, parameters, examples), direction);
    const expected = exact.reduce((sum, value) => sum + value * value, 0);
    const draws = 4000;
    let [sum, squares] = [0, 0];
    for (let step = 0; step < draws; step++) {
      const image = matVec(factorAt(step), direction);
      const value = image.reduce((total, entry) => total + entry * entry, 0);
      sum += value;
      squares += value * value;
    }
    const mean = sum / draws;
    const error = Math.sqrt((squares / draws - mean ** 2) / draws);
    // A correct factor exceeds five standard errors once in 1.7 million tests. Derivatives in float32 add a
    // small error.
    expect(Math.abs(mean - expected)).toBeLessThan(5 * error + 1e-5 * expected);
    expect(error / expected).toBeLessThan(0.03);
  });

  it('has a row for each example, which is a gradient for some label, over √b', () => {
    const factor = factorAt(7);
    expect([factor.rows, factor.columns]).toEqual([4, network.parameterCount]);
    for (let e = 0; e < 4; e++) {
      const inputs = examples.inputs.subarray(e * network.inputCount, (e + 1) * network.inputCount);
      const row = factor.data.subarray(e * factor.columns, (e + 1) * factor.columns);
      const errors = [0, 1, 2].map((label) => {
        const one = { count: 1, inputs, labels: Uint8Array.of(label) };
        const { gradient } = network.lossAndGradient(parameters, one);
        return Math.max(...row.map((value, i) => Math.abs(2 * value - gradient[i])));
      });
      expect(Math.min(...errors)).toBeLessThan(1e-5);
    }
  });

  it('is a pure function of seed and step', () => {
    expect(factorAt(3)).toEqual(factorAt(3));
    const others = [4, 5, 6, 7].map((step) => formDense(factorAt(step), 0).data);
    expect(others.some((data) => data.some((value, i) => value !== others[0][i]))).toBe(true);
  });
});

describe('a training with the Monte-Carlo factor', () => {
  const network = createMlp({ inputCount: 64, hidden: [4], classes: 3 });
  const shared = {
    network,
    data: barsDataset(160, 30),
    epochs: 2,
    batch: 16,
    curvatureExamples: 16,
    seed: 3,
  };

  it('learns, and its settings tell how the curvature was estimated', async () => {
    const optimizer = createOptimizer('ngd', { rate: 0.3 });
    const { summary } = await train({ ...shared, optimizer, curvature: 'monte-carlo' });
    expect(summary.testAccuracy).toBeGreaterThan(0.9);
    expect(summary.settings['curvature']).toBe('monte-carlo');
    const plain = await train({ ...shared, optimizer });
    expect(plain.summary.settings).not.toHaveProperty('curvature');
  });

  it('refuses an unknown estimate', async () => {
    const asked = { ...shared, optimizer: createOptimizer('ngd'), curvature: 'exact' as never };
    expect((await thrown(() => train(asked))).code).toBe('BAD_ARGUMENT');
  });
});
