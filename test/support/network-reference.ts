import type { Examples, Network } from '../../src/learning/network/contract.js';

/**
 * The networks of src/learning/network in float64 by their definition: nested loops over pixels, tanh before
 * pooling, no matrices. It is slow, does not depend on the autodiff library, and is exact enough for finite
 * differences.
 */
export function referenceOutputs(
  network: Network,
  parameters: Float64Array,
  image: ArrayLike<number>,
): number[] {
  const settings = network.settings as Record<string, number>;
  let activation = Array.from(image);
  network.layers.forEach((layer, index) => {
    const weight = (o: number, i: number): number => parameters[layer.weightOffset + o * layer.inputs + i];
    const bias = (o: number): number => parameters[layer.biasOffset + o];
    if (layer.name === 'convolution') {
      activation = convolved(settings, activation, layer.outputs, weight, bias);
      return;
    }
    const z = Array.from({ length: layer.outputs }, (_, o) =>
      activation.reduce((sum, a, i) => sum + weight(o, i) * a, bias(o)),
    );
    activation = index + 1 < network.layers.length ? z.map(Math.tanh) : z;
  });
  return activation;
}

function convolved(
  { rows, columns, kernel, stride, padding, pool }: Record<string, number>,
  image: readonly number[],
  channels: number,
  weight: (o: number, i: number) => number,
  bias: (o: number) => number,
): number[] {
  const outRows = Math.floor((rows + 2 * padding - kernel) / stride) + 1;
  const outColumns = Math.floor((columns + 2 * padding - kernel) / stride) + 1;
  const out: number[] = [];
  for (let c = 0; c < channels; c++) {
    const unit = (r: number, s: number): number => {
      let z = bias(c);
      for (let i = 0; i < kernel; i++)
        for (let j = 0; j < kernel; j++) {
          const [row, column] = [r * stride + i - padding, s * stride + j - padding];
          if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
          z += weight(c, i * kernel + j) * image[row * columns + column];
        }
      return Math.tanh(z);
    };
    for (let r = 0; r + pool <= outRows; r += pool)
      for (let s = 0; s + pool <= outColumns; s += pool) {
        let largest = -Infinity;
        for (let i = 0; i < pool; i++)
          for (let j = 0; j < pool; j++) largest = Math.max(largest, unit(r + i, s + j));
        out.push(largest);
      }
  }
  return out;
}

export function referenceProbabilities(logits: readonly number[]): number[] {
  const exponentials = logits.map((z) => Math.exp(z - Math.max(...logits)));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((e) => e / sum);
}

export function imageOf(examples: Examples, example: number): Float32Array {
  const size = examples.inputs.length / examples.count;
  return examples.inputs.subarray(example * size, (example + 1) * size);
}

/** Mean cross-entropy over the examples, in nat. */
export function referenceLoss(network: Network, parameters: Float64Array, examples: Examples): number {
  let sum = 0;
  for (let e = 0; e < examples.count; e++) {
    const p = referenceProbabilities(referenceOutputs(network, parameters, imageOf(examples, e)));
    sum -= Math.log(p[examples.labels[e]]);
  }
  return sum / examples.count;
}

/** Central differences of a vector function of the parameters: result[i][j] = ∂f_j/∂θ_i, error O(10⁻⁹). */
export function derivatives(
  f: (parameters: Float64Array) => readonly number[],
  parameters: Float64Array,
): number[][] {
  const h = 1e-5;
  return Array.from(parameters, (value, i) => {
    const shifted = parameters.slice();
    shifted[i] = value + h;
    const up = f(shifted);
    shifted[i] = value - h;
    const down = f(shifted);
    return up.map((u, j) => (u - down[j]) / (2 * h));
  });
}

/** The derivative of output `k` of an example in all parameters, from the factors of a network. */
export function jacobianRow(
  network: Network,
  factors: ReturnType<Network['perExampleFactors']>,
  example: number,
  k: number,
): Float64Array {
  const row = new Float64Array(network.parameterCount);
  network.layers.forEach(({ inputs, outputs, positions, weightOffset, biasOffset }, l) => {
    const { activations, deltas } = factors.layers[l];
    for (let position = 0; position < positions; position++)
      for (let o = 0; o < outputs; o++) {
        const delta = deltas[((example * positions + position) * outputs + o) * network.outputCount + k];
        row[biasOffset + o] += delta;
        for (let i = 0; i < inputs; i++)
          row[weightOffset + o * inputs + i] +=
            delta * activations[(example * positions + position) * inputs + i];
      }
  });
  return row;
}
