import './iterator-helpers.js';
import { jit, numpy as np, vjp } from '@jax-js/jax';

/**
 * The network in @jax-js/jax: the only file that knows it. Arrays are feature-major, [features, columns], with the
 * examples as fastest column index: the library multiplies (channels × kernel²)·(kernel² × columns) ten times faster
 * than the transposed order, and its own convolution is slower still.
 *
 * Two of its habits shape this file. Under `jit` a product is merged with the pooling next to it and gets five times
 * slower, so products stay outside. And differentiating what the library itself wraps in `jit` (tanh among others) adds
 * an entry to a cache that is never emptied, 20 kB per step: so `vjp` is taken of each affine map, and tanh between
 * them is differentiated here, by 1 − tanh².
 *
 * Ownership: passing an array to a function consumes it, `.ref` keeps it. Nothing outlives a call.
 */

/** One affine map, followed by max-pooling over the slowest of its `positions` if pool > 1, and by tanh unless last. */
export interface AffineBlock {
  readonly outputs: number;
  readonly inputs: number;
  /** Columns per example that the map is applied to. */
  readonly positions: number;
  /** How many positions are pooled into one: positions = poolSize · pooled positions. */
  readonly poolSize: number;
}

const device = 'wasm';

/** Outputs of the network, [outputs × count]. `input` is what block 0 reads, [inputs × (positions · count)]. */
export function networkOutputs(
  blocks: readonly AffineBlock[],
  parameters: Float64Array,
  input: Float32Array,
): Float32Array {
  const layers = toLayers(blocks, parameters);
  let z = affine(blocks[0], layers[0], toArray(input, [blocks[0].inputs, -1]));
  for (let l = 1; l < blocks.length; l++) z = affine(blocks[l], layers[l], np.tanh(z));
  return take(z);
}

/**
 * The gradient of Σ outputs · cotangent with respect to all parameters, where `cotangentOf` chooses the cotangent when
 * it sees the outputs; both [outputs × count].
 */
export function networkGradient(
  blocks: readonly AffineBlock[],
  parameters: Float64Array,
  input: Float32Array,
  cotangentOf: (logits: Float32Array) => Float32Array,
): Float64Array {
  const layers = toLayers(blocks, parameters);
  const { gradients, activations } = backpropagate(blocks, input, layers, affine, cotangentOf);
  for (const activation of activations) activation.dispose();
  const flat = new Float64Array(parameters.length);
  let offset = 0;
  for (const gradient of gradients.flat()) {
    const part = take(gradient);
    flat.set(part, offset);
    offset += part.length;
  }
  return flat;
}

export interface NetworkDeltas {
  /** [outputs × count]. */
  readonly logits: Float32Array;
  /** What each block but the first reads, [inputs × count]. */
  readonly activations: readonly Float32Array[];
  /** Per block: ∂(Σ outputs · cotangent)/∂(W a + b), [outputs × (positions · count)]. */
  readonly deltas: readonly Float32Array[];
}

/**
 * Derivatives with respect to zero offsets added to each affine map's result. Columns of one example depend on that
 * example's cotangent only, so with an example repeated once per output this is the whole Jacobian in factored form.
 */
export function networkDeltas(
  blocks: readonly AffineBlock[],
  parameters: Float64Array,
  input: Float32Array,
  cotangent: Float32Array,
): NetworkDeltas {
  const layers = toLayers(blocks, parameters);
  const count = input.length / (blocks[0].inputs * blocks[0].positions);
  const offsets = blocks.map((block) => [np.zeros([block.outputs, block.positions * count], { device })]);
  const withOffset = (block: AffineBlock, [offset]: np.Array[], activation: np.Array): np.Array => {
    const layer = layers[blocks.indexOf(block)].map((array) => array.ref);
    return affine(block, layer, activation, offset);
  };
  const { logits, gradients, activations } = backpropagate(
    blocks,
    input,
    offsets,
    withOffset,
    () => cotangent,
  );
  for (const array of layers.flat()) array.dispose();
  return { logits, activations: activations.map(take), deltas: gradients.map(([delta]) => take(delta)) };
}

type BlockFunction = (block: AffineBlock, variables: np.Array[], activation: np.Array) => np.Array;

/**
 * Reverse-mode differentiation of the chain block 0 → tanh → block 1 → … with respect to each block's `variables`.
 * Consumes the variables; the caller owns the activations (block 1's first) and the gradients.
 */
function backpropagate(
  blocks: readonly AffineBlock[],
  input: Float32Array,
  variables: np.Array[][],
  apply: BlockFunction,
  cotangentOf: (logits: Float32Array) => Float32Array,
): { logits: Float32Array; activations: np.Array[]; gradients: np.Array[][] } {
  const x = toArray(input, [blocks[0].inputs, -1]);
  const [firstZ, firstPullback] = vjp((own: np.Array[]) => apply(blocks[0], own, x.ref), [variables[0]]);
  x.dispose();
  let z = firstZ;
  const activations: np.Array[] = [];
  const stages = blocks.slice(1).map((block, index) => {
    const h = np.tanh(z);
    activations.push(h.ref);
    const [next, pullback] = vjp(
      (own: np.Array[], a: np.Array) => apply(block, own, a),
      [variables[index + 1], h.ref],
    );
    z = next;
    return { h, pullback };
  });
  const shape = z.shape;
  const logits = take(z);
  let cotangent = toArray(cotangentOf(logits), shape);
  const gradients: np.Array[][] = [];
  for (const { h, pullback } of stages.reverse()) {
    const [own, ofActivation] = pullback(cotangent) as unknown as [np.Array[], np.Array];
    pullback.dispose();
    gradients.unshift(own);
    cotangent = throughTanh(ofActivation, h);
  }
  const [own] = firstPullback(cotangent) as unknown as [np.Array[]];
  firstPullback.dispose();
  gradients.unshift(own);
  return { logits, activations, gradients };
}

/** ∂ tanh: cotangent · (1 − h²). */
const throughTanh = jit((cotangent: np.Array, h: np.Array) => cotangent.mul(h.ref.mul(h).mul(-1).add(1)));

/** pool(W a + offset) + b; the bias, alike at every position, is added to the fewer numbers that pooling leaves. */
function affine(
  block: AffineBlock,
  [weight, bias]: np.Array[],
  activation: np.Array,
  offset?: np.Array,
): np.Array {
  let z = np.matmul(weight, activation.reshape([block.inputs, -1]));
  if (offset !== undefined) z = z.add(offset);
  if (block.poolSize > 1) z = np.max(z.reshape([block.outputs, block.poolSize, -1]), 1);
  return z.add(bias.reshape([block.outputs, 1]));
}

function toLayers(blocks: readonly AffineBlock[], parameters: Float64Array): np.Array[][] {
  let offset = 0;
  const next = (length: number, shape: number[]): np.Array => {
    const part = Float32Array.from(parameters.subarray(offset, offset + length));
    offset += length;
    return toArray(part, shape);
  };
  return blocks.map(({ outputs, inputs }) => [
    next(outputs * inputs, [outputs, inputs]),
    next(outputs, [outputs]),
  ]);
}

function toArray(data: Float32Array, shape: number[]): np.Array {
  return np.array(data, { device }).reshape(shape);
}

/** Reads an array and frees it. */
function take(array: np.Array): Float32Array {
  return array.dataSync() as Float32Array;
}
