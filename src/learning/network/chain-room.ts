import { type MatrixKernel, newMatrixKernel } from '../../linalg/matrix-kernel/matrix-module.js';
import type { LayerFactors } from './contract.js';
import type { AffineBlock } from './passes.js';

const F32_BYTES = 4;
/** Loops that handle four numbers at once may reach this far beyond the end of an array. */
const SLACK_BYTES = 16;

/** The arrays of one block; k is the number of outputs of the network. */
interface BlockArrays {
  readonly weights: Float32Array;
  readonly biases: Float32Array;
  /** Input of the block, [input][position][example]. */
  readonly input: Float32Array;
  /** W a before pooling and bias, [output][position][example]. */
  readonly sums: Float32Array;
  /**
   * Input of the next block, or the outputs of the network for the last block: [output][pooled
   * position][example].
   */
  readonly activations: Float32Array;
  /** ∂output k / ∂activations of one example, [output][pooled position][k]. */
  readonly cotangent: Float32Array;
  readonly factors: LayerFactors;
}

/**
 * Computes the forward pass of a network over a few examples, and the derivatives of every single output.
 * Each call uses the same memory again. If the host has WebAssembly with SIMD, a module runs the loops:
 * several times as fast, with the same bits.
 *
 * The arithmetic is float32, in the same order as in the library that computes gradients (passes.ts).
 * Products are summed by ascending index. A pool with several largest values shares the derivative equally
 * among them. The bits of the results of an example do not depend on the other examples.
 */
export class ChainRoom {
  readonly count: number;
  readonly #blocks: readonly AffineBlock[];
  readonly #kernel: MatrixKernel | undefined;
  readonly #arrays: readonly BlockArrays[];

  constructor(blocks: readonly AffineBlock[], count: number, useModule = true) {
    this.count = count;
    this.#blocks = blocks;
    const k = blocks[blocks.length - 1].outputs;
    const lengths = blocks.map((block, l) => lengthsOf(block, l === 0, count, k));
    const bytes = lengths.flat().reduce((sum, length) => sum + bytesOf(length), 0);
    this.#kernel = useModule ? newMatrixKernel(bytes) : undefined;
    const buffer = this.#kernel?.buffer ?? new ArrayBuffer(bytes);
    let at = 0;
    const next = (length: number): Float32Array => {
      const array = new Float32Array(buffer, at, length);
      at += bytesOf(length);
      return array;
    };
    const arrays: BlockArrays[] = [];
    for (const [l, lengthsOfBlock] of lengths.entries()) {
      const [weights, biases, input, sums, activations, cotangent, rows, deltas] = lengthsOfBlock.map(next);
      arrays.push({
        ...{ weights, biases, sums, activations, cotangent },
        input: l === 0 ? input : arrays[l - 1].activations,
        factors: { activations: rows, deltas },
      });
    }
    this.#arrays = arrays;
  }

  /** The per-example factors of each block from the last call of `run`. */
  get layers(): readonly LayerFactors[] {
    return this.#arrays.map(({ factors }) => factors);
  }

  /**
   * Computes everything from `parameters` and `input`, the input of block 0, [input][position][example].
   * Returns the outputs of the network, [output][example]; they are valid until the next call.
   */
  run(parameters: Float64Array, input: Float32Array): Float32Array {
    const blocks = this.#blocks;
    const last = blocks.length - 1;
    this.#arrays[0].input.set(input);
    let offset = 0;
    for (const [l, { inputs, outputs }] of blocks.entries()) {
      const { weights, biases } = this.#arrays[l];
      weights.set(parameters.subarray(offset, offset + outputs * inputs));
      biases.set(parameters.subarray(offset + outputs * inputs, offset + outputs * (inputs + 1)));
      offset += outputs * (inputs + 1);
      this.#forward(l);
    }
    // δ of the last block is the identity. Hence the cotangent below it is the same for all examples.
    if (last > 0)
      transpose(this.#arrays[last].weights, blocks[last].outputs, this.#arrays[last - 1].cotangent);
    for (let example = 0; example < this.count; example++)
      for (let l = last; l >= 0; l--) this.#derivative(l, example);
    return this.#arrays[last].activations;
  }

  #forward(l: number): void {
    const { inputs, outputs, positions, poolSize } = this.#blocks[l];
    const { weights, biases, input, sums, activations, factors } = this.#arrays[l];
    const columns = positions * this.count;
    const pooledColumns = columns / poolSize;
    const isLast = l === this.#blocks.length - 1;
    if (this.#kernel === undefined) {
      affineSums(weights, input, sums, { outputs, inputs, columns });
      poolAndTanh(sums, biases, activations, { poolSize, pooledColumns, isLast });
      exampleMajor(input, factors.activations, inputs, positions, this.count);
      return;
    }
    const { exports } = this.#kernel;
    exports.affineSums(weights.byteOffset, input.byteOffset, sums.byteOffset, outputs, inputs, columns);
    exports.poolAndTanh(
      sums.byteOffset,
      biases.byteOffset,
      activations.byteOffset,
      outputs,
      poolSize,
      pooledColumns,
      isLast,
    );
    exports.exampleMajor(input.byteOffset, factors.activations.byteOffset, inputs, positions, this.count);
  }

  /** Computes δ of block `l` for one example. The δ of the blocks above must be computed first. */
  #derivative(l: number, example: number): void {
    const block = this.#blocks[l];
    const last = this.#blocks.length - 1;
    const k = this.#blocks[last].outputs;
    const delta = this.#deltaOf(l, example);
    if (l === last) {
      for (let i = 0; i < k; i++) delta[i * k + i] = 1;
      return;
    }
    const { sums, activations, cotangent } = this.#arrays[l];
    if (l + 1 < last)
      transposedProduct(
        this.#blocks[l + 1],
        this.#arrays[l + 1].weights,
        this.#deltaOf(l + 1, example),
        cotangent,
        k,
      );
    if (this.#kernel === undefined) {
      const { count } = this;
      tanhAndPoolDerivative(block, { sums, activations, cotangent, example, count }, delta);
      return;
    }
    this.#kernel.exports.tanhAndPoolDerivative(
      sums.byteOffset + F32_BYTES * example,
      activations.byteOffset + F32_BYTES * example,
      cotangent.byteOffset,
      delta.byteOffset,
      block.outputs,
      block.positions,
      block.poolSize,
      this.count,
      k,
    );
  }

  #deltaOf(l: number, example: number): Float32Array {
    const { deltas } = this.#arrays[l].factors;
    const length = deltas.length / this.count;
    return deltas.subarray(example * length, (example + 1) * length);
  }
}

/**
 * Lengths of the arrays of a block, in their order in memory. Only the first block has an input array of its
 * own; each other block reads the activations of the block before.
 */
function lengthsOf(block: AffineBlock, isFirst: boolean, count: number, k: number): number[] {
  const { outputs, inputs, positions, poolSize } = block;
  const activations = (outputs * positions * count) / poolSize;
  return [
    outputs * inputs,
    outputs,
    isFirst ? inputs * positions * count : 0,
    outputs * positions * count,
    activations,
    (activations / count) * k,
    inputs * positions * count,
    count * positions * outputs * k,
  ];
}

function bytesOf(length: number): number {
  return Math.ceil((F32_BYTES * length + SLACK_BYTES) / SLACK_BYTES) * SLACK_BYTES;
}

/** sums[o][c] = Σ_i w[o][i] · a[i][c] by ascending i. */
function affineSums(
  weights: Float32Array,
  input: Float32Array,
  sums: Float32Array,
  { outputs, inputs, columns }: { outputs: number; inputs: number; columns: number },
): void {
  sums.fill(0);
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < inputs; i++) {
      const weight = weights[o * inputs + i];
      for (let c = 0; c < columns; c++) sums[o * columns + c] += Math.fround(weight * input[i * columns + c]);
    }
}

/** f(max_place sums[o][place][c] + bias[o]) with f = tanh, or the identity for the last block. */
function poolAndTanh(
  sums: Float32Array,
  biases: Float32Array,
  activations: Float32Array,
  { poolSize, pooledColumns, isLast }: { poolSize: number; pooledColumns: number; isLast: boolean },
): void {
  for (let o = 0; o < biases.length; o++)
    for (let c = 0; c < pooledColumns; c++) {
      const first = o * poolSize * pooledColumns + c;
      let largest = sums[first];
      for (let place = 1; place < poolSize; place++)
        largest = Math.max(largest, sums[first + place * pooledColumns]);
      const z = Math.fround(largest + biases[o]);
      activations[o * pooledColumns + c] = isLast ? z : tanh(z);
    }
}

/** −(e^(−2|x|) − 1) · 1/(e^(−2|x|) + 1) with the sign of x, as the library computes it. */
function tanh(x: number): number {
  const sign = x < 0 ? 1 : -1;
  const e = exp(2 * x * sign);
  const inverse = Math.fround(1 / Math.fround(e + 1));
  return Math.fround(Math.fround(e - 1) * inverse) * sign;
}

const LN2 = Math.fround(Math.LN2);
const INVERSE_LN2 = Math.fround(1 / Math.LN2);
/** 1/j! for j = 6 … 0. */
const EXP_SERIES = [1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1, 1].map(Math.fround);
// Adding and subtracting 1.5·2⁵² rounds half to even.
const ROUNDER = 1.5 * 2 ** 52;

/** e^x for x ≤ 0: 2^n · P(x − n ln 2) by the series of e^r up to r⁶; 0 for n < −126. */
function exp(x: number): number {
  const whole = Math.fround(x * INVERSE_LN2) + ROUNDER - ROUNDER;
  if (whole < -126) return 0;
  const rest = Math.fround(x - Math.fround(whole * LN2));
  let sum = EXP_SERIES[0];
  for (let j = 1; j < EXP_SERIES.length; j++) sum = Math.fround(Math.fround(sum * rest) + EXP_SERIES[j]);
  return Math.fround(sum * 2 ** whole);
}

/**
 * The cotangent below the last block. It is Wᵀ itself, [input][k], because δ of the last block is the
 * identity.
 */
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

/**
 * Turns ∂/∂(activations), [output][pooled position][k], into δ, [position][output][k]. tanh multiplies the
 * cotangent by 1 − h²; a pool shares it equally among its largest sums.
 */
function tanhAndPoolDerivative(
  { outputs, positions, poolSize }: AffineBlock,
  from: Pick<BlockArrays, 'sums' | 'activations' | 'cotangent'> & {
    readonly example: number;
    readonly count: number;
  },
  delta: Float32Array,
): void {
  const { sums, activations, cotangent, example, count } = from;
  const pooled = positions / poolSize;
  const k = cotangent.length / (outputs * pooled);
  const step = pooled * count;
  delta.fill(0);
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
        for (let i = 0; i < k; i++)
          delta[target + i] = Math.fround(cotangent[feature * k + i] * slope) * share;
      }
    }
}

/** Rearranges [feature][position][example] to [example][position][feature]. */
function exampleMajor(
  values: Float32Array,
  out: Float32Array,
  features: number,
  positions: number,
  count: number,
): void {
  for (let f = 0; f < features; f++)
    for (let position = 0; position < positions; position++) {
      const source = (f * positions + position) * count;
      for (let e = 0; e < count; e++) out[(e * positions + position) * features + f] = values[source + e];
    }
}
