import { unweighted, weighted } from '../../board/diagonal-scaling.js';
import { settle } from '../../board/equilibrium-pass.js';
import { equilibriumSolutionScale } from '../../board/scaling.js';
import type { BoardSession } from '../../board/session.js';
import { applySystem } from '../../linalg/linear-system.js';
import { norm2, subtract, sum } from '../../linalg/products.js';
import { toleranceNotMet } from '../acceptance.js';
import { ConjugateDirections, isStalled } from './conjugate-directions.js';
import { reasonOfStall, reasonOfZeros } from './failure.js';
import type { SolvePlan } from './plan.js';

const PASSES_MAX = 256;

/** An answer without noise. */
export interface SettledAnswer {
  /** Estimate of A⁻¹b, length N. */
  readonly x: Float64Array<ArrayBuffer>;
  /** ‖b − A x‖₂/‖b‖₂, a ratio, formed by the host in float64. */
  readonly relativeResidual: number;
  /** Board solves used; 0 when b = 0. */
  readonly passes: number;
}

/** The conditions at which passes end. */
interface Ending {
  /** b, length N, not 0. */
  readonly drive: Float64Array;
  readonly tolerance: number;
  readonly passesMax?: number;
}

/**
 * Passes without noise until ‖b − A x‖₂ ≤ tolerance·‖b‖₂. Each pass settles Â d = r (or (Â + σI) d = r) for
 * the residual r and takes the step of `ConjugateDirections` along the reading d. `scaleFactor` is the last
 * s_x divided by the first guess for its drive. It comes from an earlier call or is 1; the result has the new
 * value.
 *
 * Errors: TOLERANCE_NOT_MET when passes make no progress or their number is used up, unless `passesMax` is
 * given; OVERLOAD; those of the device.
 */
export async function settleTo(
  plan: SolvePlan,
  session: BoardSession,
  { drive, tolerance, passesMax }: Ending,
  scaleFactor: number,
): Promise<SettledAnswer & { readonly scaleFactor: number }> {
  const { evened, spectrum, systemScale, identity } = plan;
  const { weights, checked } = evened;
  const product = (x: Float64Array): Float64Array<ArrayBuffer> => applySystem(checked.system, x);
  const directions = new ConjugateDirections(product);
  const weightedDrive = weighted(drive, weights);
  const norm = norm2(drive);
  const energies: number[] = [];
  let factor = scaleFactor;
  let y = new Float64Array(drive.length);
  let residual = weightedDrive;
  let relativeResidual = 1;
  for (let passes = 1; ; passes++) {
    const guess = equilibriumSolutionScale(residual, spectrum.eigenvalueMin, systemScale, identity);
    const reading = await settle(plan, session, residual, guess * factor, () => 0);
    factor = reading.solutionScale / guess;
    const pass = { drive: residual, reading };
    const step = directions.step(reading.x, residual);
    if (step !== undefined) {
      y = sum(y, step.step);
      // The residual is formed anew, so it has no rounding errors of earlier steps.
      residual = subtract(weightedDrive, product(y));
      relativeResidual = norm2(unweighted(residual, weights)) / norm;
      energies.push(step.energy);
    }
    const isOver = step === undefined || isStalled(energies, residual, checked.spectrum.eigenvalueMax);
    if (relativeResidual <= tolerance || (passesMax !== undefined && (isOver || passes >= passesMax)))
      return { x: weighted(y, weights), relativeResidual, passes, scaleFactor: factor };
    if (isOver || passes === PASSES_MAX)
      throw toleranceNotMet(
        'The board',
        step === undefined ? reasonOfZeros(plan, pass, passes) : reasonOfStall(plan, pass, 1),
        {
          tolerance,
          passes,
          samples: passes,
          relativeResidual,
          relativeErrorBound: Infinity,
          relativeStandardError: 0,
        },
      );
  }
}
