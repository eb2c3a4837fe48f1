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

/** What codes do on a board, both ways: which to program for a problem, what those stand for, and what readings mean. */
export interface BoardModel {
  /** Couplings are to stay by this factor below their range, so that nothing is clamped. */
  readonly couplingMargin: number;
  /** How far apart the crosspoints of the diagonal have to move for the cells to agree, as a share of the damping. */
  readonly dampingSpread: number;
  /** Whether rows are programmed so that all cells have the noise temperature that the register says. */
  readonly equalizesNoise: boolean;
  /** The same factor for drives. */
  readonly driveMargin: number;
  /** The codes nearest to A, see `quantizeSystem` of the mapping; λ of a dense system is `damping`. */
  quantizeSystem(system: LinearSystem, scaling: Scaling, damping: number): SystemCodes;
  /** A_q: what the codes stand for, in the problem's own units. Of a dense system it need not be symmetric. */
  programmedSystem(codes: SystemCodes, systemScale: number): LinearSystem;
  /** The codes nearest to b. */
  quantizeDrive(drive: Float64Array, scaling: Scaling): Int16Array<ArrayBuffer>;
  /** b_q: what the codes stand for. */
  programmedDrive(codes: Int16Array, scaling: Scaling): Float64Array<ArrayBuffer>;
  /** x of one ADC reading (or mean of readings) per cell. */
  readOut(codes: ArrayLike<number>, solutionScale: number): Float64Array<ArrayBuffer>;
  /** Standard errors of x from those of readings. */
  readOutSpread(codes: ArrayLike<number>, solutionScale: number): Float64Array<ArrayBuffer>;
}

/** A board that does as it is told, up to rounding. */
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
