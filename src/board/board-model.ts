import type { LinearSystem } from '../linalg/linear-system.js';
import type { BoardRange } from './board-range.js';
import {
  programmedDrive,
  programmedSystem,
  quantizeDrive,
  quantizeSystem,
  type SystemCodes,
} from './quantize.js';
import { type Scaling, undo } from './scaling.js';

/**
 * What codes do on a board, both ways: which to program for a problem, what those stand for, and what
 * readings mean. Errors: none.
 */
export interface BoardModel {
  /** Couplings are to stay by this factor below their range, so that nothing is clamped. */
  readonly couplingMargin: number;
  /**
   * How far apart the crosspoints of the diagonal have to move for the cells to agree, as a share of the
   * damping.
   */
  readonly dampingSpread: number;
  /** Whether rows are programmed so that all cells have the noise temperature that the register says. */
  readonly equalizesNoise: boolean;
  /** The same factor for drives. */
  readonly driveMargin: number;
  /**
   * The codes nearest to A, as `quantizeSystem` of this room; `damping` is λ of a dense system, in units of
   * A.
   */
  quantizeSystem(system: LinearSystem, scaling: Scaling, damping: number): SystemCodes;
  /**
   * A_q: what the codes stand for, in the problem's own units. Of a dense system it need not be symmetric.
   */
  programmedSystem(codes: SystemCodes, systemScale: number): LinearSystem;
  /** The codes [N] nearest to b [N]. */
  quantizeDrive(drive: Float64Array, scaling: Scaling): Int16Array<ArrayBuffer>;
  /** b_q [N]: what the codes [N] stand for, in the problem's own units. */
  programmedDrive(codes: Int16Array, scaling: Scaling): Float64Array<ArrayBuffer>;
  /** x [N] of one ADC code (or mean of codes) per cell; `solutionScale` is s_x. */
  readOut(codes: ArrayLike<number>, solutionScale: number): Float64Array<ArrayBuffer>;
  /** Standard errors of x [N] from those of ADC codes [N]; `solutionScale` is s_x. */
  readOutSpread(codes: ArrayLike<number>, solutionScale: number): Float64Array<ArrayBuffer>;
}

/** A board that does as it is told, up to rounding. Errors: none. */
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
