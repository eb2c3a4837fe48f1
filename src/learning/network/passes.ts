import './iterator-helpers.js';
import { jit, numpy as np } from '@jax-js/jax';

/**
 * The products of the network in @jax-js/jax: the only file that knows the library. Arrays are feature-major,
 * [features, columns], with the examples as fastest column index: the library multiplies (channels ×
 * kernel²)·(kernel² × columns) ten times faster than the transposed order.
 *
 * Every operation is part of a function that is wrapped in `jit` and so is traced and compiled once per
 * shape. Outside of `jit` the library traces, simplifies and hashes each operation anew in each step, which
 * takes longer than the arithmetic (docs/decisions/0020). A product stays a function of its own: merged with
 * the pooling next to it, it gets five times slower. The chain of maps is differentiated here: the `vjp` of
 * the library can't be compiled once, and each use of it on a function that is wrapped in `jit` adds 20 kB to
 * a cache that is never emptied.
 *
 * Ownership: passing an array to a function consumes it, `.ref` keeps it. Nothing outlives a call.
 */

/**
 * One affine map, followed by max-pooling over the slowest of its `positions` if pool > 1, and by tanh unless
 * last.
 */
export interface AffineBlock {
  readonly outputs: number;
  readonly inputs: number;
  /** Columns per example that the map is applied to. */
  readonly positions: number;
  /** How many positions are pooled into one: positions = poolSize · pooled positions. */
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

/** The maximum of each pool of a z that is [outputs, places, pooled columns]. */
const maxOfPools = jit((z: np.Array) => np.max(z, 1));

/** Which places are below the maximum of their pool. */
const areSmaller = jit((z: np.Array) => z.ref.notEqual(np.max(z, 1, { keepdims: true })));

/**
 * ∂ max, in two parts that are slower as one: a cotangent goes to the largest places of its pool in equal
 * parts …
 */
const shares = jit((cotangent: np.Array, smaller: np.Array) =>
  cotangent.div(np.where(smaller, 0, 1).sum(1, { keepdims: true })),
);

/** … and none of it to the others. */
const toLargest = jit((share: np.Array, smaller: np.Array) => np.where(smaller, 0, share));

/** ∂ tanh: cotangent · (1 − h²). */
const throughTanh = jit((cotangent: np.Array, h: np.Array) => cotangent.mul(h.ref.mul(h).mul(-1).add(1)));

const rowSums = jit((values: np.Array) => np.sum(values, 1));

/** What block 0 reads, in the library's memory. Whoever has it gives it to one pass, or disposes of it. */
export type PlacedInput = np.Array;

/** Copies what block 0 reads, [inputs × (positions · count)], into the library's memory. */
export function placeInput(blocks: readonly AffineBlock[], input: Float32Array): PlacedInput {
  return toArray(input, [blocks[0].inputs, -1]);
}

/**
 * Outputs of the network, [outputs × count]. `input` is what block 0 reads, [inputs × (positions · count)].
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
 * The gradient of Σ outputs · cotangent with respect to all parameters, where `cotangentOf` chooses the
 * cotangent when it sees the outputs; both [outputs × count]. It takes the input.
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
  /** What each block reads, [inputs, positions · count]. */
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
    // The bias, the same at every position, is added to the fewer numbers that pooling leaves.
    a = addBias(poolSize > 1 ? maxOfPools(inPools(z, poolSize)) : z, bias);
  }
  return { logits: a, activations, sums, weights };
}

/** δ = ∂/∂(W a) from the cotangent of what pooling leaves of it. */
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

/** [outputs, places · pooled columns] as [outputs, places, pooled columns]. */
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
