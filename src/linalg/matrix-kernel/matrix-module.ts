/**
 * The WebAssembly module that is compiled from assembly/. Its loops fill, measure and round a matrix in the
 * memory of the module, several times as fast as TypeScript. The loops in TypeScript do the same operations
 * in the same order, so both give the same bits.
 */
import {
  compileEmbedded,
  type EmbeddedModule,
  instantiate,
} from '../../../firmware-protocol/embedded-module.js';
import type { RoundedCodes } from '../matrix.js';
import { MATRIX_KERNEL_BASE64 } from './matrix-kernel.generated.js';

/** The exports of assembly/index.ts; all numbers are addresses, sizes or counts, except `factor`. */
interface MatrixKernelExports {
  addCenteredProducts(
    target: number,
    stride: number,
    sums: number,
    p: number,
    roots: number,
    work: number,
    m: number,
    deltas: number,
    positions: number,
    outputs: number,
    activations: number,
    n: number,
  ): void;
  measureRows(from: number, rows: number, columns: number, out: number): void;
  roundToInt8(from: number, length: number, factor: number, to: number): number;
  roundToInt16(from: number, length: number, factor: number, to: number): number;
  largestOfVectors(first: number, count: number): void;
  measureStretches(table: number, rows: number, stretches: number, out: number): void;
  roundStretchesToInt8(table: number, rows: number, stretches: number, factor: number, to: number): number;
  roundStretchesToInt16(table: number, rows: number, stretches: number, factor: number, to: number): number;
  writeStretches(table: number, rows: number, stretches: number, to: number): void;
  affineSums(w: number, a: number, out: number, outputs: number, inputs: number, columns: number): void;
  poolAndTanh(
    sums: number,
    bias: number,
    out: number,
    outputs: number,
    places: number,
    columns: number,
    isLast: boolean,
  ): void;
  tanhAndPoolDerivative(
    sums: number,
    activations: number,
    cotangent: number,
    delta: number,
    outputs: number,
    positions: number,
    places: number,
    count: number,
    k: number,
  ): void;
  exampleMajor(from: number, to: number, features: number, positions: number, count: number): void;
}

/** Number of values that the module rounds at once. */
const BLOCK = 16;
export const F64_BYTES = 8;
/** Per row of a matrix: largest magnitude, sum of magnitudes, sum of squares. */
const MEASURES = 3;

let compiled: EmbeddedModule | undefined;

/** The loops, and their memory, which is zero at first. */
export interface MatrixKernel {
  readonly exports: MatrixKernelExports;
  readonly buffer: ArrayBuffer;
}

/**
 * An instance of the module with `bytes` of memory of its own. Undefined if the host has no WebAssembly with
 * SIMD, or not enough memory.
 */
export function newMatrixKernel(bytes: number): MatrixKernel | undefined {
  compiled ??= compileEmbedded(MATRIX_KERNEL_BASE64);
  if ('missing' in compiled) return undefined;
  try {
    const { exports, buffer } = instantiate(compiled, bytes);
    return { exports: exports as MatrixKernelExports, buffer };
  } catch (error) {
    // A system may limit the address space for WebAssembly memory. Without this memory the work is only
    // slower.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** An instance of the module for one matrix of rows × columns, whose entries lie from address 0 on. */
export class MatrixModule {
  readonly exports: MatrixKernelExports;
  readonly buffer: ArrayBuffer;
  /** Address at which the loops write their results. */
  readonly #results: number;
  readonly #rows: number;
  readonly #columns: number;
  /** Buffers of released codes, by length in bytes. */
  readonly #spare = new Map<number, ArrayBuffer>();

  private constructor(kernel: MatrixKernel, rows: number, columns: number, results: number) {
    this.exports = kernel.exports;
    this.buffer = kernel.buffer;
    this.#rows = rows;
    this.#columns = columns;
    this.#results = results;
  }

  /**
   * A module with `bytes` of memory for other things after the matrix. Undefined in the same cases as
   * `newMatrixKernel`.
   */
  static create(rows: number, columns: number, bytes = 0): MatrixModule | undefined {
    const results = paddedBytes(rows, columns) + Math.ceil(bytes / BLOCK) * BLOCK;
    const resultBytes = Math.max(2 * (padded(rows * columns) + BLOCK), MEASURES * F64_BYTES * rows);
    const kernel = newMatrixKernel(results + resultBytes);
    return kernel && new MatrixModule(kernel, rows, columns, results);
  }

  /**
   * Calls `measure` with an address. `measure` writes the measures of all rows there; the answer is a view of
   * them.
   */
  measures(measure: (out: number) => void): Float64Array {
    measure(this.#results);
    return new Float64Array(this.buffer, this.#results, MEASURES * this.#rows);
  }

  /**
   * Calls `round` with an address. `round` writes codes there and returns their `bitsUsed`; the answer holds
   * a copy of the codes.
   */
  codes(bytes: 1 | 2, round: (to: number) => number): RoundedCodes {
    const bitsUsed = round(this.#results);
    const length = bytes * this.#rows * this.#columns;
    const memory = this.#spare.get(length) ?? new ArrayBuffer(length);
    this.#spare.delete(length);
    new Uint8Array(memory).set(new Uint8Array(this.buffer, this.#results, length));
    return { codes: bytes === 1 ? new Int8Array(memory) : new Int16Array(memory), bitsUsed };
  }

  /** Keeps the memory of these codes, to reuse it for later codes. */
  keep({ buffer }: Int8Array | Int16Array): void {
    if (buffer instanceof ArrayBuffer) this.#spare.set(buffer.byteLength, buffer);
  }

  measuredDense(): Float64Array {
    return this.measures((out) => this.exports.measureRows(0, this.#rows, this.#columns, out));
  }

  roundedDense(factor: number, bytes: 1 | 2): RoundedCodes {
    const { roundToInt8, roundToInt16 } = this.exports;
    const round = bytes === 1 ? roundToInt8 : roundToInt16;
    return this.codes(bytes, (to) => round(0, padded(this.#rows * this.#columns), factor, to));
  }
}

/** Bytes that a matrix takes in the module: its entries and the zeros after them. */
export function paddedBytes(rows: number, columns: number): number {
  // One entry more than the matrix has, because the last pair may reach beyond it.
  return F64_BYTES * padded(rows * columns + 1);
}

/** `length`, rounded up to a multiple of BLOCK. */
export function padded(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK;
}
