import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import { columnSums } from '../analog/array-product.js';
import type { EffectiveProgram, ProgramArrays } from '../analog/effective-program.js';
import {
  ARRAY_UNIT,
  blockTableBytes,
  blockTableStride,
  type KernelMap,
  largePanels,
  PANEL_ROWS,
  paddedCells,
  padTo,
  panelCount,
  rowOutputMax,
  type SlotMap,
  smallPanels,
} from './kernel-map.js';
import type { KernelInstance } from './kernel-module.js';

const INT32_MAX = 2147483647;
const DRIVE_SCALE = 32;

/** One packed array of couplings. */
export interface PackedArray {
  readonly couplings: number;
  readonly blocks: number;
  readonly pairs: number;
  readonly panels: number;
  readonly smallPanels: number;
  /** The largest Σ|g| of a row, or an upper bound of it, in 2⁻¹⁵ G_fs. */
  readonly norm: number;
}

export interface PackedCouplings {
  /** Whether codes are stored as int8. */
  readonly bytes: boolean;
  readonly forward: PackedArray;
  readonly transposed: PackedArray | undefined;
}

/** Puts a program's couplings into a slot. `inputMax` bounds the array's input w. */
export function packCouplings(
  kernel: KernelInstance,
  map: KernelMap,
  slot: SlotMap,
  program: ProgramArrays,
  inputMax: number,
): PackedCouplings {
  const columns = padTo(ARRAY_UNIT, program.cells);
  const rows = padTo(ARRAY_UNIT, program.rows);
  const factored = program.mode === PROGRAM_MODE.factored;
  const second = slot.couplings + 2 * rows * columns;
  const sameArrays = program.transposed === program.forward;
  const toSecond = factored ? second : undefined;
  packArray(kernel, map, program, program.forward, slot.couplings, sameArrays ? toSecond : undefined);
  if (factored && !sameArrays) packArray(kernel, map, program, program.transposed, undefined, second);
  const unit = 1 << program.couplingShift;
  const forward = cutArray(kernel, map, slot.couplings, slot.blocks, rows, columns, inputMax, unit);
  if (!factored) return { forward, transposed: undefined, bytes: false };
  const secondBlocks = slot.blocks + blockTableBytes(rows, columns);
  return {
    forward,
    transposed: cutArray(kernel, map, second, secondBlocks, columns, rows, rowOutputMax(program), unit),
    bytes: false,
  };
}

/**
 * Packs row-major couplings, 32 rows at a time through the staging area, into panels of rows, of columns, or
 * both.
 */
function packArray(
  kernel: KernelInstance,
  map: KernelMap,
  program: ProgramArrays,
  couplings: EffectiveProgram['forward'],
  toRows: number | undefined,
  toColumns: number | undefined,
): void {
  const { cells } = program;
  const columns = padTo(ARRAY_UNIT, cells);
  const rows = padTo(ARRAY_UNIT, program.rows);
  const stride = 2 * columns;
  const staging = new Int16Array(kernel.buffer, map.staging, PANEL_ROWS * columns);
  for (let first = 0; first < rows; first += PANEL_ROWS) {
    const count = Math.min(PANEL_ROWS, rows - first);
    const last = Math.min(first + PANEL_ROWS, program.rows);
    if (cells === columns) staging.set(couplings.subarray(first * cells, last * cells));
    else
      for (let row = first; row < last; row++)
        staging.set(couplings.subarray(row * cells, (row + 1) * cells), (row - first) * columns);
    zeroPadding(staging, cells, columns, last - first, count);
    if (toRows !== undefined) {
      const to = toRows + first * stride;
      if (count === PANEL_ROWS) kernel.packRows(map.staging, stride, PANEL_ROWS, columns / 2, to);
      else
        for (let row = 0; row < count; row += ARRAY_UNIT)
          kernel.packRows(map.staging + row * stride, stride, ARRAY_UNIT, columns / 2, to + row * stride);
    }
    if (toColumns !== undefined)
      for (let column = 0; column < columns; ) {
        const width = column + PANEL_ROWS <= columns ? PANEL_ROWS : ARRAY_UNIT;
        const to = toColumns + 2 * (column * rows + first * width);
        kernel.packColumns(map.staging + 2 * column, stride, width, count / 2, to);
        column += width;
      }
  }
}

function zeroPadding(staging: Int16Array, cells: number, columns: number, used: number, count: number): void {
  if (cells !== columns)
    for (let row = 0; row < used; row++) staging.fill(0, row * columns + cells, (row + 1) * columns);
  staging.fill(0, used * columns, count * columns);
}

/** Decides where the 32-bit sums of each panel are widened: always before Σ|g|·|w| can pass 2³¹ − 1. */
function cutArray(
  kernel: KernelInstance,
  map: KernelMap,
  couplings: number,
  blocks: number,
  sums: number,
  columns: number,
  inputMax: number,
  unit: number,
): PackedArray {
  const pairs = columns / 2;
  const normMax = Math.floor(INT32_MAX / inputMax);
  const stride = blockTableStride(columns);
  let norm = 0;
  for (let panel = 0, row = 0; panel < panelCount(sums); panel++) {
    const panelRows = panel < largePanels(sums) ? PANEL_ROWS : ARRAY_UNIT;
    const largest = kernel.cutBlocks(
      couplings + 2 * row * columns,
      panelRows,
      pairs,
      normMax,
      blocks + panel * stride,
      map.norms,
    );
    norm = Math.max(norm, largest);
    row += panelRows;
  }
  return {
    couplings,
    blocks,
    pairs,
    panels: largePanels(sums),
    smallPanels: smallPanels(sums),
    norm: unit * norm,
  };
}

/** Puts drive, damping and noise amplitudes into a slot, zero for cells beyond the program. */
export function loadRegisters(kernel: KernelInstance, slot: SlotMap, program: EffectiveProgram): void {
  const padded = paddedCells(program.cells);
  const load = (address: number, values: Int32Array | Float64Array) => {
    const to = new Uint32Array(kernel.buffer, address, padded);
    to.set(values);
    to.fill(0, program.cells);
  };
  load(slot.drive, program.drive);
  load(slot.damping, program.damping);
  load(slot.amplitude, program.noiseAmplitude);
  kernel.integratorConstants(slot.drive, slot.damping, slot.constant, padded);
  if (program.rowDrive) addRowDrive(kernel, slot, program, program.rowDrive);
  if (program.rowTable)
    new Int16Array(kernel.buffer, slot.rowTable, program.rowTable.length).set(program.rowTable);
}

/**
 * S = 2^ρ·Σ k′·(F − d) is the difference of 2^ρ·Σ k′·F and 2^ρ·Σ k′·d. The second sum does not change while
 * the program runs, so it is part of the integrator's constant. The kernel makes the first sum, of 16-bit F.
 * All sums are exact, so the bits are the same.
 */
function addRowDrive(
  kernel: KernelInstance,
  slot: SlotMap,
  { cells, rows, transposed, couplingShift, rowAttenuation }: EffectiveProgram,
  rowDrive: Int32Array,
): void {
  const sums = new Float64Array(cells);
  columnSums(transposed, Float64Array.from(rowDrive), rows, cells, sums);
  const constants = new BigInt64Array(kernel.buffer, slot.constant, cells);
  const unit = 1 << (couplingShift + rowAttenuation);
  for (let i = 0; i < cells; i++) constants[i] += BigInt(unit * sums[i]);
}

/**
 * The largest |w| for which |T| of a dense program fits 32 bits without wider sums; −1 if no |w| fits. `norm`
 * is the largest Σ|g| of a row.
 */
export function narrowInputMax(program: EffectiveProgram, norm: number, carryMax: number): number {
  const { driveMax, dampingMax } = largestRegisters(program);
  const room = INT32_MAX - DRIVE_SCALE * driveMax - carryMax;
  return room < 0 ? -1 : Math.min(INT32_MAX, Math.floor(room / Math.max(1, norm + dampingMax)));
}

/**
 * The largest |T| of any state. `norm` is the largest Σ|g| of a row of the array that makes S.
 * `arrayInputMax` bounds the inputs of that array.
 */
export function integratorBound(
  program: EffectiveProgram,
  norm: number,
  arrayInputMax: number,
  inputMax: number,
  carryMax: number,
): number {
  const { driveMax, dampingMax } = largestRegisters(program);
  const sum = norm * arrayInputMax * (1 << program.rowAttenuation);
  return DRIVE_SCALE * driveMax + sum + dampingMax * inputMax + carryMax;
}

function largestRegisters({ drive, damping }: EffectiveProgram): { driveMax: number; dampingMax: number } {
  // These are plain loops, because they are quick: a board waits for them before its first tick.
  let [least, most] = [0, 0];
  for (let i = 0; i < drive.length; i++) {
    if (drive[i] > most) most = drive[i];
    else if (drive[i] < least) least = drive[i];
  }
  const driveMax = Math.max(most, -least);
  let dampingMax = 0;
  for (let i = 0; i < damping.length; i++) if (damping[i] > dampingMax) dampingMax = damping[i];
  return { driveMax, dampingMax };
}
