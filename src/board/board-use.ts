import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import type { BoardCalibration } from './calibration.js';
import type { RunAddress } from './run-seed.js';

/** What one use of a board is made with. */
export interface BoardUse {
  /** Names the noise of the board runs. */
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /** What was measured of this board. Default: the board does what it is told. */
  readonly calibration?: BoardCalibration;
  /**
   * What earlier uses of the same caller left in the board. Default: this use leaves nothing to a later one.
   */
  readonly held?: HeldCouplings;
  /**
   * Sends of drive and initial state only what differs from the program before. It is for uses with many
   * drives that differ in few codes. Default: both are sent whole.
   */
  readonly sendsChangesOnly?: boolean;
  /**
   * Lets the next use send its couplings ahead while the board runs for this one. Default: it does not.
   */
  readonly lends?: boolean;
}

/**
 * The couplings that several uses of one board share, so that only the first one sends them. They count as
 * gone when any other use of the board came in between, and when the board's session is another one.
 */
export class HeldCouplings {
  couplings: ProgramImage['couplings'] | undefined;
  /** Rows of the program that holds them before those with a row element. */
  linearRows: number | undefined;
  sessionCount: number | undefined;
  /**
   * Whether an earlier use has counted what the next upload of couplings sends, such as the training that is
   * resumed here.
   */
  isCounted = false;
}
