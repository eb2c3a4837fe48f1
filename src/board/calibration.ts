import { ThermolinkError } from '../errors.js';
import { counted } from '../number-text.js';

/** Names the board that was measured, as its HELLO does. */
export interface BoardName {
  readonly model: string;
  readonly serialNumber: string;
  readonly cells: number;
}

/**
 * The measured properties of one board. Each list has N entries, and entry i belongs to cell i. Units: v in
 * V_fs, e and x in V_fs·G_fs, conductances in G_fs. A value that could not be measured is the nominal one.
 */
export interface BoardCalibration {
  readonly board: BoardName;
  /** A reading r of the voltage v: r = offset + gain·v + curvature·v². */
  readonly adcOffset: Float64Array;
  readonly adcGain: Float64Array;
  readonly adcCurvature: Float64Array;
  /** The drive e of a cell whose programmed drive is x: e = offset + gain·x + curvature·x². */
  readonly driveOffset: Float64Array;
  readonly driveGain: Float64Array;
  readonly driveCurvature: Float64Array;
  /** Conductance to ground that a cell has in addition to the damping. */
  readonly leakage: Float64Array;
  /** Time constant of the cell, in τ. */
  readonly timeConstant: Float64Array;
  /** Noise temperature of the cell, relative to κ of the register. */
  readonly noiseTemperature: Float64Array;
  /**
   * The line of a cell in the dense array picks up these shares of the next line and of the previous line.
   */
  readonly fromNext: Float64Array;
  readonly fromBefore: Float64Array;
  /**
   * ε of the dense array, N×N row-major: a crosspoint is (1 + ε) times its programmed value. Undefined if not
   * measured.
   */
  readonly couplingErrors: Float64Array | undefined;
}

/** The lists of a calibration that have one entry per cell. */
export const CELL_QUANTITIES = [
  'adcOffset',
  'adcGain',
  'adcCurvature',
  'driveOffset',
  'driveGain',
  'driveCurvature',
  'leakage',
  'timeConstant',
  'noiseTemperature',
  'fromNext',
  'fromBefore',
] as const satisfies readonly (keyof BoardCalibration)[];
/** A quantity that a calibration has for every cell. */
export type CellQuantity = (typeof CELL_QUANTITIES)[number];

/** The value of a quantity on a board without imperfections. */
export function nominalValue(quantity: CellQuantity): number {
  const unity: readonly CellQuantity[] = ['adcGain', 'driveGain', 'timeConstant', 'noiseTemperature'];
  return unity.includes(quantity) ? 1 : 0;
}

/** Refuses a calibration of another board: BAD_CALIBRATION with the names of both. */
export function refuseForeign(calibrated: BoardName, board: BoardName): void {
  if (
    calibrated.model === board.model &&
    calibrated.serialNumber === board.serialNumber &&
    calibrated.cells === board.cells
  )
    return;
  throw new ThermolinkError(
    'BAD_CALIBRATION',
    `The calibration is of ${nameOf(calibrated)}, but the board is ${nameOf(board)}.`,
    {
      hint: 'Use the calibration of this board, or make one: thermolink calibrate.',
      data: { calibrated: { ...calibrated }, board: boardName(board) },
    },
  );
}

/** The part of an identity that names the board. */
export function boardName({ model, serialNumber, cells }: BoardName): BoardName {
  return { model, serialNumber, cells };
}

function nameOf({ model, serialNumber, cells }: BoardName): string {
  return `${model} "${serialNumber}" with ${counted(cells, 'cell')}`;
}
