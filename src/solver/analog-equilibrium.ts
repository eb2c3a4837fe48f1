import type { BoardDevice } from '../driver/device-api.js';
import { inspectSystem, type Spectrum } from '../mapping/definiteness.js';
import { checkTolerance, checkVector } from '../mapping/validation.js';
import { refuseBeyondFloat64 } from './acceptance.js';
import type { AnalogSolverOptions } from './analog-solver.js';
import { refuseTooLarge, refuseTooLong } from './board-limits.js';
import { BoardRuns } from './board-runs.js';
import { type SolveRequest, type SolveResult, zeroSolution } from './contract.js';
import { planEquilibrium } from './equilibrium-plan.js';
import { refine } from './refinement.js';

/**
 * A⁻¹b by the equilibrium of a board, to ‖x̂ − x‖₂ ≤ tolerance · ‖x‖₂. The answer is a sum of board readings; the host
 * contributes products with A, scales and the decision when to stop.
 *
 * Errors: BAD_MATRIX, NOT_POSITIVE_DEFINITE, BAD_ARGUMENT, TOO_LARGE, UNSUPPORTED before any byte is sent; OVERLOAD;
 * TOLERANCE_NOT_MET.
 */
export async function solveOnBoard(
  device: BoardDevice,
  options: AnalogSolverOptions,
  request: SolveRequest,
): Promise<SolveResult> {
  const { identity } = device;
  const { system, drive } = request;
  const board = new BoardRuns(device, request.address, request.signal);
  const spectrum = board.charge('mapMs', () => inspect(request, device));
  if (drive.every((value) => value === 0)) return zeroSolution(drive.length);
  const plan = board.charge('mapMs', () => planEquilibrium(system, spectrum, identity));
  refuseTooLong(plan.settleTicks + 50 * plan.ticksPerSample, options.ticksMax);
  const answer = await refine(plan, board, request);
  return { ...answer, cost: board.cost };
}

function inspect(request: SolveRequest, { identity }: BoardDevice): Spectrum {
  checkTolerance(request.tolerance);
  checkVector(request.drive, request.system, 'right-hand side');
  const spectrum = inspectSystem(request.system);
  refuseTooLarge(request.system, identity);
  refuseBeyondFloat64(request.system, spectrum, request.tolerance);
  return spectrum;
}
