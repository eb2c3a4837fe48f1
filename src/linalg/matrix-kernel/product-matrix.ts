import { FastMatrix, type RoundedCodes } from '../matrix.js';
import { F64_BYTES, MatrixModule, padded, paddedBytes } from './matrix-module.js';

/**
 * Neighbouring columns of a matrix. With `stretches`, each group of rows holds `stretches` outer products x
 * yᵀ of `columns` columns each, and all of them have the same y. Without `stretches` there are `columns`
 * columns with arbitrary entries.
 */
export interface ColumnBlock {
  readonly columns: number;
  readonly stretches?: number;
}

/** The rows and columns of a product matrix. */
export interface ProductShape {
  readonly groups: number;
  readonly rowsPerGroup: number;
  /** All columns, from left to right. */
  readonly blocks: readonly ColumnBlock[];
  /** Memory for operands of `addCenteredProducts`. */
  readonly scratchBytes?: number;
}

/** The rows of one group in a block without `stretches`: entry (i, j) is `data[start + i * stride + j]`. */
export interface PlainBlock {
  readonly data: Float64Array;
  readonly start: number;
  readonly stride: number;
}

/** Number of float64 in front of a vector: one for its largest magnitude, one for its length, an int32. */
const HEADER = 2;
/**
 * Number of float64 per stretch of a row: one for the factor of its vector, one for the address of the
 * vector, a u32.
 */
const RECORD = 2;

/**
 * A matrix of outer products whose entries are not stored. Each row is a list of stretches; a stretch is a
 * number times a vector, and other rows use the same vector. Measuring and rounding compute the products
 * during the loop, with the same operations in the same order as for stored entries. The first read of `data`
 * stores the entries.
 *
 * All entries of a new matrix are 0. It is filled block by block, and can be filled again.
 */
export class ProductMatrix extends FastMatrix {
  readonly rows: number;
  readonly columns: number;
  /** Undefined if the host cannot run the module. All arrays here lie in its memory. */
  readonly module: MatrixModule | undefined;
  readonly scratch: Uint8Array;
  readonly #shape: ProductShape;
  readonly #stretches: number;
  /** Index of the first stretch of each block. */
  readonly #firstStretches: readonly number[];
  readonly #memory: Float64Array;
  readonly #addresses: Uint32Array;
  readonly #lengths: Int32Array;
  /** For each group and block: index of its first vector in `#memory`. */
  readonly #vectors: number[] = [];
  #vectorCount = 0;
  /** Index of the table in `#memory`. It has RECORD float64 for each stretch of each row. */
  readonly #table: number;
  /** Whether the headers of the vectors hold the present largest magnitudes. */
  #isMeasured = false;
  /** Whether `data` holds the entries. */
  #isWritten = false;

  /** Pass false as `useModule` for a matrix that is used only once. */
  constructor(shape: ProductShape, useModule = true) {
    super();
    const { groups, rowsPerGroup, blocks, scratchBytes = 0 } = shape;
    this.#shape = shape;
    this.rows = groups * rowsPerGroup;
    const columnsBefore = sumsBefore(blocks.map(({ columns, stretches = 1 }) => stretches * columns));
    const stretchesBefore = sumsBefore(blocks.map(({ stretches = 1 }) => stretches));
    this.columns = columnsBefore[blocks.length];
    this.#stretches = stretchesBefore[blocks.length];
    this.#firstStretches = stretchesBefore;
    const vectorLengths = blocks.map((block) => vectorsOf(block, rowsPerGroup) * vectorStride(block));
    const first = paddedBytes(this.rows, this.columns) / F64_BYTES;
    this.#table = first + groups * (sumsBefore(vectorLengths).at(-1) ?? 0);
    const scratch = F64_BYTES * (this.#table + RECORD * this.rows * this.#stretches);
    const bytes = scratch + scratchBytes;
    this.module = useModule
      ? MatrixModule.create(this.rows, this.columns, bytes - F64_BYTES * first)
      : undefined;
    const buffer = this.module?.buffer ?? new ArrayBuffer(F64_BYTES * Math.ceil(bytes / F64_BYTES));
    this.scratch = new Uint8Array(buffer, scratch, scratchBytes);
    this.#memory = new Float64Array(buffer);
    this.#addresses = new Uint32Array(buffer);
    this.#lengths = new Int32Array(buffer);
    this.#layOut(first);
  }

  /** Places the vectors from index `at` on, and writes their addresses into the table. */
  #layOut(at: number): void {
    const { groups, rowsPerGroup, blocks } = this.#shape;
    for (let group = 0; group < groups; group++)
      for (const [b, block] of blocks.entries()) {
        this.#vectors.push(at);
        const count = vectorsOf(block, rowsPerGroup);
        for (let v = 0; v < count; v++) this.#lengths[2 * (at + v * vectorStride(block) + 1)] = block.columns;
        for (let row = 0; row < rowsPerGroup; row++)
          for (let stretch = 0; stretch < (block.stretches ?? 1); stretch++) {
            const record = this.#recordOf(group * rowsPerGroup + row, this.#firstStretches[b] + stretch);
            const vector = block.stretches === undefined ? at + row * vectorStride(block) : at;
            this.#memory[record] = block.stretches === undefined ? 1 : 0;
            this.#addresses[2 * (record + 1)] = F64_BYTES * vector;
          }
        at += count * vectorStride(block);
        this.#vectorCount += count;
      }
  }

  /** Sets the outer products of a block: x is [stretch][row of the group], y [column]. */
  setProducts(group: number, block: number, x: Float64Array, y: ArrayLike<number>): void {
    this.#change();
    const { rowsPerGroup, blocks } = this.#shape;
    const { stretches = 0 } = blocks[block];
    this.#memory.set(y, this.#vectorOf(group, block) + HEADER);
    for (let stretch = 0; stretch < stretches; stretch++)
      for (let row = 0; row < rowsPerGroup; row++)
        this.#memory[this.#recordOf(group * rowsPerGroup + row, this.#firstStretches[block] + stretch)] =
          x[stretch * rowsPerGroup + row];
  }

  /**
   * The entries of a block without `stretches`. Write them before the matrix is measured, rounded or read.
   */
  plainBlock(group: number, block: number): PlainBlock {
    this.#change();
    return {
      data: this.#memory,
      start: this.#vectorOf(group, block) + HEADER,
      stride: vectorStride(this.#shape.blocks[block]),
    };
  }

  get data(): Float64Array {
    const data = this.#memory.subarray(0, this.rows * this.columns);
    if (this.#isWritten) return data;
    if (this.module === undefined) this.#write(data);
    else this.module.exports.writeStretches(F64_BYTES * this.#table, this.rows, this.#stretches, 0);
    this.#isWritten = true;
    return data;
  }

  /** Like `writeStretches` of the module. */
  #write(data: Float64Array): void {
    let to = 0;
    for (let row = 0; row < this.rows; row++)
      for (let stretch = 0; stretch < this.#stretches; stretch++) {
        const record = this.#recordOf(row, stretch);
        const scale = this.#memory[record];
        const vector = this.#addresses[2 * (record + 1)] / F64_BYTES;
        const length = this.#lengths[2 * (vector + 1)];
        for (let j = 0; j < length; j++) data[to++] = 0 + scale * this.#memory[vector + HEADER + j];
      }
  }

  measuredRows(): Float64Array | undefined {
    const { module } = this;
    // Stored entries are measured themselves, because a caller that has read `data` may have changed them.
    if (module === undefined || this.#isWritten) return module?.measuredDense();
    this.#measureVectors(module);
    return module.measures((out) =>
      module.exports.measureStretches(F64_BYTES * this.#table, this.rows, this.#stretches, out),
    );
  }

  roundedCodes(factor: number, bytes: 1 | 2): RoundedCodes | undefined {
    const { module } = this;
    if (module === undefined || this.#isWritten) return module?.roundedDense(factor, bytes);
    this.#measureVectors(module);
    const { roundStretchesToInt8, roundStretchesToInt16 } = module.exports;
    const round = bytes === 1 ? roundStretchesToInt8 : roundStretchesToInt16;
    return module.codes(bytes, (to) =>
      round(F64_BYTES * this.#table, this.rows, this.#stretches, factor, to),
    );
  }

  releaseCodes(codes: Int8Array | Int16Array): void {
    this.module?.keep(codes);
  }

  #measureVectors({ exports }: MatrixModule): void {
    if (!this.#isMeasured) exports.largestOfVectors(F64_BYTES * this.#vectors[0], this.#vectorCount);
    this.#isMeasured = true;
  }

  #change(): void {
    this.#isMeasured = false;
    this.#isWritten = false;
  }

  #vectorOf(group: number, block: number): number {
    return this.#vectors[group * this.#shape.blocks.length + block];
  }

  #recordOf(row: number, stretch: number): number {
    return this.#table + RECORD * (row * this.#stretches + stretch);
  }
}

/** Number of vectors of a block in one group. */
function vectorsOf({ stretches }: ColumnBlock, rowsPerGroup: number): number {
  return stretches === undefined ? rowsPerGroup : 1;
}

/** Distance from one vector of a block to the next, in float64. */
function vectorStride({ columns }: ColumnBlock): number {
  return HEADER + padded(columns);
}

/** For each number the sum of the numbers before it; at the end the sum of all. */
function sumsBefore(numbers: readonly number[]): number[] {
  const sums = [0];
  for (const number of numbers) sums.push(sums[sums.length - 1] + number);
  return sums;
}
