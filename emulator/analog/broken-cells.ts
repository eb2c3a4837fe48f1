import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import { CELL_STATE } from '../imperfections/imperfection.js';
import type { Die } from './die.js';
import { largestDrive } from './drive-dac.js';
import type { EffectiveProgram } from './effective-program.js';

/**
 * The program of a board with broken cells (device-model.md, "Faults on demand"). Nothing reaches a dead
 * cell. Only the supply reaches a cell that runs into its rail. The sound cells still feel the voltages of
 * both.
 */
export function breakCells(
  die: Die,
  cellStates: Uint8Array,
  program: EffectiveProgram,
  couplings: Pick<EffectiveProgram, 'forward' | 'transposed'>,
): EffectiveProgram {
  const { cells } = program;
  const drive = program.drive.slice();
  const damping = program.damping.slice();
  const noiseAmplitude = program.noiseAmplitude.slice();
  for (const cell of brokenCells(cellStates, cells)) {
    const rail = largestDrive(die);
    const state = cellStates[cell];
    drive[cell] = state === CELL_STATE.dead ? 0 : state === CELL_STATE.atUpperRail ? rail : -rail;
    damping[cell] = 0;
    noiseAmplitude[cell] = 0;
  }
  return { ...program, ...couplings, drive, damping, noiseAmplitude };
}

/** The arrays of a program with 0 on the lines that lead to broken cells. */
export function breakLines(
  cellStates: Uint8Array,
  { mode, cells, rows, forward, transposed }: EffectiveProgram,
): Pick<EffectiveProgram, 'forward' | 'transposed'> {
  const broken = brokenCells(cellStates, cells);
  if (mode === PROGRAM_MODE.dense) {
    const out = forward.slice();
    for (const cell of broken) out.fill(0, cell * cells, (cell + 1) * cells);
    return { forward: out, transposed: out };
  }
  const out = transposed.slice();
  for (const cell of broken) for (let row = 0; row < rows; row++) out[row * cells + cell] = 0;
  return { forward, transposed: out };
}

export function brokenCells(cellStates: Uint8Array, cells: number): number[] {
  const broken: number[] = [];
  for (let cell = 0; cell < cells; cell++) if (cellStates[cell] !== CELL_STATE.sound) broken.push(cell);
  return broken;
}
