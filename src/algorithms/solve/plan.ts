import { refuseTooLong } from '../../board/board-range.js';
import type { CheckedSystem, EvenedSystem } from '../../board/checked-system.js';
import { type EquilibriumPlan, planEquilibrium } from '../../board/equilibrium-plan.js';
import type { BoardSession } from '../../board/session.js';
import { refuseBeyondFloat64 } from '../acceptance.js';

/** How a board solves a system: the system with an even diagonal, and the weights that lead back to A. */
export interface SolvePlan extends EquilibriumPlan {
  readonly evened: EvenedSystem;
}

/** A solve is too long when settling and so many samples would take more ticks than allowed. */
const SAMPLES_COUNTED = 50;

/**
 * How the board solves a system to a tolerance, for any number of right-hand sides; nothing is sent. Errors:
 * NOT_POSITIVE_DEFINITE; TOLERANCE_NOT_MET for a tolerance beyond float64 or beyond the board's codes;
 * UNSUPPORTED for board runs of more than `ticksMax` ticks.
 */
export function planSolve(
  session: BoardSession,
  system: CheckedSystem,
  tolerance: number,
  ticksMax?: number,
): SolvePlan {
  return session.charge('mapMs', () => {
    const { evened } = system;
    // The board's codes end before float64 does, and then no other tolerance helps.
    const plan = planEquilibrium(evened.checked, session.identity, session.model);
    refuseBeyondFloat64(evened, tolerance);
    refuseTooLong(plan.settleTicks + SAMPLES_COUNTED * plan.ticksPerSample, ticksMax);
    return { ...plan, evened };
  });
}
