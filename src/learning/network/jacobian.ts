import type { AffineBlock, ForwardPass } from './passes.js';

/**
 * The derivatives of every output with respect to every affine map's result, ∂output k / ∂(W a + b), per
 * block [example][position][output of the block][k]. O(P) for each example and output.
 *
 * The arithmetic is float32, in the order of the library that computes the forward pass: products are summed
 * by ascending index, tanh passes on cotangent · (1 − h²), and a pool with several largest values gives each
 * an equal part. The last block has one position.
 */
export function outputDerivatives(
  blocks: readonly AffineBlock[],
  parameters: Float64Array,
  pass: ForwardPass,
  count: number,
  reuse?: Float32Array[],
): Float32Array[] {
  const last = blocks.length - 1;
  const { outputs } = blocks[last];
  const lengths = blocks.map((block) => block.outputs * block.positions * outputs);
  const deltas = reuse ?? lengths.map((length) => new Float32Array(count * length));
  for (const delta of reuse ?? []) delta.fill(0);
  const weights = weightsOf(blocks, parameters);
  const cotangents = blocks.map((block, l) => new Float32Array(lengths[l] / block.poolSize));
  for (let example = 0; example < count; example++)
    for (let l = last; l >= 0; l--) {
      const delta = deltas[l].subarray(example * lengths[l], (example + 1) * lengths[l]);
      if (l === last) for (let k = 0; k < outputs; k++) delta[k * outputs + k] = 1;
      else throughPools(blocks[l], pass.sums[l], example, count, cotangents[l], delta);
      if (l === 0) continue;
      const below = cotangents[l - 1];
      if (l === last) transpose(weights[l], outputs, below);
      else transposedProduct(blocks[l], weights[l], delta, below, outputs);
      throughTanh(pass.activations[l - 1], example, count, below, outputs);
    }
  return deltas;
}

function weightsOf(blocks: readonly AffineBlock[], parameters: Float64Array): Float32Array[] {
  let offset = 0;
  return blocks.map(({ inputs, outputs }) => {
    const weights = Float32Array.from(parameters.subarray(offset, offset + inputs * outputs));
    offset += (inputs + 1) * outputs;
    return weights;
  });
}

/**
 * From what pooling leaves, [output][pooled position][k], to δ, [position][output][k], which holds zeros
 * before.
 */
function throughPools(
  { outputs, positions, poolSize }: AffineBlock,
  sums: Float32Array,
  example: number,
  count: number,
  cotangent: Float32Array,
  delta: Float32Array,
): void {
  const pooled = positions / poolSize;
  const k = cotangent.length / (outputs * pooled);
  for (let output = 0; output < outputs; output++)
    for (let position = 0; position < pooled; position++) {
      const first = (output * positions + position) * count + example;
      const step = pooled * count;
      let largest = sums[first];
      for (let place = 1; place < poolSize; place++) largest = Math.max(largest, sums[first + place * step]);
      let equals = 0;
      for (let place = 0; place < poolSize; place++) if (sums[first + place * step] === largest) equals++;
      const share = Math.fround(1 / equals);
      const source = (output * pooled + position) * k;
      for (let place = 0; place < poolSize; place++) {
        if (sums[first + place * step] !== largest) continue;
        const target = ((place * pooled + position) * outputs + output) * k;
        for (let i = 0; i < k; i++) delta[target + i] = cotangent[source + i] * share;
      }
    }
}

/** The cotangent of the last block's activations: Wᵀ itself, [input][k], as its δ is the identity. */
function transpose(weights: Float32Array, outputs: number, result: Float32Array): void {
  const inputs = weights.length / outputs;
  for (let input = 0; input < inputs; input++)
    for (let k = 0; k < outputs; k++) result[input * outputs + k] = 0 + weights[k * inputs + input];
}

/** result[input][position][k] = Σ_output W[output][input] · δ[position][output][k], by ascending output. */
function transposedProduct(
  { inputs, outputs, positions }: AffineBlock,
  weights: Float32Array,
  delta: Float32Array,
  result: Float32Array,
  k: number,
): void {
  result.fill(0);
  for (let position = 0; position < positions; position++)
    for (let output = 0; output < outputs; output++) {
      const source = (position * outputs + output) * k;
      for (let input = 0; input < inputs; input++) {
        const weight = weights[output * inputs + input];
        const target = (input * positions + position) * k;
        for (let i = 0; i < k; i++) result[target + i] += Math.fround(weight * delta[source + i]);
      }
    }
}

/** ∂ tanh: cotangent · (1 − h²), where the cotangent is [feature][k]. */
function throughTanh(
  activation: Float32Array,
  example: number,
  count: number,
  cotangent: Float32Array,
  k: number,
): void {
  const features = cotangent.length / k;
  for (let feature = 0; feature < features; feature++) {
    const h = activation[feature * count + example];
    const slope = Math.fround(1 - Math.fround(h * h));
    for (let i = feature * k; i < (feature + 1) * k; i++) cotangent[i] *= slope;
  }
}
