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
  const weights = weightsOf(blocks, parameters);
  const cotangents = blocks.slice(0, -1).map((block, l) => new Float32Array(lengths[l] / block.poolSize));
  // δ of the last block is the identity, so that the cotangent below it is the same for all examples.
  if (last > 0) transpose(weights[last], outputs, cotangents[last - 1]);
  for (let example = 0; example < count; example++)
    for (let l = last; l >= 0; l--) {
      const delta = deltas[l].subarray(example * lengths[l], (example + 1) * lengths[l]);
      if (reuse !== undefined && (l === last || blocks[l].poolSize > 1)) delta.fill(0);
      if (l === last) for (let k = 0; k < outputs; k++) delta[k * outputs + k] = 1;
      else {
        if (l < last - 1) {
          const above = deltas[l + 1].subarray(example * lengths[l + 1], (example + 1) * lengths[l + 1]);
          transposedProduct(blocks[l + 1], weights[l + 1], above, cotangents[l], outputs);
        }
        throughTanhAndPools(blocks[l], pass, l, { example, count }, cotangents[l], delta);
      }
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
 * From ∂/∂(activations of block `l`), [output][pooled position][k], to δ, [position][output][k], which holds
 * zeros before where there are pools. tanh passes on cotangent · (1 − h²).
 */
function throughTanhAndPools(
  { outputs, positions, poolSize }: AffineBlock,
  pass: ForwardPass,
  l: number,
  { example, count }: { readonly example: number; readonly count: number },
  cotangent: Float32Array,
  delta: Float32Array,
): void {
  const sums = pass.sums[l];
  const activations = pass.activations[l];
  const pooled = positions / poolSize;
  const k = cotangent.length / (outputs * pooled);
  const step = pooled * count;
  for (let output = 0; output < outputs; output++)
    for (let position = 0; position < pooled; position++) {
      const feature = output * pooled + position;
      const h = activations[feature * count + example];
      const slope = Math.fround(1 - Math.fround(h * h));
      const first = (output * positions + position) * count + example;
      let largest = sums[first];
      for (let place = 1; place < poolSize; place++) {
        const sum = sums[first + place * step];
        if (sum > largest) largest = sum;
      }
      let equals = 0;
      for (let place = 0; place < poolSize; place++) if (sums[first + place * step] === largest) equals++;
      const share = Math.fround(1 / equals);
      for (let place = 0; place < poolSize; place++) {
        if (sums[first + place * step] !== largest) continue;
        const target = ((place * pooled + position) * outputs + output) * k;
        const source = feature * k;
        if (equals === 1) for (let i = 0; i < k; i++) delta[target + i] = cotangent[source + i] * slope;
        else
          for (let i = 0; i < k; i++) delta[target + i] = Math.fround(cotangent[source + i] * slope) * share;
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
