import { PROGRAM_MODE } from '../../firmware-protocol/program-image.js';
import { type BoardModel, nominalModel } from '../board/board-model.js';
import { adcStep } from '../board/board-range.js';
import { calibratedModel } from '../board/calibrated-model.js';
import type { BoardCalibration } from '../board/calibration.js';
import type { SystemCodes } from '../board/quantize.js';
import { assert } from '../errors.js';
import { matVec, norm2 } from '../linalg/products.js';
import { arrayOfBits, type LabBoard } from './lab-board.js';

/** Relative residuals ‖e − A v‖₂/‖e‖₂ over all runs and cells, for two descriptions A of the board. */
export interface Residuals {
  /** Relative residual with the programmed values. */
  readonly nominal: number;
  /** Relative residual with the values that the calibration predicts for the programs on this board. */
  readonly calibrated: number;
  readonly runs: number;
}

/** Number of programs. Each needs an upload of its couplings. */
const PROGRAMS = 4;
const DRIVES = 4;
const DAMPING = 2;
/**
 * σ√N of the couplings in G_fs, where σ is their standard deviation. The eigenvalues of such a random matrix
 * lie within this radius, and those of its symmetric part within √2 times this radius (circular and
 * semicircle laws). On small boards they exceed it a little. The damping makes all programs stable.
 */
const RADIUS = 0.6;
const STAGE = 70_000;

/**
 * Measures residuals with programs that were not used for the calibration: random couplings in every
 * crosspoint and random drives. They are read at equilibrium, where A v = e holds for the true A and e of the
 * board.
 */
export async function measureResiduals(
  board: LabBoard,
  calibration: BoardCalibration,
  silent: readonly number[],
): Promise<Residuals> {
  const { cells, identity } = board;
  const random = board.random(STAGE);
  const models = { nominal: nominalModel(identity), calibrated: calibratedModel(calibration, identity) };
  const squares = { nominal: 0, calibrated: 0, drive: 0 };
  const bits = identity.couplingBits;
  const unit = 2 ** (bits - 1);
  const largestCode = Math.min(unit - 1, Math.floor(RADIUS * unit * Math.sqrt(3 / cells)));
  const margin = DAMPING - RADIUS * Math.SQRT2;
  const largestDrive = Math.min(margin * board.voltageMax, 0.9 * identity.driveRange) / board.driveStep;
  for (let program = 0; program < PROGRAMS; program++) {
    const codes = arrayOfBits(bits, cells * cells);
    for (let k = 0; k < codes.length; k++) {
      const code = Math.round((2 * random.uniform() - 1) * largestCode);
      // The voltage of a silent cell is unknown, so no cell is coupled to it.
      codes[k] = silent.includes(k % cells) ? 0 : code;
    }
    for (let run = 0; run < DRIVES; run++) {
      const drive = Int16Array.from({ length: cells }, () =>
        Math.round((2 * random.uniform() - 1) * largestDrive),
      );
      await board.program({ damping: DAMPING, drive }, { codes, bits });
      const read = await board.readOnce(board.settleTicks(margin / 2));
      const readings = read.map((volts) => volts / adcStep(identity.adcBits));
      const couplings = systemCodes(codes, bits, cells);
      for (const name of ['nominal', 'calibrated'] as const) {
        const { left, driven } = residual(models[name], couplings, drive, readings, silent);
        squares[name] += left ** 2;
        if (name === 'nominal') squares.drive += driven ** 2;
      }
    }
  }
  return {
    nominal: Math.sqrt(squares.nominal / squares.drive),
    calibrated: Math.sqrt(squares.calibrated / squares.drive),
    runs: PROGRAMS * DRIVES,
  };
}

function systemCodes(couplings: Int8Array | Int16Array, couplingBits: number, cells: number): SystemCodes {
  return {
    mode: PROGRAM_MODE.dense,
    cells,
    rows: cells,
    couplingBits,
    rowAttenuation: 0,
    couplings,
    damping: DAMPING * 2 ** 15,
  };
}

/** ‖e − A v‖₂ and ‖e‖₂ over all cells that are not silent. */
function residual(
  model: BoardModel,
  codes: SystemCodes,
  drive: Int16Array,
  readings: Float64Array,
  silent: readonly number[],
): { left: number; driven: number } {
  const scaling = {
    systemScale: 1,
    solutionScale: 1,
    couplingBits: codes.couplingBits,
    rowAttenuation: 0,
  };
  const system = model.programmedSystem(codes, 1);
  assert(system.kind === 'dense', 'residuals are of dense programs');
  const driven = model.programmedDrive(drive, scaling);
  const image = matVec(system.matrix, model.readOut(readings, 1));
  const left = driven.map((e, i) => e - image[i]);
  for (const cell of silent) left[cell] = driven[cell] = 0;
  return { left: norm2(left), driven: norm2(driven) };
}
