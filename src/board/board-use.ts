import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import type { BoardCalibration } from './calibration.js';
import type { RunAddress } from './run-seed.js';

/** Options of one use of a board. */
export interface BoardUse {
  /** The address that names the noise of the board runs. */
  readonly address: RunAddress;
  readonly signal?: AbortSignal;
  /** The calibration of this board. Default: none; the board counts as ideal. */
  readonly calibration?: BoardCalibration;
  /** Couplings that uses of the same caller share. Default: this use shares no couplings. */
  readonly held?: HeldCouplings;
  /**
   * Sends only the codes of drive and initial state that differ from the previous program. It is for uses
   * with many drives that differ in few codes. Default: both are sent whole.
   */
  readonly sendsChangesOnly?: boolean;
  /**
   * Lets the next use send its couplings ahead while the board runs for this one. Default: it does not.
   */
  readonly lends?: boolean;
}

/**
 * The couplings that several uses of one board share, so only the first use sends them. They count as lost if
 * another use of the board came in between, or if the board has a new session.
 */
export class HeldCouplings {
  couplings: ProgramImage['couplings'] | undefined;
  /** Number of rows without a row element in the program that holds the couplings. */
  linearRows: number | undefined;
  sessionCount: number | undefined;
  /**
   * Whether an earlier use has counted the cost of the next upload already, for example a training that is
   * resumed here.
   */
  isCounted = false;
}
