/**
 * Matrices that are filled, measured and rounded in every step of a training. Where the host has WebAssembly
 * with SIMD such a matrix lies in the memory of a small module that does this several times as fast. Where a
 * matrix lies decides how fast it is, never what comes out: the loops in TypeScript do the same operations in
 * the same order.
 */
import {
  compileEmbedded,
  type EmbeddedModule,
  instantiate,
} from '../../../firmware-protocol/embedded-module.js';
import { type Matrix, matrix } from '../matrix.js';
import { MATRIX_KERNEL_BASE64 } from './matrix-kernel.generated.js';

/** What assembly/index.ts exports; numbers are addresses and counts. */
interface MatrixKernelExports {
  setOuterProduct(target: number, stride: number, x: number, m: number, y: number, n: number): void;
  addOuterProduct(target: number, stride: number, x: number, m: number, y: number, n: number): void;
  addCenteredProducts(
    target: number,
    stride: number,
    sums: number,
    p: number,
    roots: number,
    x: number,
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
}

/** A matrix, and two vectors whose outer products it is made of. */
export interface MatrixRoom {
  readonly matrix: Matrix;
  /** As long as the matrix has rows. */
  readonly left: Float64Array;
  /** As long as the matrix has columns. */
  readonly right: Float64Array;
  /** Beside the matrix, for operands of `addCenteredProducts`; empty where the host has no module. */
  readonly scratch: Uint8Array;
}

interface Kernel extends MatrixKernelExports {
  readonly buffer: ArrayBuffer;
  /** Memory of codes that nobody needs any more, by its length in bytes. */
  readonly spare: Map<number, ArrayBuffer>;
  /**
   * Entries of the matrix, which lies from address 0 on, with zeros behind it up to a multiple of `BLOCK`.
   */
  readonly length: number;
  /** Where results that are copied out go. */
  readonly results: number;
}

/** Values that the module rounds at once. */
const BLOCK = 16;
const F64_BYTES = 8;
/** Per row of a matrix: largest magnitude, sum of magnitudes, sum of squares. */
const MEASURES = 3;

const kernels = new WeakMap<ArrayBufferLike, Kernel>();
let compiled: EmbeddedModule | undefined;

/**
 * A zero matrix of rows × columns, in the memory of the module if the host has it. Each has a memory of its
 * own: keep it for one matrix after another.
 */
export function newMatrixRoom(rows: number, columns: number, scratchBytes = 0): MatrixRoom {
  return newKernelRoom(rows, columns, scratchBytes) ?? plainMatrixRoom(rows, columns);
}

/** The same in arrays of its own, for a matrix that is made once. */
export function plainMatrixRoom(rows: number, columns: number): MatrixRoom {
  return {
    matrix: matrix(rows, columns),
    left: new Float64Array(rows),
    right: new Float64Array(columns),
    scratch: new Uint8Array(0),
  };
}

function newKernelRoom(rows: number, columns: number, scratchBytes: number): MatrixRoom | undefined {
  compiled ??= compileEmbedded(MATRIX_KERNEL_BASE64);
  if ('missing' in compiled) return undefined;
  const length = rows * columns;
  const padded = Math.ceil(length / BLOCK) * BLOCK;
  const left = F64_BYTES * padded;
  const right = left + F64_BYTES * rows;
  const scratch = right + F64_BYTES * columns;
  const results = scratch + Math.ceil(scratchBytes / BLOCK) * BLOCK;
  try {
    const { exports, buffer } = instantiate(
      compiled,
      results + Math.max(2 * padded, MEASURES * F64_BYTES * rows),
    );
    kernels.set(buffer, { ...(exports as MatrixKernelExports), buffer, spare: new Map(), length, results });
    return {
      matrix: matrix(rows, columns, new Float64Array(buffer, 0, length)),
      left: new Float64Array(buffer, left, rows),
      right: new Float64Array(buffer, right, columns),
      scratch: new Uint8Array(buffer, scratch, scratchBytes),
    };
  } catch (error) {
    // A system bounds the address space of such memories; without one the matrix is only slower.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A block of a matrix with the corner (row, column), and the vectors x and y of its outer product xyᵀ. */
export interface OuterProduct {
  readonly row: number;
  readonly column: number;
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** Writes xyᵀ to a block; a product −0 is written as 0. The block must lie in the matrix. */
export function setOuterProduct(target: Matrix, { row, column, x, y }: OuterProduct): void {
  const { data, columns } = target;
  const first = row * columns + column;
  const kernel = kernelOf(data, x, y);
  if (kernel !== undefined) {
    const at = data.byteOffset + F64_BYTES * first;
    kernel.setOuterProduct(at, columns, x.byteOffset, x.length, y.byteOffset, y.length);
    return;
  }
  for (let i = 0; i < x.length; i++)
    for (let j = 0; j < y.length; j++) data[first + i * columns + j] = 0 + x[i] * y[j];
}

/** Adds xyᵀ to a block, which must lie in the matrix. */
export function addOuterProduct(target: Matrix, { row, column, x, y }: OuterProduct): void {
  const { data, columns } = target;
  const first = row * columns + column;
  const kernel = kernelOf(data, x, y);
  if (kernel !== undefined) {
    const at = data.byteOffset + F64_BYTES * first;
    kernel.addOuterProduct(at, columns, x.byteOffset, x.length, y.byteOffset, y.length);
    return;
  }
  for (let i = 0; i < x.length; i++)
    for (let j = 0; j < y.length; j++) data[first + i * columns + j] += x[i] * y[j];
}

/** The module that the arrays lie with, all three. */
export function kernelOf(data: Float64Array, x: Float64Array, y: Float64Array): Kernel | undefined {
  const { buffer } = data;
  return x.buffer === buffer && y.buffer === buffer ? kernels.get(buffer) : undefined;
}

/**
 * Largest magnitude, sum of magnitudes and sum of squares of each row, one after the other: 3 numbers a row,
 * good until the next call. Undefined when the matrix does not lie with a module. A row is added up in two
 * halves, of its even and of its odd entries, before a last entry that has no partner.
 */
export function measuredRows({ rows, columns, data }: Matrix): Float64Array | undefined {
  const kernel = kernels.get(data.buffer);
  if (kernel === undefined || data.length !== kernel.length) return undefined;
  kernel.measureRows(data.byteOffset, rows, columns, kernel.results);
  return new Float64Array(kernel.buffer, kernel.results, MEASURES * rows);
}

export interface RoundedCodes {
  readonly codes: Int8Array<ArrayBuffer> | Int16Array<ArrayBuffer>;
  /**
   * The bits that the magnitudes of the codes use together. A bit at the place of a code's sign, or above,
   * tells that one did not fit.
   */
  readonly bitsUsed: number;
}

/**
 * roundHalfEven(factor · value) for all entries of a matrix, |factor · value| < 2³¹. Undefined when the
 * values are not a whole matrix that lies with a module.
 */
export function roundedCodes(values: Float64Array, factor: number, bytes: 1 | 2): RoundedCodes | undefined {
  const kernel = kernels.get(values.buffer);
  if (kernel === undefined || values.length !== kernel.length) return undefined;
  const { results, length } = kernel;
  const padded = Math.ceil(length / BLOCK) * BLOCK;
  const round = bytes === 1 ? kernel.roundToInt8 : kernel.roundToInt16;
  const bitsUsed = round(values.byteOffset, padded, factor, results);
  return { codes: copied(kernel, bytes), bitsUsed };
}

/** A copy for the caller, in memory that was given back or in new memory. */
function copied({ buffer, results, length, spare }: Kernel, bytes: 1 | 2): RoundedCodes['codes'] {
  const memory = spare.get(bytes * length) ?? new ArrayBuffer(bytes * length);
  spare.delete(bytes * length);
  new Uint8Array(memory).set(new Uint8Array(buffer, results, bytes * length));
  return bytes === 1 ? new Int8Array(memory) : new Int16Array(memory);
}

/**
 * Gives codes of `values` back, whose array nobody may use any more: the next ones of the same matrix get its
 * memory. Does nothing where no module made them.
 */
export function releaseCodes(values: Float64Array, codes: Int8Array | Int16Array): void {
  const { buffer } = codes;
  if (buffer instanceof ArrayBuffer) kernels.get(values.buffer)?.spare.set(buffer.byteLength, buffer);
}
