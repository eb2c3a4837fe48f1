import { ZERO_COST } from '../../board/cost.js';
import type { Optimizer } from './contract.js';
import { applyStep, gradientOf, rateAt } from './step.js';

export interface SgdSettings {
  /** η > 0 at the first step; falls linearly to 0. */
  readonly rate: number;
  /** μ in 0 … 1. */
  readonly momentum: number;
  /** Largest ‖η v‖₂ of one step; Infinity for no bound. */
  readonly clip: number;
}

/**
 * Stochastic gradient descent with momentum: v ← μ v + ∇ℓ, θ ← θ − η v. O(P).
 * Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.
 */
export function sgd({ rate, momentum, clip }: SgdSettings): Optimizer {
  return {
    name: 'sgd',
    settings: { name: 'sgd', rate, momentum, clip },
    needsCurvature: false,
    init: (parameterCount) => ({ arrays: { velocity: new Float64Array(parameterCount) }, numbers: {} }),
    update: async ({ arrays }, request) => {
      const gradient = await gradientOf(request);
      const velocity = gradient.map((g, i) => momentum * arrays['velocity'][i] + g);
      return {
        parameters: applyStep(request, velocity, rateAt(rate, request), clip),
        state: { arrays: { velocity }, numbers: {} },
        cost: ZERO_COST,
      };
    },
  };
}
