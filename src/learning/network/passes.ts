import './iterator-helpers.js';
import { jit, numpy as np } from '@jax-js/jax';

/**
 * The passes of a network, computed with @jax-js/jax. No other file uses the library. Arrays are
 * feature-major, [features, columns], and the example is the fastest column index. In this order the library
 * multiplies (channels × kernel²)·(kernel² × columns) ten times faster than transposed.
 *
 * Every operation is part of a function that is wrapped in `jit`, which traces and compiles it once per
 * shape. Outside of `jit` the library traces, simplifies and hashes each operation again in each step. That
 * takes longer than the arithmetic (docs/decisions/0020). Each product is a separate function, because it
 * becomes five times slower when compiled together with pooling. This file differentiates the chain of maps
 * itself: the `vjp` of the library can't be compiled once, and each use of `vjp` on a `jit` function adds 20
 * kB to a cache that is never emptied.
 *
 * Ownership: passing an array to a function consumes it, `.ref` keeps it. No array outlives a call.
 */

/**
 * One affine map. Max-pooling over the slowest index of its `positions` follows if `poolSize` > 1, and then
 * tanh, except in the last block.
 */
export interface AffineBlock {
  readonly outputs: number;
  readonly inputs: number;
  /** Columns per example to which the map is applied. */
  readonly positions: number;
  /** Number of positions that are pooled into one: positions = poolSize · pooled positions. */
  readonly poolSize: number;
}

const device = 'wasm';

/** W a. */
const product = jit((weight: np.Array, a: np.Array) => np.matmul(weight, a));

/** Wᵀ δ. */
const transposedProduct = jit((weight: np.Array, delta: np.Array) => np.matmul(weight.transpose(), delta));

/** δ aᵀ. */
const productWithTransposed = jit((delta: np.Array, a: np.Array) => np.matmul(delta, a.transpose()));

/** z + b, the same b in every column. */
const addBias = jit((z: np.Array, bias: np.Array) => z.add(bias.reshape([-1, 1])));

/** The maximum of each pool; z is [outputs, places, pooled columns]. */
const maxOfPools = jit((z: np.Array) => np.max(z, 1));

/** Whether each place is below the maximum of its pool. */
const areSmaller = jit((z: np.Array) => z.ref.notEqual(np.max(z, 1, { keepdims: true })));

/**
 * First half of the derivative of the maximum: divides each cotangent by the number of largest places in its
 * pool. One function for both halves would be slower.
 */
const shares = jit((cotangent: np.Array, smaller: np.Array) =>
  cotangent.div(np.where(smaller, 0, 1).sum(1, { keepdims: true })),
);

/** Second half: gives the share to the largest places, and 0 to the others. */
const toLargest = jit((share: np.Array, smaller: np.Array) => np.where(smaller, 0, share));

/** ∂ tanh: cotangent · (1 − h²). */
const throughTanh = jit((cotangent: np.Array, h: np.Array) => cotangent.mul(h.ref.mul(h).mul(-1).add(1)));

const rowSums = jit((values: np.Array) => np.sum(values, 1));

/**
 * The input of block 0, in the memory of the library. Its owner must give it to one pass or dispose of it.
 */
export type PlacedInput = np.Array;

/** Copies the input of block 0, [inputs × (positions · count)], into the memory of the library. */
export function placeInput(blocks: readonly AffineBlock[], input: Float32Array): PlacedInput {
  return toArray(input, [blocks[0].inputs, -1]);
}

/**
 * Outputs of the network, [outputs × count]. `input` is the input of block 0, [inputs × (positions · count)].
 */
export function networkOutputs(
  blocks: readonly AffineBlock[],
  parameters: Float64Array,
  input: Float32Array,
): Float32Array {
  const { logits, activations, sums, weights } = forward(blocks, parameters, placeInput(blocks, input));
  const outputs = take(logits);
  dispose(activations, sums, weights);
  return outputs;
}

/**
 * The gradient of Σ outputs · cotangent with respect to all parameters, where `cotangentOf` computes the
 * cotangent from the outputs; both are [outputs × count]. The call consumes `input`.
 */
export function networkGradient(
  blocks: readonly AffineBlock[],
  parameters: Float64Array,
  input: PlacedInput,
  cotangentOf: (logits: Float32Array) => Float32Array,
): Float64Array {
  const { logits, activations, sums, weights } = forward(blocks, parameters, input);
  const gradient = new Float64Array(parameters.length);
  let end = gradient.length;
  const putBefore = (part: Float32Array): void => {
    end -= part.length;
    gradient.set(part, end);
  };
  const last = blocks.length - 1;
  let cotangent = toArray(cotangentOf(take(logits)), [blocks[last].outputs, -1]);
  for (let l = last; l >= 0; l--) {
    const { poolSize } = blocks[l];
    putBefore(take(rowSums(cotangent.ref)));
    const delta = beforePooling(cotangent, sums[l], poolSize);
    putBefore(take(productWithTransposed(delta.ref, activations[l].ref)));
    if (l === 0) {
      dispose([delta, weights[0], activations[0]]);
      break;
    }
    const shape = [blocks[l - 1].outputs, -1];
    cotangent = throughTanh(
      transposedProduct(weights[l], delta).reshape(shape),
      activations[l].reshape(shape),
    );
  }
  return gradient;
}

interface Forward {
  readonly logits: np.Array;
  /** The input of each block, [inputs, positions · count]. */
  readonly activations: np.Array[];
  readonly sums: np.Array[];
  readonly weights: np.Array[];
}

/** The whole forward pass; the caller owns all arrays of the result. */
function forward(blocks: readonly AffineBlock[], parameters: Float64Array, input: PlacedInput): Forward {
  const activations: np.Array[] = [];
  const sums: np.Array[] = [];
  const weights: np.Array[] = [];
  let a = input;
  let offset = 0;
  const next = (length: number, shape: number[]): np.Array => {
    const part = Float32Array.from(parameters.subarray(offset, offset + length));
    offset += length;
    return toArray(part, shape);
  };
  for (const [l, { inputs, outputs, poolSize }] of blocks.entries()) {
    if (l > 0) a = np.tanh(a).reshape([inputs, -1]);
    const weight = next(outputs * inputs, [outputs, inputs]);
    const bias = next(outputs, [outputs]);
    const z = product(weight.ref, a.ref);
    activations.push(a);
    sums.push(z.ref);
    weights.push(weight);
    // The bias is the same at every position, so it can be added after pooling, when fewer numbers are left.
    a = addBias(poolSize > 1 ? maxOfPools(inPools(z, poolSize)) : z, bias);
  }
  return { logits: a, activations, sums, weights };
}

/** δ = ∂/∂(W a), computed from the cotangent of the pooled sums. */
function beforePooling(cotangent: np.Array, sums: np.Array, poolSize: number): np.Array {
  if (poolSize === 1) {
    sums.dispose();
    return cotangent;
  }
  const [outputs] = cotangent.shape;
  const smaller = areSmaller(inPools(sums, poolSize));
  const share = shares(cotangent.reshape([outputs, 1, -1]), smaller.ref);
  return toLargest(share, smaller).reshape([outputs, -1]);
}

/** Reshapes [outputs, places · pooled columns] to [outputs, places, pooled columns]. */
function inPools(z: np.Array, poolSize: number): np.Array {
  return z.reshape([z.shape[0], poolSize, -1]);
}

function toArray(data: Float32Array, shape: number[]): np.Array {
  return np.array(data, { device }).reshape(shape);
}

/** Reads an array and frees it. */
function take(array: np.Array): Float32Array {
  return array.dataSync() as Float32Array;
}

function dispose(...lists: readonly np.Array[][]): void {
  for (const array of lists.flat()) array.dispose();
}
