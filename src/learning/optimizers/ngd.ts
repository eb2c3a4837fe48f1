import { ZERO_COST } from '../../board/cost.js';
import { assert, ThermolinkError } from '../../errors.js';
import type { Matrix } from '../../linalg/matrix.js';
import { solveByWoodbury } from '../../linalg/woodbury.js';
import type { Optimizer } from './contract.js';
import { applyStep, gradientOf, rateAt } from './step.js';

export interface NgdSettings {
  /** η > 0 at the first step; falls linearly to 0. */
  readonly rate: number;
  /** λ > 0. */
  readonly damping: number;
  /** Largest ‖η x‖₂ of one step; Infinity for no bound. */
  readonly clip: number;
}

/**
 * Exact natural gradient descent, computed digitally: x = (G + λI)⁻¹∇ℓ, θ ← θ − η x. TNGD tends to it for
 * long times. O(m²P + m³), m = curvature examples × classes.
 * Source: Amari, "Natural gradient works efficiently in learning", 1998.
 */
export function ngd({ rate, damping, clip }: NgdSettings): Optimizer {
  return {
    name: 'ngd',
    settings: { name: 'ngd', rate, damping, clip },
    needsCurvature: true,
    init: () => ({ arrays: {}, numbers: {} }),
    update: async (state, request) => {
      assert(request.factor !== undefined, 'natural gradient descent was given no curvature');
      const x = naturalGradient(request.factor, damping, await gradientOf(request));
      return { parameters: applyStep(request, x, rateAt(rate, request), clip), state, cost: ZERO_COST };
    },
  };
}

/**
 * (KᵀK + λI)⁻¹g for K m×P by Woodbury's identity.
 * Errors: DIVERGED when K or g is not finite, or λ too small for float64 to tell KKᵀ + λI from a singular
 * matrix.
 */
export function naturalGradient(factor: Matrix, damping: number, gradient: Float64Array): Float64Array {
  const x = solveByWoodbury(factor, damping, gradient);
  if (x === undefined)
    throw new ThermolinkError('DIVERGED', 'The curvature is not finite, or its damping is too small.', {
      hint: 'Lower `rate` or raise `damping`.',
    });
  return x;
}
