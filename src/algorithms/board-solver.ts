import { checkNumber, checkObject, checkSignal, checkWhole } from '../argument-checks.js';
import { takeTurn } from '../board/board-runs.js';
import { type BoardCalibration, refuseForeign } from '../board/calibration.js';
import { checkBoard } from '../board/validation.js';
import type { BoardDevice } from '../driver/device-api.js';
import type { LinearSolver } from './contract.js';
import { relaxOnBoard } from './relax.js';
import { solveOnBoard } from './solve/solve.js';

/** Widths of coupling codes that boards have. */
const COUPLING_BITS_MIN = 4;
const COUPLING_BITS_MAX = 16;

export interface AnalogSolverOptions {
  /** Width of coupling codes in `relax`, at most the board's; couplings are most of the upload. Default 8. */
  readonly relaxCouplingBits?: number;
  /** κ in V_fs² during `relax`: 0 (default, off) or within the board's noise register. `solve` chooses its own. */
  readonly relaxNoiseTemperature?: number;
  /** What is known of the board; `solve` programs and reads it so that its errors cancel. `relax` does not use it. Default: nothing. */
  readonly calibration?: BoardCalibration;
  /** A run that would need more ticks than this is refused. Default 2³⁰. */
  readonly ticksMax?: number;
}

/**
 * Answers linear systems with a board, real or emulated: the host scales, rounds, averages and forms residuals; every
 * part of an answer, each refinement included, is a voltage that was read.
 *
 * Calls take turns, also those of several solvers and of `drawSamples` on one device: each has the board to itself, in the
 * order of the calls.
 *
 * Errors: BAD_ARGUMENT for a device that is none (a promise of one), and for an option outside its range; BAD_CALIBRATION for
 * one of another board. Of its methods: those
 * of `LinearSolver`; OVERLOAD when no scale keeps the board off its rails; what the device throws.
 */
export function createAnalogSolver(device: BoardDevice, options: AnalogSolverOptions = {}): LinearSolver {
  checkBoard(device);
  checkOptions(options);
  if (options.calibration !== undefined) refuseForeign(options.calibration.board, device.identity);
  return {
    name: 'analog',
    canRelax: true,
    relax: async (request) => {
      checkSignalOf(request);
      return takeTurn(device, request.signal, () => relaxOnBoard(device, options, request));
    },
    solve: async (request) => {
      checkSignalOf(request);
      return takeTurn(device, request.signal, () => solveOnBoard(device, options, request));
    },
  };
}

/** What taking a turn needs; the rest is checked in it. */
function checkSignalOf(request: { readonly signal?: AbortSignal }): void {
  checkObject('The request', request, '{ system, drive, address: { seed: 1, step: 0, block: 0 }, … }');
  checkSignal(request.signal);
}

function checkOptions(options: AnalogSolverOptions): void {
  checkObject('options', options, '{ relaxCouplingBits: 8 }');
  const { relaxCouplingBits = COUPLING_BITS_MIN, relaxNoiseTemperature = 0, ticksMax = 1 } = options;
  checkWhole('relaxCouplingBits', relaxCouplingBits, COUPLING_BITS_MIN, COUPLING_BITS_MAX);
  checkNumber('relaxNoiseTemperature', relaxNoiseTemperature, 0);
  checkNumber('ticksMax', ticksMax, 1);
}
