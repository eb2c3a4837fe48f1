import type { BoardSession } from '../../board/session.js';
import type { SolveProgress, SolveRequest, SolveResult } from '../contract.js';
import { CombinedRefinement } from './combined-refinement.js';
import { isOfCodes, type SolvePlans } from './plan.js';
import { Refinement } from './refinement.js';

/**
 * Solves for one right-hand side, which is not 0. If the board has the system itself, passes refine the
 * answer. If it has a damped system, its readings are combined. If a plan makes no progress, the next plan
 * starts from the beginning, and is used for later right-hand sides too.
 *
 * Errors: those of the first plan; those of the device.
 */
export async function refine(
  plans: SolvePlans,
  session: BoardSession,
  { drive, tolerance, onProgress }: Pick<SolveRequest, 'drive' | 'tolerance' | 'onProgress'>,
): Promise<Omit<SolveResult, 'cost'>> {
  const request = { drive, tolerance, onProgress: onProgress && neverFalling(onProgress) };
  let first: unknown;
  let passes = 0;
  for (;;) {
    const plan = plans.current;
    const refinement =
      plan.damping === 0
        ? new Refinement(plan, session, request)
        : new CombinedRefinement(plan, session, request);
    try {
      const answer = await refinement.run();
      return { ...answer, passes: passes + answer.passes };
    } catch (error) {
      first ??= error;
      passes += refinement.passes;
      if (!isOfCodes(error)) throw error;
      if (!plans.advance()) throw first;
    }
  }
}

/** A later attempt reports the share of the earlier one until its own share is larger. */
function neverFalling(onProgress: (progress: SolveProgress) => void): (progress: SolveProgress) => void {
  let reached = 0;
  return (progress) => {
    reached = Math.max(reached, progress.fraction);
    onProgress({ ...progress, fraction: reached });
  };
}
