import { ThermolinkError } from '../errors.js';
import { applySystem, type LinearSystem } from '../linalg/linear-system.js';
import { norm2, subtract } from '../linalg/products.js';
import type { Spectrum } from '../mapping/definiteness.js';

/** What a residual proves about an answer. */
export interface Certificate {
  /** b − A x. */
  readonly residual: Float64Array<ArrayBuffer>;
  /** ‖b − A x‖₂ / ‖b‖₂. */
  readonly relativeResidual: number;
  /**
   * Bound on ‖x − A⁻¹b‖₂ / ‖A⁻¹b‖₂: with e = (‖b − A x‖₂ + rounding of that residual)/λ₋ it is e/(‖x‖₂ − e), and
   * infinite when e ≥ ‖x‖₂. No statistics enter; it holds as far as λ₋ is below the smallest eigenvalue.
   */
  readonly relativeErrorBound: number;
}

/** Checks an answer by one product with A in float64. */
export function certify(
  system: LinearSystem,
  spectrum: Spectrum,
  b: Float64Array,
  x: Float64Array,
): Certificate {
  const residual = subtract(b, applySystem(system, x));
  const residualNorm = norm2(residual);
  const norm = norm2(x);
  const error = residualNorm / spectrum.eigenvalueMin + residualRounding(system, spectrum) * norm;
  return {
    residual,
    relativeResidual: residualNorm / norm2(b),
    relativeErrorBound: error < norm ? error / (norm - error) : Infinity,
  };
}

/**
 * Refuses a tolerance that no residual in float64 could ever show to be met: TOLERANCE_NOT_MET, before any work.
 */
export function refuseBeyondFloat64(system: LinearSystem, spectrum: Spectrum, tolerance: number): void {
  const floor = residualRounding(system, spectrum);
  if (tolerance > floor) return;
  throw new ThermolinkError(
    'TOLERANCE_NOT_MET',
    `A relative error of ${tolerance} cannot be verified: float64 residuals of this system end at ${floor.toExponential(1)}.`,
    {
      hint: 'Choose a larger tolerance.',
      data: { tolerance, floor, condition: spectrum.eigenvalueMax / spectrum.eigenvalueMin },
    },
  );
}

/** Rounding error of a residual, over λ₋‖x‖: products of n terms err by at most (n + 2)·u relative to |A||x| + |b|. */
function residualRounding(system: LinearSystem, spectrum: Spectrum): number {
  const terms = system.kind === 'dense' ? system.matrix.columns : system.factor.rows + system.factor.columns;
  return ((terms + 2) * Number.EPSILON * spectrum.eigenvalueMax) / spectrum.eigenvalueMin;
}

/** The numbers that explain why an answer was not good enough. */
export interface Shortfall {
  readonly tolerance: number;
  readonly passes: number;
  readonly samples: number;
  readonly relativeResidual: number;
  readonly relativeErrorBound: number;
  readonly relativeStandardError: number;
}

/** TOLERANCE_NOT_MET, with its numbers in `data`. */
export function toleranceNotMet(who: string, reason: string, shortfall: Shortfall): ThermolinkError {
  const { tolerance, passes, relativeResidual } = shortfall;
  return new ThermolinkError(
    'TOLERANCE_NOT_MET',
    `${who} does not meet a relative error of ${tolerance}: ${reason} after ${passes} ` +
      `${passes === 1 ? 'pass' : 'passes'}, with a relative residual of ${relativeResidual.toExponential(1)}.`,
    {
      hint: 'Choose a larger tolerance, a better conditioned system (A + λI), or a board with finer couplings; check that the board is well.',
      data: { reason, ...shortfall },
    },
  );
}
