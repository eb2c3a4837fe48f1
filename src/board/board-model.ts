import type { LinearSystem } from '../linalg/linear-system.js';
import type { BoardRange } from './board-range.js';
import {
  programmedDrive,
  programmedSystem,
  quantizeDrive,
  quantizeSystem,
  type SystemCodes,
} from './quantize.js';
import { type Scaling, type SystemScaling, undo } from './scaling.js';

/**
 * A model of a board: the codes to program for a problem, the values that the codes stand for, and the
 * meaning of readings. Errors: none.
 */
export interface BoardModel {
  /** Couplings stay below their range by this factor, so the board does not clamp them. */
  readonly couplingMargin: number;
  /**
   * A row that is programmed with a gain needs another damping than the register gives. Its diagonal
   * crosspoint holds the difference, which is at most this share of the damping.
   */
  readonly dampingSpread: number;
  /** Whether the rows are programmed so that all cells have the noise temperature of the register. */
  readonly equalizesNoise: boolean;
  /** Drives stay below their range by this factor. */
  readonly driveMargin: number;
  /**
   * The codes nearest to A, as `quantizeSystem` computes them; `damping` is λ of a dense system, in units of
   * A.
   */
  quantizeSystem(system: LinearSystem, scaling: SystemScaling, damping: number): SystemCodes;
  /** A_q: the system that the codes stand for, in units of the problem. A dense A_q need not be symmetric. */
  programmedSystem(codes: SystemCodes, systemScale: number): LinearSystem;
  /** The codes [N] nearest to b [N]. */
  quantizeDrive(drive: Float64Array, scaling: Scaling): Int16Array<ArrayBuffer>;
  /** b_q [N]: the drive that the codes [N] stand for, in units of the problem. */
  programmedDrive(codes: Int16Array, scaling: Scaling): Float64Array<ArrayBuffer>;
  /** x [N] from one ADC code (or mean of codes) per cell; `solutionScale` is s_x. */
  readOut(codes: ArrayLike<number>, solutionScale: number): Float64Array<ArrayBuffer>;
  /** Standard errors of x [N] from those of ADC codes [N]; `solutionScale` is s_x. */
  readOutSpread(codes: ArrayLike<number>, solutionScale: number): Float64Array<ArrayBuffer>;
}

/** The model of a board without errors except rounding. Errors: none. */
export function nominalModel(range: BoardRange): BoardModel {
  const readOut: BoardModel['readOut'] = (codes, solutionScale) => undo(codes, solutionScale, range.adcBits);
  return {
    couplingMargin: 1,
    dampingSpread: 0,
    equalizesNoise: false,
    driveMargin: 1,
    quantizeSystem,
    programmedSystem,
    quantizeDrive: (drive, scaling) => quantizeDrive(drive, scaling, range),
    programmedDrive: (codes, scaling) => programmedDrive(codes, scaling, range),
    readOut,
    readOutSpread: readOut,
  };
}
