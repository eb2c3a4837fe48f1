import { GAUSSIAN_TABLE } from '../../firmware-protocol/gaussian-table.generated.js';
import { ROW_RAIL, ROW_TABLE_NODES } from '../../firmware-protocol/limits.js';
import type { BoardProfile } from '../profiles/board-profile.js';
import { PARAMETER_BYTES } from './parameter-block.js';

/** The numbers of cells, rows and columns of an array are multiples of 8. */
export const ARRAY_UNIT = 8;
/** Random words are made for 32 cells at once, so there must be room for a multiple of 32 cells. */
const CELL_UNIT = 32;
/** Rows of a large panel of couplings. */
export const PANEL_ROWS = 32;
/** Rows of a panel, for an array that is used for rows and for columns (assembly/two-way.ts). */
export const TWO_WAY_ROWS = 16;
/** The AssemblyScript compiler uses the memory below this address. */
const FIRST_ADDRESS = 4096;
const ALIGNMENT = 64;
/** Bytes of round keys 3 … 10. Each key is stored as two vectors of four equal lanes. */
const KEY_BYTES = 256;
/** Bytes kept for four groups of noise, which are 16 cells. */
const GROUP_BYTES = 48;

export function padTo(unit: number, count: number): number {
  return Math.floor((count + unit - 1) / unit) * unit;
}

export const paddedCells = (cells: number) => padTo(ARRAY_UNIT, cells);

/** Addresses of the parts of one program. A slot is a bank of the board as the kernel sees it. */
export interface SlotMap {
  readonly drive: number;
  readonly damping: number;
  readonly constant: number;
  readonly amplitude: number;
  readonly couplings: number;
  readonly blocks: number;
  readonly rowTable: number;
}

/**
 * Addresses of everything in a board's kernel memory. The memory has room for the largest programs, so it
 * never grows.
 */
export interface KernelMap {
  readonly bytes: number;
  readonly parameters: number;
  readonly v: number;
  readonly c: number;
  readonly r: number;
  readonly q: number;
  readonly cellFlags: number;
  readonly rowFlags: number;
  readonly w: number;
  readonly y: number;
  readonly s: number;
  readonly narrowS: number;
  readonly adc: number;
  readonly u: number;
  readonly panelSums: number;
  readonly spared: number;
  readonly words: number;
  readonly z: number;
  readonly eta: number;
  readonly gaussianTable: number;
  readonly keys: number;
  readonly groups: number;
  readonly norms: number;
  readonly staging: number;
  readonly spread: number;
  readonly columns: number;
  readonly columnNorms: number;
  readonly slots: readonly SlotMap[];
}

export function kernelMap(profile: BoardProfile): KernelMap {
  const cells = padTo(CELL_UNIT, profile.cells);
  const rows = padTo(PANEL_ROWS, profile.rows);
  let next = FIRST_ADDRESS;
  const take = (bytes: number): number => {
    const address = next;
    next = padTo(ALIGNMENT, next + bytes);
    return address;
  };
  const fixed = {
    parameters: take(PARAMETER_BYTES),
    v: take(4 * cells),
    c: take(4 * cells),
    r: take(4 * cells),
    q: take(4 * rows),
    cellFlags: take(cells),
    rowFlags: take(rows),
    w: take(2 * cells),
    y: take(2 * rows),
    s: take(8 * cells),
    narrowS: take(4 * cells),
    adc: take(2 * cells),
    u: take(8 * rows),
    panelSums: take(4 * PANEL_ROWS),
    spared: take(4 * (ARRAY_UNIT + TWO_WAY_ROWS)),
    words: take(4 * cells),
    z: take(4 * cells),
    eta: take(4 * cells),
    gaussianTable: take(GAUSSIAN_TABLE.byteLength),
    keys: take(KEY_BYTES),
    groups: take((cells / 16) * GROUP_BYTES),
    norms: take(8 * PANEL_ROWS),
    staging: take(2 * PANEL_ROWS * cells),
    spread: take(4 * TWO_WAY_ROWS),
    columns: take(8 * cells),
    columnNorms: take(8 * cells),
  };
  const sizes = slotSizes(profile);
  const slots = Array.from({ length: profile.banks }, () => ({
    drive: take(4 * cells),
    damping: take(4 * cells),
    constant: take(8 * cells),
    amplitude: take(4 * cells),
    couplings: take(sizes.couplings),
    blocks: take(sizes.blocks),
    rowTable: take(2 * (ROW_TABLE_NODES + 1)),
  }));
  return { ...fixed, slots, bytes: next };
}

/**
 * Bytes for the largest program of either mode: one array of a dense program, at most two of a factored one.
 */
function slotSizes(profile: BoardProfile): { couplings: number; blocks: number } {
  const cells = padTo(TWO_WAY_ROWS, profile.cells);
  const rows = padTo(TWO_WAY_ROWS, profile.rows);
  const dense = profile.dense ? 2 * cells * cells : 0;
  const factored = profile.factored ? 4 * rows * cells : 0;
  const blocks = Math.max(
    profile.dense ? blockTableBytesMax(cells, cells) : 0,
    profile.dense ? twoWayTableBytes(cells, cells) : 0,
    profile.factored ? blockTableBytesMax(rows, cells) + blockTableBytesMax(cells, rows) : 0,
    profile.factored ? twoWayTableBytes(rows, cells) : 0,
    profile.factored ? (rows / ARRAY_UNIT) * rangesStride(cells) : 0,
    profile.factored ? rowRangesBytes(rows, cells) + columnPairsBytes(rows, cells) : 0,
  );
  return { couplings: Math.max(dense, factored), blocks };
}

const INT16_BOUND = 32768;

/**
 * An upper bound of |F| for the rows of a program, before the row drive is subtracted (device-model.md, "One
 * tick").
 */
export function rowOutputMax({ linearRows, rows }: { readonly linearRows: number; readonly rows: number }) {
  return linearRows < rows ? INT16_BOUND : ROW_RAIL;
}

/**
 * Bytes of a table that holds for each panel the number of blocks and their lengths. A panel has at most one
 * block per column pair.
 */
export function blockTableBytes(sums: number, columns: number): number {
  return panelCount(sums) * blockTableStride(columns);
}

/**
 * The largest `blockTableBytes` of all arrays of at most this size. A smaller array may have up to 3 panels
 * of 8 rows.
 */
function blockTableBytesMax(sums: number, columns: number): number {
  return (largePanels(sums) + 3) * blockTableStride(columns);
}

export const blockTableStride = (columns: number) => 4 * (1 + columns / 2);

/** The number of panels of an array: panels of 32 rows, and panels of 8 for the rest. */
export function panelCount(sums: number): number {
  return largePanels(sums) + smallPanels(sums);
}

export const largePanels = (sums: number) => sums >> 5;
export const smallPanels = (sums: number) => (sums & 31) >> 3;

/**
 * Bytes of the table of a panel of 16 rows: whether column sums are flushed, the number of blocks, and their
 * lengths. There is at most one block per column pair.
 */
export const twoWayTableStride = (columns: number) => 4 * (2 + columns / 2);

/**
 * Bytes of the table of a panel of 8 rows of int8: whether column sums are flushed, the number of ranges, and
 * two numbers for each. A range has at least 8 column pairs. Between two ranges lie at least 16 pairs of
 * zeros, unless the first of the two was cut: then it has at least 224 pairs.
 */
export const rangesStride = (columns: number) => 4 * (2 + 2 * (Math.floor(columns / 32) + 2));

/**
 * Bytes of the table of `packRowRanges`: for each row a count, and two numbers for each range. Between two
 * ranges lie at least two blocks of 16 columns, unless the first of the two was cut: then it has at least 126
 * blocks.
 */
export const rowRangesBytes = (rows: number, columns: number) =>
  rows * 4 * (1 + 2 * (Math.floor(columns / 32) + 2));

/**
 * Bytes of the table of `packColumnPairs`: for each 16 columns the number of pairs of rows, and one offset
 * for each pair.
 */
const columnPairsBytes = (rows: number, columns: number) => (columns / 16) * 4 * (1 + rows / 2);

function twoWayTableBytes(rows: number, columns: number): number {
  return (rows / TWO_WAY_ROWS) * twoWayTableStride(columns);
}
