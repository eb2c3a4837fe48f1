import { checkNumber } from '../../argument-checks.js';
import type { BoardCalibration } from '../../board/calibration.js';
import type { CheckedSystem } from '../../board/checked-system.js';
import { refuseTooLarge } from '../../board/checked-system.js';
import { inSession } from '../../board/session.js';
import type { BoardDevice, DeviceIdentity } from '../../driver/device-api.js';
import { isZero } from '../../linalg/products.js';
import { refuseBeyondFloat64, zeroSolution } from '../acceptance.js';
import type { SolveRequest, SolveResult } from '../contract.js';
import { checkSolveRequest } from '../request-checks.js';
import { SolvePlans } from './plan.js';
import { refine } from './refine.js';

/** A request to solve on a board. */
export interface BoardSolveRequest extends SolveRequest {
  /** The calibration of the board, which cancels its errors. Default: none. */
  readonly calibration?: BoardCalibration;
  /** A board run that would need more ticks than this is refused. Default 2³⁰. */
  readonly ticksMax?: number;
}

/**
 * A⁻¹b from the equilibrium of a board, to ‖x̂ − x‖₂ ≤ tolerance · ‖x‖₂. `drive` b and the result x have
 * length N, the number of A's columns. The answer is a sum of board readings. The host computes products with
 * A, chooses scales, and decides when to stop. b = 0 gives 0 and sends nothing. Uses of one device take
 * turns.
 *
 * Errors: BAD_ARGUMENT, BAD_MATRIX, NOT_POSITIVE_DEFINITE, TOO_LARGE, UNSUPPORTED, BAD_CALIBRATION before any
 * byte is sent; TOLERANCE_NOT_MET when the answer is not good enough; OVERLOAD when no scale keeps the board
 * off its rails; ABORTED; those of the device.
 *
 * Source: Aifer et al., "Thermodynamic linear algebra", arXiv 2308.05660; the refinement is this project's
 * own.
 */
export async function solve(device: BoardDevice, request: BoardSolveRequest): Promise<SolveResult> {
  return inSession(
    device,
    request,
    () => check(request, device.identity),
    async (session, system) => {
      if (isZero(request.drive)) {
        refuseBeyondFloat64(system.evened, request.tolerance);
        return { ...zeroSolution(system.dimension), cost: session.cost };
      }
      const plans = new SolvePlans(session, system, request.tolerance, request.ticksMax);
      const answer = await refine(plans, session, request);
      return { ...answer, cost: session.cost };
    },
  );
}

function check(request: BoardSolveRequest, identity: DeviceIdentity): CheckedSystem {
  const checked = checkSolveRequest(request);
  checkNumber('ticksMax', request.ticksMax ?? 1, 1);
  refuseTooLarge(checked.system, identity);
  return checked;
}
