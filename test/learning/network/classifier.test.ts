import { numpy as np, vjp } from '@jax-js/jax';
import { describe, expect, it, vi } from 'vitest';
import type { Examples, Network } from '../../../src/learning/network/contract.js';
import { createConvolutionClassifier } from '../../../src/learning/network/convolution-classifier.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import { noiseExamples, noiseVector } from '../../support/network-examples.js';
import {
  derivatives,
  imageOf,
  jacobianRow,
  referenceLoss,
  referenceOutputs,
  referenceProbabilities,
} from '../../support/network-reference.js';

const NETWORKS: Record<string, Network> = {
  'softmax regression': createMlp({ inputCount: 12, hidden: [], classes: 4 }),
  'multilayer perceptron': createMlp({ inputCount: 12, hidden: [7, 5], classes: 4 }),
  'convolution, pooled': createConvolutionClassifier({
    rows: 8,
    columns: 8,
    classes: 3,
    channels: 4,
    kernel: 3,
  }),
  'convolution, not pooled, with a hidden layer': createConvolutionClassifier({
    rows: 6,
    columns: 7,
    classes: 3,
    channels: 3,
    kernel: 3,
    stride: 1,
    pool: 1,
    hidden: [5],
  }),
  'convolution with rows left over by stride and pooling': createConvolutionClassifier({
    rows: 9,
    columns: 11,
    classes: 3,
    channels: 2,
    kernel: 4,
    stride: 2,
    pool: 2,
  }),
};

/** float32 has 24 bits, and a few hundred additions lose some of them. */
const FLOAT32_TOLERANCE = 2e-5;

function setUp(network: Network, count = 6): { parameters: Float64Array; examples: Examples } {
  const noise = noiseVector(network.parameterCount, 2, 0.1);
  return {
    parameters: network.init(1).map((value, i) => value + noise[i]),
    examples: noiseExamples(count, network.inputCount, network.outputCount, 3),
  };
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

describe.each(Object.entries(NETWORKS))('%s', (_, network) => {
  const { parameters, examples } = setUp(network);

  it('gives the probabilities of the definition in float64', () => {
    const predicted = network.predict(parameters, examples.inputs);
    for (let e = 0; e < examples.count; e++) {
      const expected = referenceProbabilities(referenceOutputs(network, parameters, imageOf(examples, e)));
      const found = predicted.slice(e * network.outputCount, (e + 1) * network.outputCount);
      expect(largestDifference(found, expected)).toBeLessThan(FLOAT32_TOLERANCE);
    }
  });

  it('gives the loss and, against finite differences in float64, the gradient', () => {
    const { loss, gradient } = network.lossAndGradient(parameters, examples);
    expect(loss).toBeCloseTo(referenceLoss(network, parameters, examples), 5);
    const expected = derivatives((p) => [referenceLoss(network, p, examples)], parameters).flat();
    expect(largestDifference(gradient, expected)).toBeLessThan(FLOAT32_TOLERANCE);
  });

  it('gives factors whose products are the Jacobian of the outputs', () => {
    const factors = network.perExampleFactors(parameters, examples);
    for (let e = 0; e < examples.count; e++) {
      const expected = derivatives((p) => referenceOutputs(network, p, imageOf(examples, e)), parameters);
      for (let k = 0; k < network.outputCount; k++) {
        const row = jacobianRow(network, factors, e, k);
        expect(
          largestDifference(
            row,
            expected.map((d) => d[k]),
          ),
        ).toBeLessThan(FLOAT32_TOLERANCE);
      }
    }
    expect(largestDifference(factors.probabilities, network.predict(parameters, examples.inputs))).toBe(0);
  });

  it('counts in evaluate and in lossAndGradient the correct answers of predict', () => {
    const evaluation = network.evaluate(parameters, examples);
    const predicted = network.predict(parameters, examples.inputs);
    const correct = Array.from(examples.labels).filter((label, e) => {
      const p = predicted.subarray(e * network.outputCount, (e + 1) * network.outputCount);
      return p.indexOf(Math.max(...p)) === label;
    }).length;
    const { loss, correct: correctInBatch } = network.lossAndGradient(parameters, examples);
    expect(evaluation).toEqual({ loss, correct, accuracy: correct / examples.count });
    expect(correctInBatch).toBe(correct);
  });

  it('gives the same bits twice and leaves its arguments alone', () => {
    const before = { parameters: parameters.slice(), inputs: examples.inputs.slice() };
    const first = network.lossAndGradient(parameters, examples);
    network.perExampleFactors(parameters, examples);
    expect(network.lossAndGradient(parameters, examples)).toEqual(first);
    expect({ parameters, inputs: examples.inputs }).toEqual(before);
  });
});

describe('evaluation', () => {
  const network = NETWORKS['multilayer perceptron'];

  it('of many examples is the mean over its parts, whatever the internal chunks', () => {
    const { parameters, examples } = setUp(network, 1203);
    const whole = network.evaluate(parameters, examples);
    const cut = 401;
    const parts = [0, 1, 2].map((part) =>
      network.evaluate(parameters, {
        count: cut,
        inputs: examples.inputs.subarray(
          part * cut * network.inputCount,
          (part + 1) * cut * network.inputCount,
        ),
        labels: examples.labels.subarray(part * cut, (part + 1) * cut),
      }),
    );
    expect(whole.correct).toBe(parts.reduce((sum, { correct }) => sum + correct, 0));
    expect(whole.loss).toBeCloseTo(parts.reduce((sum, { loss }) => sum + loss, 0) / 3, 6);
  });

  it('of parameters of zero gives ln(classes)', () => {
    const { examples } = setUp(network);
    const nothing = new Float64Array(network.parameterCount);
    expect(network.evaluate(nothing, examples).loss).toBeCloseTo(Math.log(4), 12);
  });

  it('stays finite for outputs in the thousands, with gradients', () => {
    const { parameters, examples } = setUp(network);
    const huge = parameters.map((value) => 1e4 * value);
    const { loss, gradient } = network.lossAndGradient(huge, examples);
    expect(loss).toBeGreaterThan(100);
    expect(Number.isFinite(loss)).toBe(true);
    expect(gradient.every(Number.isFinite)).toBe(true);
  });

  it('is not finite for parameters that are not finite', () => {
    const { parameters, examples } = setUp(network);
    parameters[0] = Number.NaN;
    expect(network.lossAndGradient(parameters, examples).loss).toBeNaN();
  });
});

describe('architecture', () => {
  it.each([
    [15, 7750],
    [8, 4138],
  ])('with %i channels has %i parameters on 28 × 28 images of 10 classes', (channels, parameterCount) => {
    const network = createConvolutionClassifier({ rows: 28, columns: 28, classes: 10, channels });
    expect(network.parameterCount).toBe(parameterCount);
    expect(network.init(0)).toHaveLength(parameterCount);
  });

  it('stores the layers one after the other, weights before biases', () => {
    const { layers, parameterCount } = createMlp({ inputCount: 12, hidden: [7, 5], classes: 4 });
    let offset = 0;
    for (const { inputs, outputs, weightOffset, biasOffset } of layers) {
      expect(weightOffset).toBe(offset);
      expect(biasOffset).toBe(weightOffset + inputs * outputs);
      offset = biasOffset + outputs;
    }
    expect(offset).toBe(parameterCount);
  });

  it('refuses a geometry that leaves no pixel', () => {
    expect(() => createConvolutionClassifier({ rows: 2, columns: 2, classes: 2, pool: 4 })).toThrow(
      expect.objectContaining({ code: 'BAD_ARGUMENT' }),
    );
  });

  it('starts from parameters that only the seed decides, with variance 1/inputs and no bias', () => {
    const network = createConvolutionClassifier({ rows: 28, columns: 28, classes: 10 });
    const parameters = network.init(5);
    expect(network.init(5)).toEqual(parameters);
    expect(network.init(6)).not.toEqual(parameters);
    const { inputs, weightOffset, biasOffset } = network.layers[1];
    const weights = parameters.subarray(weightOffset, biasOffset);
    const variance = weights.reduce((sum, w) => sum + w * w, 0) / weights.length;
    // The variance of n uniform numbers has the relative standard deviation √(0.8/n). The limit is five
    // standard deviations, which gives a false alarm with probability 6e-7.
    expect(Math.abs(variance * inputs - 1)).toBeLessThan(5 * Math.sqrt(0.8 / weights.length));
    expect(parameters.subarray(biasOffset).every((b) => b === 0)).toBe(true);
  });
});

/** The types of Node do not contain WebAssembly. */
const { WebAssembly: wasm } = globalThis as unknown as {
  WebAssembly: { Memory: { prototype: { grow(pages: number): number } } };
};

describe('memory', () => {
  const network = createConvolutionClassifier({ rows: 16, columns: 16, classes: 3, channels: 8 });
  const { parameters, examples } = setUp(network, 64);
  const curvature = setUp(network, 8).examples;

  async function steps(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      network.lossAndGradient(parameters, examples);
      network.perExampleFactors(parameters, curvature);
      network.evaluate(parameters, examples);
      await new Promise(setImmediate);
    }
  }

  it('of the autodiff library’s arrays does not grow once the first steps are done', async () => {
    await steps(5);
    // The library reuses freed memory for arrays of the same size. If one array leaks in each step, the
    // memory grows, even if the array is as small as the pooled channels (32 kB).
    const grow = vi.spyOn(wasm.Memory.prototype, 'grow');
    await steps(30);
    expect(grow).not.toHaveBeenCalled();
    grow.mockRestore();
  });

  it('of the autodiff library’s caches does not grow with the steps', async () => {
    const plainSet = Map.prototype.set;
    let cached = 0;
    Map.prototype.set = function (key: unknown, value: unknown) {
      if ((key as object | undefined)?.constructor?.name === 'Jaxpr') cached++;
      return plainSet.call(this, key, value);
    };
    try {
      await steps(3);
      cached = 0;
      await steps(3);
      expect(cached).toBe(0);
      // The count can grow: a call of `vjp`, which the network does not use, adds to the cache.
      const [y, pullback] = vjp((x: np.Array) => np.tanh(x), [np.ones([2])]);
      for (const gradient of pullback(y)) gradient.dispose();
      pullback.dispose();
      expect(cached).toBeGreaterThan(0);
    } finally {
      Map.prototype.set = plainSet;
    }
  });
});
