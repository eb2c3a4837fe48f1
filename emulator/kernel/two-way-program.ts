import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import type { ProgramArrays } from '../analog/effective-program.js';
import {
  ARRAY_UNIT,
  type KernelMap,
  PANEL_ROWS,
  padTo,
  rowOutputMax,
  type SlotMap,
  TWO_WAY_ROWS,
  twoWayTableStride,
} from './kernel-map.js';
import type { KernelInstance } from './kernel-module.js';

const INT32_MAX = 2147483647;
/**
 * Below this many bytes it is no slower to read the arrays twice. It is about half of a second-level cache.
 */
export const TWO_WAY_BYTES_MIN = 1 << 20;
/** Column pairs of a diagonal block. */
const DIAGONAL_PAIRS = TWO_WAY_ROWS / 2;

export interface TwoWayArray {
  /** Whether codes are stored as int8. */
  readonly bytes: boolean;
  readonly pairs: number;
  /** Bytes of a panel's table of ranges; 0 if it has no such table. */
  readonly rangesStride: number;
  /** Bytes from the table of row ranges to the table of row pairs; 0 if there are no row pairs. */
  readonly columnTable: number;
  /** Rows with padding. */
  readonly rows: number;
}

/**
 * Packs a factored program whose second array is its first, or the upper half of a symmetric dense one, for
 * products that read each coupling once. Undefined if that is impossible or slower: for a small program, for
 * two different arrays, or if the sums of one panel could pass 32 bits. `inputMax` bounds the array's input
 * w.
 */
export function packTwoWay(
  kernel: KernelInstance,
  map: KernelMap,
  slot: SlotMap,
  program: ProgramArrays,
  inputMax: number,
  bytesMin: number,
): TwoWayArray | undefined {
  const factored = program.mode === PROGRAM_MODE.factored;
  const { cells, forward } = program;
  if (!(forward instanceof Int16Array)) return undefined;
  const bytes = (factored ? 4 : 2) * program.rows * cells;
  if (bytes < bytesMin) return undefined;
  if (factored ? program.transposed !== forward : !isSymmetric(forward, cells)) return undefined;
  const columns = padTo(factored ? ARRAY_UNIT : TWO_WAY_ROWS, cells);
  const rows = padTo(TWO_WAY_ROWS, program.rows);
  const pairs = columns / 2;
  const inputLimit = Math.floor(INT32_MAX / inputMax);
  const columnLimit = factored ? Math.floor(INT32_MAX / rowOutputMax(program)) : inputLimit;
  const tableStride = twoWayTableStride(columns);
  const table = new Int32Array(kernel.buffer, slot.blocks, (rows / TWO_WAY_ROWS) * (tableStride / 4));
  const staging = new Int16Array(kernel.buffer, map.staging, PANEL_ROWS * columns);
  const norms = new Int32Array(kernel.buffer, map.columnNorms, columns);
  norms.fill(0);
  const scratch = map.columnNorms + 4 * columns;
  let to = slot.couplings;
  for (let first = 0; first < rows; first += TWO_WAY_ROWS) {
    staging.fill(0, 0, TWO_WAY_ROWS * columns);
    const last = Math.min(first + TWO_WAY_ROWS, program.rows);
    for (let row = first; row < last; row++)
      staging.set(forward.subarray(row * cells, (row + 1) * cells), (row - first) * columns);
    const skipped = factored ? 0 : first / 2;
    const panel = to;
    const panelPairs = pairs - skipped;
    kernel.packRows(map.staging + 4 * skipped, 2 * columns, TWO_WAY_ROWS, panelPairs, panel);
    to += 4 * TWO_WAY_ROWS * panelPairs;
    const row = (first / TWO_WAY_ROWS) * (tableStride / 4);
    const entry = slot.blocks + 4 * row;
    const diagonal = factored ? 0 : DIAGONAL_PAIRS;
    const rest = panel + 4 * TWO_WAY_ROWS * diagonal;
    if (diagonal > 0) {
      kernel.cutBlocks(panel, TWO_WAY_ROWS, diagonal, inputLimit, entry + 4, map.norms);
      if (table[row + 1] !== 1) return undefined;
    }
    const normsAt = map.columnNorms + 8 * (skipped + diagonal);
    const flush = kernel.columnNorms(rest, panelPairs - diagonal, columnLimit, normsAt, scratch);
    if (flush < 0) return undefined;
    // A flush empties the sums of all columns, also of the columns that this panel does not touch. The norms
    // of those columns stay too large, which is safe.
    table[row] = flush;
    kernel.cutBlocks(rest, TWO_WAY_ROWS, panelPairs - diagonal, inputLimit, entry + 4, map.norms);
  }
  return { pairs, rows, bytes: false, rangesStride: 0, columnTable: 0 };
}

const TILE = 64;

/** Whether g_ij = g_ji. It goes tile by tile, because a large array is slow to read by columns. */
export function isSymmetric(couplings: Int8Array | Int16Array, cells: number): boolean {
  for (let top = 0; top < cells; top += TILE)
    for (let left = 0; left <= top; left += TILE) {
      const bottom = Math.min(top + TILE, cells);
      for (let i = top; i < bottom; i++) {
        const right = Math.min(left + TILE, i);
        for (let j = left; j < right; j++)
          if (couplings[i * cells + j] !== couplings[j * cells + i]) return false;
      }
    }
  return true;
}
