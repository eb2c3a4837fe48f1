import { describe, expect, it } from 'vitest';
import { gaussNewtonFactor } from '../../../src/learning/curvature/gauss-newton.js';
import { layerCurvatures } from '../../../src/learning/curvature/layer-curvatures.js';
import type { Network } from '../../../src/learning/network/contract.js';
import { createConvolutionClassifier } from '../../../src/learning/network/convolution-classifier.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import type { LayerPlace } from '../../../src/learning/problem/contract.js';
import { formDense, gramOfColumns } from '../../../src/linalg/products.js';
import { noiseExamples, noiseVector } from '../../support/network-examples.js';

/** Tolerance for derivatives in float32. */
const TOLERANCE = 1e-5;

function curvaturesOf(network: Network, count: number) {
  const noise = noiseVector(network.parameterCount, 11, 0.1);
  const parameters = network.init(1).map((value, i) => value + noise[i]);
  const examples = noiseExamples(count, network.inputCount, network.outputCount, 12);
  const factors = network.perExampleFactors(parameters, examples);
  const curvatures = layerCurvatures(network.layers, factors).map((curvature, l) => ({
    ...{ layer: network.layers[l], a: gramOfColumns(curvature.inputs), b: gramOfColumns(curvature.outputs) },
  }));
  return { parameters, examples, factors, curvatures };
}

/** The index of the parameter from input i to output o. The last i stands for the bias. */
const place = (layer: LayerPlace, o: number, i: number): number =>
  i === layer.inputs ? layer.biasOffset + o : layer.weightOffset + o * layer.inputs + i;

describe('the curvature of layers', () => {
  it('is the block of the Gauss–Newton matrix for a single example', () => {
    const network = createMlp({ inputCount: 6, hidden: [5, 4], classes: 3 });
    const { parameters, examples, curvatures } = curvaturesOf(network, 1);
    const whole = formDense(gaussNewtonFactor(network, parameters, examples), 0);
    const largest = Math.max(...whole.data);
    for (const { layer, a, b } of curvatures) {
      const { inputs, outputs } = layer;
      for (let o = 0; o < outputs; o++)
        for (let i = 0; i <= inputs; i++)
          for (let p = 0; p < outputs; p++)
            for (let j = 0; j <= inputs; j++) {
              const product = b.data[o * outputs + p] * a.data[i * (inputs + 1) + j];
              const entry = whole.data[place(layer, o, i) * whole.columns + place(layer, p, j)];
              expect(Math.abs(product - entry) / largest).toBeLessThan(TOLERANCE);
            }
    }
  });

  it('is by definition a sum over examples and positions, with the exact mean over the model’s labels', () => {
    const network = createConvolutionClassifier({
      ...{ rows: 6, columns: 6, classes: 3, channels: 2, kernel: 3, stride: 1 },
    });
    const count = 4;
    const { factors, curvatures } = curvaturesOf(network, count);
    curvatures.forEach(({ layer, ...found }, l) => {
      const { positions } = network.layers[l];
      const { activations, deltas } = factors.layers[l];
      const width = layer.inputs + 1;
      const a = new Float64Array(width * width);
      const b = new Float64Array(layer.outputs ** 2);
      for (let e = 0; e < count; e++)
        for (let t = 0; t < positions; t++) {
          const at = e * positions + t;
          const read = [...activations.subarray(at * layer.inputs, (at + 1) * layer.inputs), 1];
          for (let i = 0; i < width; i++)
            for (let j = 0; j < width; j++) a[i * width + j] += (read[i] * read[j]) / count;
          // The mean over y ~ p of δδᵀ with δ = Δ(p − e_y), label by label.
          for (let y = 0; y < 3; y++) {
            const p = (k: number): number => factors.probabilities[e * 3 + k];
            const delta = Array.from({ length: layer.outputs }, (_, o) =>
              [0, 1, 2].reduce(
                (sum, k) => sum + deltas[(at * layer.outputs + o) * 3 + k] * (p(k) - (k === y ? 1 : 0)),
                0,
              ),
            );
            for (let o = 0; o < layer.outputs; o++)
              for (let q = 0; q < layer.outputs; q++)
                b[o * layer.outputs + q] += (p(y) * delta[o] * delta[q]) / (count * positions);
          }
        }
      for (const [i, value] of found.a.data.entries()) expect(value).toBeCloseTo(a[i], 5);
      for (const [i, value] of found.b.data.entries()) expect(value).toBeCloseTo(b[i], 5);
    });
  });
});
