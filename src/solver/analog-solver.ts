import type { BoardDevice } from '../driver/device-api.js';
import { solveOnBoard } from './analog-equilibrium.js';
import { relaxOnBoard } from './analog-relaxation.js';
import { takeTurn } from './board-turn.js';
import type { LinearSolver } from './contract.js';

export interface AnalogSolverOptions {
  /** Width of coupling codes in `relax`, at most the board's; couplings are most of the upload. Default 8. */
  readonly relaxCouplingBits?: number;
  /** κ in V_fs² during `relax`: 0 (default, off) or within the board's noise register. `solve` chooses its own. */
  readonly relaxNoiseTemperature?: number;
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
 * Errors: those of `LinearSolver`; OVERLOAD when no scale keeps the board off its rails; what the device throws.
 */
export function createAnalogSolver(device: BoardDevice, options: AnalogSolverOptions = {}): LinearSolver {
  return {
    name: 'analog',
    canRelax: true,
    relax: (request) => takeTurn(device, request.signal, () => relaxOnBoard(device, options, request)),
    solve: (request) => takeTurn(device, request.signal, () => solveOnBoard(device, options, request)),
  };
}
