import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import type { ProgramArrays } from '../analog/effective-program.js';
import {
  ARRAY_UNIT,
  blockTableBytes,
  blockTableStride,
  type KernelMap,
  largePanels,
  PANEL_ROWS,
  padTo,
  panelCount,
  rangesStride,
  rowOutputMax,
  rowRangesBytes,
  type SlotMap,
  smallPanels,
  TWO_WAY_ROWS,
  twoWayTableStride,
} from './kernel-map.js';
import type { KernelInstance } from './kernel-module.js';
import type { PackedArray, PackedCouplings } from './kernel-program.js';
import { isSymmetric, type TwoWayArray } from './two-way-program.js';

const INT32_MAX = 2147483647;
/** The largest magnitude of a code. */
const CODE_MAX = 128;
/** Codes are loaded 16 at a time. The number of columns is therefore a multiple of 16. */
const COLUMN_UNIT = 16;
/** The most column pairs whose sums fit 32 bits: 2 · 256 · 128 · 2¹⁵ is 2³¹, and no input is +2¹⁵. */
const RANGE_PAIRS_MAX = 256;
/** Column pairs of a diagonal block. */
const DIAGONAL_PAIRS = TWO_WAY_ROWS / 2;

/** The source of an array and the place where it is packed. */
interface Packing {
  readonly kernel: KernelInstance;
  readonly map: KernelMap;
  readonly slot: SlotMap;
  readonly program: ProgramArrays;
  /** Bounds the array's input w. */
  readonly inputMax: number;
}

/**
 * Packs a program whose couplings are int8 as int8. Undefined for other couplings, and for a program that
 * takes less than `bytesMin` bytes as int16. Such a small program stays in a cache, and to widen int8 in each
 * tick takes longer than to read int16. A larger program is read in half the time. One array serves both
 * products in the same cases as in `packTwoWay`. Sums are smaller by the factor 2^couplingShift, so they
 * rarely need widening before the end.
 */
export function packBytes(packing: Packing, bytesMin: number): PackedCouplings | TwoWayArray | undefined {
  const { mode, rows, cells, forward, transposed } = packing.program;
  if (!(forward instanceof Int8Array && transposed instanceof Int8Array)) return undefined;
  const factored = mode === PROGRAM_MODE.factored;
  if ((factored ? 4 : 2) * rows * cells < bytesMin) return undefined;
  const isOneArray = transposed === forward;
  if (factored && isOneArray) return packRowRanges(packing) ?? packPanels(packing);
  if (!factored && isSymmetric(forward, cells)) return packUpperHalf(packing);
  const columns = padTo(COLUMN_UNIT, cells);
  const padded = padTo(ARRAY_UNIT, rows);
  const second = packing.slot.couplings + padded * columns;
  const toSecond = factored ? second : undefined;
  const norm = packArray(packing, forward, packing.slot.couplings, isOneArray ? toSecond : undefined);
  if (factored && !isOneArray) packArray(packing, transposed, undefined, second);
  const secondBlocks = packing.slot.blocks + blockTableBytes(padded, columns);
  return {
    forward: cutArray(packing, packing.slot.couplings, packing.slot.blocks, {
      sums: padded,
      columns,
      norm,
      inputMax: packing.inputMax,
    }),
    transposed: factored
      ? cutArray(packing, second, secondBlocks, {
          sums: columns,
          columns: padded,
          norm: CODE_MAX * rows,
          inputMax: rowOutputMax(packing.program),
        })
      : undefined,
    bytes: true,
  };
}

/**
 * Copies up to 32 rows, from `first` on, to the staging area. Zeros fill it up to `count` rows of `columns`.
 */
function stage(
  { kernel, map, program: { cells, rows } }: Packing,
  couplings: Int8Array,
  first: number,
  count: number,
  columns: number,
): void {
  const staging = new Int8Array(kernel.buffer, map.staging, count * columns);
  const last = Math.min(first + count, rows);
  if (cells === columns) staging.set(couplings.subarray(first * cells, last * cells));
  else
    for (let row = first; row < last; row++) {
      const to = (row - first) * columns;
      staging.set(couplings.subarray(row * cells, (row + 1) * cells), to);
      staging.fill(0, to + cells, to + columns);
    }
  staging.fill(0, (last - first) * columns);
}

/** Packs row-major codes into panels of rows, of columns, or both. Returns the largest Σ|code| of a row. */
function packArray(
  packing: Packing,
  couplings: Int8Array,
  toRows: number | undefined,
  toColumns: number | undefined,
): number {
  const { kernel, map, program } = packing;
  const columns = padTo(COLUMN_UNIT, program.cells);
  const rows = padTo(ARRAY_UNIT, program.rows);
  let norm = 0;
  for (let first = 0; first < rows; first += PANEL_ROWS) {
    const count = Math.min(PANEL_ROWS, rows - first);
    stage(packing, couplings, first, count, columns);
    norm = Math.max(norm, kernel.largestByteNorm(map.staging, columns, count));
    const panelRows = count === PANEL_ROWS ? PANEL_ROWS : ARRAY_UNIT;
    if (toRows !== undefined)
      for (let row = 0; row < count; row += panelRows)
        kernel.packByteRows(
          map.staging + row * columns,
          columns,
          panelRows,
          columns / 2,
          toRows + (first + row) * columns,
        );
    if (toColumns !== undefined)
      for (let column = 0; column < columns; ) {
        const width = column + PANEL_ROWS <= columns ? PANEL_ROWS : ARRAY_UNIT;
        const to = toColumns + column * rows + first * width;
        kernel.packByteColumns(map.staging + column, columns, width, count / 2, to);
        column += width;
      }
  }
  return norm;
}

interface Cut {
  readonly sums: number;
  readonly columns: number;
  /** No row has a larger Σ|code|. */
  readonly norm: number;
  readonly inputMax: number;
}

/** Fills the block table of an array. All its panels have the same blocks. */
function cutArray(
  { kernel, program }: Packing,
  couplings: number,
  blocks: number,
  { sums, columns, norm, inputMax }: Cut,
): PackedArray {
  const pairs = columns / 2;
  const words = blockTableStride(columns) / 4;
  const panels = panelCount(sums);
  const table = new Int32Array(kernel.buffer, blocks, panels * words);
  for (let panel = 0; panel < panels; panel++)
    writeBlocks(table, panel * words, pairs, blockPairs(pairs, norm, inputMax));
  return {
    couplings,
    blocks,
    pairs,
    panels: largePanels(sums),
    smallPanels: smallPanels(sums),
    norm: norm * (1 << program.couplingShift),
  };
}

/**
 * The number of column pairs of a block for which Σ|code|·|w| cannot pass 2³¹ − 1. It is all pairs, or the
 * number that is safe even if every code is the largest.
 */
function blockPairs(pairs: number, norm: number, inputMax: number): number {
  const limit = Math.floor(INT32_MAX / inputMax);
  return norm <= limit ? pairs : Math.floor(limit / (2 * CODE_MAX));
}

/** Writes the number of blocks and the length of each to `table`, from `at` on. */
function writeBlocks(table: Int32Array, at: number, pairs: number, lengthMax: number): void {
  let count = 0;
  for (let done = 0; done < pairs; done += lengthMax) table[at + ++count] = Math.min(lengthMax, pairs - done);
  table[at] = count;
}

/** Packs the upper half of a symmetric dense program, which each tick reads once for both products. */
function packUpperHalf(packing: Packing): TwoWayArray {
  const { kernel, map, slot, program, inputMax } = packing;
  const columns = padTo(COLUMN_UNIT, program.cells);
  const pairs = columns / 2;
  const words = twoWayTableStride(columns) / 4;
  const panels = columns / TWO_WAY_ROWS;
  const table = new Int32Array(kernel.buffer, slot.blocks, panels * words);
  const together = panelsTogether(inputMax, TWO_WAY_ROWS);
  let to = slot.couplings;
  for (let panel = 0; panel < panels; panel++) {
    const first = panel * TWO_WAY_ROWS;
    stage(packing, program.forward as Int8Array, first, TWO_WAY_ROWS, columns);
    const norm = kernel.largestByteNorm(map.staging, columns, TWO_WAY_ROWS);
    const panelPairs = pairs - first / 2;
    kernel.packByteRows(map.staging + first, columns, TWO_WAY_ROWS, panelPairs, to);
    to += 2 * TWO_WAY_ROWS * panelPairs;
    table[panel * words] = panel > 0 && panel % together === 0 ? 1 : 0;
    writeBlocks(table, panel * words + 1, panelPairs - DIAGONAL_PAIRS, blockPairs(pairs, norm, inputMax));
  }
  return { pairs, rows: columns, bytes: true, rangesStride: 0, columnTable: 0 };
}

/**
 * Packs a factored program without blocks of zeros, once for the sums of rows and once for the sums of
 * columns. Undefined if more than half of the codes would be kept. The second copy would then cost more than
 * the zeros save.
 */
function packRowRanges({ kernel, slot, program }: Packing): TwoWayArray | undefined {
  const { cells, rows: used, forward } = program;
  const columns = padTo(COLUMN_UNIT, cells);
  const rows = padTo(ARRAY_UNIT, used);
  const bytes = rows * columns;
  // The slot has room for 4 · `bytes`.
  const rowMajor = slot.couplings + 2 * bytes;
  const codes = new Int8Array(kernel.buffer, rowMajor, bytes);
  if (cells === columns) codes.set(forward);
  else
    for (let row = 0; row < used; row++) {
      codes.set(forward.subarray(row * cells, (row + 1) * cells), row * columns);
      codes.fill(0, row * columns + cells, (row + 1) * columns);
    }
  codes.fill(0, used * columns);
  const kept = kernel.packRowRanges(rowMajor, columns, rows, slot.couplings, slot.blocks);
  if (kept > bytes / 2) return undefined;
  const columnTable = rowRangesBytes(rows, columns);
  kernel.packColumnPairs(rowMajor, columns, rows, slot.couplings + bytes, slot.blocks + columnTable);
  return { pairs: columns / 2, rows, bytes: true, rangesStride: 0, columnTable };
}

/**
 * Packs the one array of a factored program, without the column pairs in which all 8 rows of a panel are
 * zero.
 */
function packPanels(packing: Packing): TwoWayArray {
  const { kernel, map, slot, program } = packing;
  const columns = padTo(COLUMN_UNIT, program.cells);
  const rows = padTo(ARRAY_UNIT, program.rows);
  const pairs = columns / 2;
  const stride = rangesStride(columns);
  const words = stride / 4;
  const table = new Int32Array(kernel.buffer, slot.blocks, (rows / ARRAY_UNIT) * words);
  const together = panelsTogether(rowOutputMax(program), ARRAY_UNIT);
  for (let first = 0; first < rows; first += ARRAY_UNIT) {
    stage(packing, program.forward as Int8Array, first, ARRAY_UNIT, columns);
    const panel = first / ARRAY_UNIT;
    const at = panel * words;
    table[at] = panel > 0 && panel % together === 0 ? 1 : 0;
    kernel.byteRanges(map.staging, columns, pairs, RANGE_PAIRS_MAX, slot.blocks + panel * stride + 4);
    const to = slot.couplings + first * columns;
    for (let range = at + 2; range < at + 2 + 2 * table[at + 1]; range += 2) {
      const start = table[range];
      kernel.packByteRows(
        map.staging + 2 * start,
        columns,
        ARRAY_UNIT,
        table[range + 1],
        to + 2 * ARRAY_UNIT * start,
      );
    }
  }
  return { pairs, rows, bytes: true, rangesStride: stride, columnTable: 0 };
}

/** How many panels of this many rows can add to the sum of a column before the sum can pass 2³¹ − 1. */
function panelsTogether(inputMax: number, panelRows: number): number {
  return Math.floor(INT32_MAX / (inputMax * panelRows * CODE_MAX));
}
