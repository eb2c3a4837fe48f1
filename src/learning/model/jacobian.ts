import type { AffineBlock, ForwardPass } from './network.js';

/**
 * The derivatives of every output with respect to every affine map's result, ∂output k / ∂(W a + b), per block
 * [example][k][position][output of the block]. One backward pass per example and output, O(P) each.
 *
 * The arithmetic is float32, in the order of the library that computes the forward pass: products are summed by ascending
 * index, tanh passes on cotangent · (1 − h²), and a pool with several largest values gives each an equal part.
 */
export function outputDerivatives(
  blocks: readonly AffineBlock[],
  parameters: Float64Array,
  pass: ForwardPass,
  count: number,
): Float32Array[] {
  const outputs = blocks[blocks.length - 1].outputs;
  const deltas = blocks.map((block) => new Float32Array(count * outputs * resultLength(block)));
  const weights = weightsOf(blocks, parameters);
  const cotangents = blocks.map(
    ({ outputs: rows, positions, poolSize }) => new Float32Array((rows * positions) / poolSize),
  );
  const slopes = pass.activations.map((activation) => new Float32Array(activation.length / count));
  for (let example = 0; example < count; example++) {
    const routes = blocks.map((block, l) => routesOf(block, pass.sums[l], example, count));
    for (const [l, slope] of slopes.entries()) fillSlopes(slope, pass.activations[l], example, count);
    for (let k = 0; k < outputs; k++) {
      const last = cotangents[blocks.length - 1].fill(0);
      last[k] = 1;
      for (let l = blocks.length - 1; l >= 0; l--) {
        const length = resultLength(blocks[l]);
        const start = (example * outputs + k) * length;
        const delta = deltas[l].subarray(start, start + length);
        follow(routes[l], cotangents[l], delta);
        if (l === 0) continue;
        transposedProduct(blocks[l], weights[l], delta, cotangents[l - 1]);
        multiply(cotangents[l - 1], slopes[l - 1]);
      }
    }
  }
  return deltas;
}

/** Numbers of one example in a block's result before pooling. */
function resultLength({ outputs, positions }: AffineBlock): number {
  return outputs * positions;
}

function weightsOf(blocks: readonly AffineBlock[], parameters: Float64Array): Float32Array[] {
  let offset = 0;
  return blocks.map(({ inputs, outputs }) => {
    const weights = Float32Array.from(parameters.subarray(offset, offset + inputs * outputs));
    offset += (inputs + 1) * outputs;
    return weights;
  });
}

/** How a cotangent after pooling, [output][pooled position], goes back to [position][output]: target += share · source. */
interface Routes {
  readonly sources: Uint32Array;
  readonly targets: Uint32Array;
  readonly shares: Float32Array;
  readonly length: number;
}

function routesOf(
  { outputs, positions, poolSize }: AffineBlock,
  sums: Float32Array,
  example: number,
  count: number,
): Routes {
  const sources = new Uint32Array(outputs * positions);
  const targets = new Uint32Array(outputs * positions);
  const shares = new Float32Array(outputs * positions);
  const pooled = positions / poolSize;
  let length = 0;
  for (let output = 0; output < outputs; output++)
    for (let position = 0; position < pooled; position++) {
      const first = (output * positions + position) * count + example;
      let largest = sums[first];
      for (let place = 1; place < poolSize; place++)
        largest = Math.max(largest, sums[first + place * pooled * count]);
      const begin = length;
      for (let place = 0; place < poolSize; place++) {
        if (sums[first + place * pooled * count] !== largest) continue;
        sources[length] = output * pooled + position;
        targets[length] = (place * pooled + position) * outputs + output;
        length++;
      }
      shares.fill(1 / (length - begin), begin, length);
    }
  return { sources, targets, shares, length };
}

function follow({ sources, targets, shares, length }: Routes, from: Float32Array, to: Float32Array): void {
  for (let i = 0; i < length; i++) to[targets[i]] = from[sources[i]] * shares[i];
}

/** 1 − h² of one example. */
function fillSlopes(slopes: Float32Array, activation: Float32Array, example: number, count: number): void {
  for (let i = 0; i < slopes.length; i++) {
    const h = activation[i * count + example];
    slopes[i] = 1 - Math.fround(h * h);
  }
}

/** result[input][position] = Σ_output W[output][input] · δ[position][output]. */
function transposedProduct(
  { inputs, outputs, positions }: AffineBlock,
  weights: Float32Array,
  delta: Float32Array,
  result: Float32Array,
): void {
  result.fill(0);
  for (let position = 0; position < positions; position++)
    for (let output = 0; output < outputs; output++) {
      const d = delta[position * outputs + output];
      if (d === 0) continue;
      const row = output * inputs;
      for (let input = 0; input < inputs; input++)
        result[input * positions + position] += Math.fround(weights[row + input] * d);
    }
}

function multiply(values: Float32Array, factors: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] *= factors[i];
}
