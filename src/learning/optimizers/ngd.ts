import { ZERO_COST } from '../../board/cost.js';
import { assert, ThermolinkError } from '../../errors.js';
import type { Matrix } from '../../linalg/matrix.js';
import { directSolver } from '../../linalg/woodbury.js';
import type { Optimizer } from './contract.js';
import { applyStep, type DampingSettings, dampingAt, gradientOf, type RateSettings, rateAt } from './step.js';

export interface NgdSettings extends RateSettings, DampingSettings {
  /** Largest ‖η x‖₂ of one step; Infinity for no bound. */
  readonly clip: number;
}

/**
 * Exact natural gradient descent, computed digitally: x = (G + λI)⁻¹∇ℓ, θ ← θ − η x. TNGD tends to it for
 * long times. O(m²P + m³) for a factor of m < P rows, else O(mP² + P³).
 * Source: Amari, "Natural gradient works efficiently in learning", 1998.
 */
export function ngd(settings: NgdSettings): Optimizer {
  const { clip } = settings;
  return {
    name: 'ngd',
    settings: { name: 'ngd', ...settings },
    needsCurvature: true,
    init: () => ({ arrays: {}, numbers: {} }),
    update: async (state, request) => {
      assert(request.factor !== undefined, 'natural gradient descent was given no curvature');
      const x = naturalGradient(request.factor, dampingAt(settings, request), await gradientOf(request));
      return { parameters: applyStep(request, x, rateAt(settings, request), clip), state, cost: ZERO_COST };
    },
  };
}

/**
 * (KᵀK + λI)⁻¹g for K m×P, by Woodbury's identity for m < P and else by Cholesky factorisation.
 * Errors: DIVERGED when K or g is not finite, or λ too small for float64 to tell KKᵀ + λI from a singular
 * matrix.
 */
export function naturalGradient(factor: Matrix, damping: number, gradient: Float64Array): Float64Array {
  const x = directSolver({ kind: 'factored', factor, damping })?.(gradient);
  if (x === undefined)
    throw new ThermolinkError('DIVERGED', 'The curvature is not finite, or its damping is too small.', {
      hint: 'Lower `rate` or raise `damping`.',
    });
  return x;
}
