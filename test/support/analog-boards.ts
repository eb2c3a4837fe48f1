import { CellArray } from '../../emulator/analog/cell-array.js';
import type { Die } from '../../emulator/analog/die.js';
import { fastestTicks } from '../../emulator/kernel/kernel-ticks.js';
import type { BoardProfile } from '../../emulator/profiles/board-profile.js';
import { findProfile } from '../../emulator/profiles/profiles.js';
import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';

/** An ideal board of any size for both modes. */
export function idealBoard(overrides: Partial<BoardProfile>, dieSeed = 1): Die {
  const profile = findProfile('ideal-8');
  if (!profile) throw new Error('bug: no profile ideal-8');
  return { profile: { ...profile, name: 'test', ...overrides }, dieSeed };
}

/** An image of a program. Without other parts it has no drive, no damping and no noise. */
export function programImage(
  parts: Partial<ProgramImage> & Pick<ProgramImage, 'cells' | 'couplings'>,
): ProgramImage {
  return {
    mode: PROGRAM_MODE.dense,
    rows: parts.cells,
    couplingBits: 16,
    rowAttenuation: 0,
    drive: new Int16Array(parts.cells),
    initialState: new Int16Array(parts.cells),
    damping: 0,
    noiseAmplitude: 0,
    noiseShift: 8,
    ...parts,
  };
}

/** The cells of a new board, with the quickest implementation of ticks on this machine. */
export function cellArray(die: Die): CellArray {
  return new CellArray(die, fastestTicks(die));
}

/** A new board with the initial state of the image. */
export function loadedArray(die: Die, image: ProgramImage): CellArray {
  const array = cellArray(die);
  array.loadInitialState(image.initialState);
  return array;
}

/** The state on which later ticks depend: plain arrays of the first cells and rows. */
export function arrayState(array: CellArray, cells: number, rows: number) {
  return {
    v: Array.from(array.v.subarray(0, cells)),
    c: Array.from(array.c.subarray(0, cells)),
    r: Array.from(array.r.subarray(0, cells)),
    q: Array.from(array.q.subarray(0, rows)),
    cellFlags: Array.from(array.cellFlags.subarray(0, cells)),
    rowFlags: Array.from(array.rowFlags.subarray(0, rows)),
  };
}

/**
 * Uniform integers low … high from a 32-bit seed (mulberry32): for problems, not for statistics of the board.
 */
export function integersFrom(seed: number): (low: number, high: number) => number {
  let state = seed | 0;
  return (low, high) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return low + (((mixed ^ (mixed >>> 14)) >>> 0) % (high - low + 1));
  };
}
