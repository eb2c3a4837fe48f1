import { applySystem } from '../linalg/linear-system.js';
import { norm2, subtract, sum } from '../linalg/products.js';
import { equilibriumSolutionScale } from '../mapping/scaling.js';
import { type Average, roundingErrorBound } from './equilibrium-pass.js';
import type { EquilibriumPlan } from './equilibrium-plan.js';
import { type SettleAt, settle } from './settle.js';

/** What rounding leaves in an averaged answer stays below this part of its standard error. */
const ROUNDING_SHARE = 1 / 4;
const COMPENSATIONS_MAX = 3;

export interface CompensatedAverage extends Average {
  /** Passes of the board that the compensation took. */
  readonly compensations: number;
}

/**
 * Removes from an average what the rounding to codes put into it. That part of the residual is known exactly, so one
 * more pass without noise solves A d = rounding and adds d: on badly conditioned systems, and on boards with coarse
 * converters, rounding would else exceed the standard error. The noise of the average, and so its standard error, is
 * untouched.
 */
export async function compensateRounding(
  plan: EquilibriumPlan,
  settleAt: SettleAt,
  average: Average,
): Promise<CompensatedAverage> {
  const allowed = ROUNDING_SHARE * norm2(average.standardError);
  let answer = average;
  let compensations = 0;
  while (compensations < COMPENSATIONS_MAX && roundingErrorBound(plan, answer) > allowed) {
    const { rounding } = answer;
    const { spectrum, systemScale, identity } = plan;
    const guess = equilibriumSolutionScale(rounding, spectrum.eigenvalueMin, systemScale, identity);
    const correction = await settle(plan, settleAt, rounding, guess, () => 0);
    compensations++;
    answer = {
      ...answer,
      x: sum(answer.x, correction.x),
      rounding: subtract(rounding, applySystem(plan.system, correction.x)),
      samples: answer.samples + 1,
    };
  }
  return { ...answer, compensations };
}
