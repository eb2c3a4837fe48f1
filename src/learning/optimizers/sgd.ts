import { ZERO_COST } from '../../board/cost.js';
import { divergedError } from '../diverged.js';
import type { Optimizer } from './contract.js';
import { applyStep, gradientOf, type RateSettings, rateAt } from './step.js';

export interface SgdSettings extends RateSettings {
  /** μ in 0 … 1. */
  readonly momentum: number;
  /** Largest ‖η v‖₂ of one step; Infinity for no bound. */
  readonly clip: number;
}

/**
 * Stochastic gradient descent with momentum: v ← μ v + ∇ℓ, θ ← θ − η v. O(P).
 * Source: Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.
 */
export function sgd(settings: SgdSettings): Optimizer {
  const { momentum, clip } = settings;
  return {
    name: 'sgd',
    settings: { name: 'sgd', ...settings },
    needsCurvature: false,
    init: (parameterCount) => ({ arrays: { velocity: new Float64Array(parameterCount) }, numbers: {} }),
    update: async ({ arrays }, request) => {
      const gradient = await gradientOf(request);
      const velocity = gradient.map((g, i) => momentum * arrays['velocity'][i] + g);
      return {
        parameters: applyStep(request, velocity, rateAt(settings, request), clip),
        state: { arrays: { velocity }, numbers: {} },
        cost: ZERO_COST,
      };
    },
  };
}

/**
 * Sign descent with momentum: v ← μ v + (1 − μ) ∇ℓ, θ ← θ − η sign(v). Every parameter moves by η; a
 * parameter with v = 0 does not move. This is the control of `tngd-adam` with β = (0, 0), which steps by the
 * sign of its relaxed solution x. O(P). Source: Bernstein et al., "signSGD", 2018, algorithm 2 (Signum).
 */
export function signSgd(settings: SgdSettings): Optimizer {
  const { momentum, clip } = settings;
  return {
    name: 'sign-sgd',
    settings: { name: 'sign-sgd', ...settings },
    needsCurvature: false,
    init: (parameterCount) => ({ arrays: { velocity: new Float64Array(parameterCount) }, numbers: {} }),
    update: async ({ arrays }, request) => {
      const gradient = await gradientOf(request);
      if (!gradient.every(Number.isFinite)) throw divergedError(request.step, 'the gradient is not finite');
      const velocity = gradient.map((g, i) => momentum * arrays['velocity'][i] + (1 - momentum) * g);
      return {
        parameters: applyStep(request, velocity.map(Math.sign), rateAt(settings, request), clip),
        state: { arrays: { velocity }, numbers: {} },
        cost: ZERO_COST,
      };
    },
  };
}
