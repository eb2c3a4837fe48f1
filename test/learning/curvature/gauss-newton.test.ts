import { describe, expect, it } from 'vitest';
import { factorOf, factorRoom, gaussNewtonFactor } from '../../../src/learning/curvature/gauss-newton.js';
import type { Examples, Network } from '../../../src/learning/network/contract.js';
import { createConvolutionClassifier } from '../../../src/learning/network/convolution-classifier.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import { formDense, matVec } from '../../../src/linalg/products.js';
import { noiseExamples, noiseVector } from '../../support/network-examples.js';
import {
  derivatives,
  imageOf,
  referenceOutputs,
  referenceProbabilities,
} from '../../support/network-reference.js';

/** Tolerance for a sum of a few hundred float32 derivatives. */
const FLOAT32_TOLERANCE = 2e-5;

function perturbed(network: Network): Float64Array {
  const noise = noiseVector(network.parameterCount, 11, 0.1);
  return network.init(1).map((value, i) => value + noise[i]);
}

/** (1/b) Σ_e J_eᵀ(diag(p) − ppᵀ)J_e, entry by entry as it is defined, from finite differences in float64. */
function gaussNewtonByDefinition(network: Network, parameters: Float64Array, examples: Examples): number[][] {
  const n = network.parameterCount;
  const g = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let e = 0; e < examples.count; e++) {
    const image = imageOf(examples, e);
    const p = referenceProbabilities(referenceOutputs(network, parameters, image));
    const j = derivatives((q) => referenceOutputs(network, q, image), parameters);
    for (let r = 0; r < n; r++)
      for (let s = 0; s < n; s++)
        for (let k = 0; k < p.length; k++)
          for (let l = 0; l < p.length; l++)
            g[r][s] += (j[r][k] * ((k === l ? p[k] : 0) - p[k] * p[l]) * j[s][l]) / examples.count;
  }
  return g;
}

const SMALL: Record<string, Network> = {
  'multilayer perceptron': createMlp({ inputCount: 6, hidden: [5], classes: 3 }),
  'convolution classifier': createConvolutionClassifier({
    rows: 6,
    columns: 6,
    classes: 3,
    channels: 2,
    kernel: 3,
    stride: 1,
  }),
};

describe.each(Object.entries(SMALL))('Gauss–Newton factor of a small %s', (_, network) => {
  it('has a KᵀK that equals the matrix of the definition', () => {
    const parameters = perturbed(network);
    const examples = noiseExamples(4, network.inputCount, network.outputCount, 12);
    const factor = gaussNewtonFactor(network, parameters, examples);
    expect([factor.rows, factor.columns]).toEqual([4 * network.outputCount, network.parameterCount]);
    const dense = formDense(factor, 0);
    const expected = gaussNewtonByDefinition(network, parameters, examples).flat();
    const largest = expected.reduce((max, value, i) => Math.max(max, Math.abs(value - dense.data[i])), 0);
    expect(largest).toBeLessThan(FLOAT32_TOLERANCE);
    expect(Math.max(...expected)).toBeGreaterThan(0.01);
  });
});

describe('Gauss–Newton factor of the default convolution classifier', () => {
  const network = createConvolutionClassifier({ rows: 28, columns: 28, classes: 10 });
  const parameters = perturbed(network);
  const examples = noiseExamples(3, network.inputCount, network.outputCount, 13);
  const factor = gaussNewtonFactor(network, parameters, examples);

  it('is the true Fisher: the second moment of the gradient over labels drawn from the network', () => {
    const probabilities = network.predict(parameters, examples.inputs);
    for (const seed of [14, 15, 16]) {
      const v = noiseVector(network.parameterCount, seed);
      let expected = 0;
      for (let e = 0; e < examples.count; e++)
        for (let y = 0; y < network.outputCount; y++) {
          const single = { count: 1, inputs: imageOf(examples, e), labels: Uint8Array.of(y) };
          const { gradient } = network.lossAndGradient(parameters, single);
          const slope = gradient.reduce((sum, g, i) => sum + g * v[i], 0);
          expected += (probabilities[e * network.outputCount + y] * slope ** 2) / examples.count;
        }
      const found = matVec(factor, v).reduce((sum, value) => sum + value * value, 0);
      expect(found / expected).toBeCloseTo(1, 4);
    }
  });

  it('has rows for which a shift of all outputs gives zero: Σ_i √p_i · row i = 0', () => {
    const probabilities = network.predict(parameters, examples.inputs);
    for (let e = 0; e < examples.count; e++) {
      const sum = new Float64Array(network.parameterCount);
      for (let i = 0; i < network.outputCount; i++) {
        const row = (e * network.outputCount + i) * network.parameterCount;
        const root = Math.sqrt(probabilities[e * network.outputCount + i]);
        for (let j = 0; j < sum.length; j++) sum[j] += root * factor.data[row + j];
      }
      expect(Math.max(...sum.map(Math.abs))).toBeLessThan(1e-12);
    }
  });
});

describe.each(Object.entries(SMALL))('Rows of the Gauss–Newton factor of a small %s', (_, network) => {
  const parameters = perturbed(network);
  const outputs = network.outputCount;

  it('depend on no other example, up to the factor 1/√b', () => {
    const examples = noiseExamples(4, network.inputCount, outputs, 17);
    const together = network.perExampleFactors(parameters, examples);
    for (let e = 0; e < examples.count; e++) {
      const labels = examples.labels.slice(e, e + 1);
      const alone = network.perExampleFactors(parameters, { count: 1, inputs: imageOf(examples, e), labels });
      for (const [l, layer] of alone.layers.entries())
        for (const part of ['activations', 'deltas'] as const) {
          const { length } = layer[part];
          expect(layer[part]).toEqual(together.layers[l][part].slice(e * length, (e + 1) * length));
        }
    }
  });

  it('are the same in an array that held other numbers', () => {
    const examples = noiseExamples(4, network.inputCount, outputs, 18);
    const fresh = gaussNewtonFactor(network, parameters, examples);
    const room = factorRoom(network, 4);
    room.matrix.data.fill(Number.NaN);
    expect(gaussNewtonFactor(network, parameters, examples, room)).toBe(room.matrix);
    expect(room.matrix.data).toEqual(fresh.data);
    // The arrays of these factors are used again for other examples, and then again for the first examples.
    gaussNewtonFactor(network, parameters, noiseExamples(4, network.inputCount, outputs, 19), room);
    expect(room.matrix.data).not.toEqual(fresh.data);
    const { factors } = room;
    gaussNewtonFactor(network, parameters, examples, room);
    expect(room.matrix.data).toEqual(fresh.data);
    expect(room.factors?.layers[0].deltas).toBe(factors?.layers[0].deltas);
  });

  it('are not written to an array of another shape', () => {
    const examples = noiseExamples(4, network.inputCount, outputs, 18);
    expect(() => gaussNewtonFactor(network, parameters, examples, factorRoom(network, 3))).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    );
  });
});

describe('factorOf', () => {
  it('is the closed form √(p_i/b)(e_i − p)_k x_j of softmax regression', () => {
    const [count, outputs, inputs] = [2, 3, 2];
    const probabilities = Float64Array.of(0.5, 0.25, 0.25, 0.9, 0.1, 0);
    const x = Float32Array.of(1, 2, -1, 0.5);
    const deltas = new Float32Array(count * outputs * outputs);
    for (let e = 0; e < count; e++)
      for (let k = 0; k < outputs; k++) deltas[(e * outputs + k) * outputs + k] = 1;
    const layer = { name: 'dense1', outputs, inputs, positions: 1, weightOffset: 0, biasOffset: 6 };
    const factor = factorOf([layer], 9, {
      count,
      outputs,
      probabilities,
      layers: [{ activations: x, deltas }],
    });
    for (let e = 0; e < count; e++)
      for (let i = 0; i < outputs; i++)
        for (let k = 0; k < outputs; k++) {
          const p = probabilities.subarray(e * outputs, (e + 1) * outputs);
          const root = Math.sqrt(p[i] / count) * ((i === k ? 1 : 0) - p[k]);
          const row = (e * outputs + i) * 9;
          expect(factor.data[row + 6 + k]).toBeCloseTo(root, 14);
          for (let j = 0; j < inputs; j++)
            expect(factor.data[row + k * inputs + j]).toBeCloseTo(root * x[e * inputs + j], 14);
        }
  });
});
