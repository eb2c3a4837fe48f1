import { ZERO_COST } from '../../board/cost.js';
import { assert } from '../../errors.js';
import { conjugateDirections } from '../../linalg/conjugate-directions.js';
import { applySystem } from '../../linalg/linear-system.js';
import type { Optimizer } from './contract.js';
import { applyStep, type DampingSettings, dampingAt, gradientOf, type RateSettings, rateAt } from './step.js';

export interface CgSettings extends RateSettings, DampingSettings {
  /** c ≥ 1: number of conjugate directions in a step. Each needs one product with G. */
  readonly products: number;
  /** Largest ‖η x‖₂ of one step; Infinity for no bound. */
  readonly clip: number;
}

/**
 * Natural gradient descent on the host by c conjugate directions: x approximates (G + λI)⁻¹∇ℓ, θ ← θ − η x.
 * O(c m P). With c = 1 it is gradient descent: x is the multiple of ∇ℓ that minimises the quadratic model.
 * `tngd` with ticks does the same, but its directions are answers of the board instead of residuals.
 */
export function cg(settings: CgSettings): Optimizer {
  const { products, clip } = settings;
  return {
    name: 'cg',
    settings: { name: 'cg', ...settings },
    needsCurvature: true,
    init: () => ({ arrays: {}, numbers: {} }),
    update: async (state, request) => {
      const { factor } = request;
      assert(factor !== undefined, 'conjugate gradients were given no curvature');
      const damping = dampingAt(settings, request);
      const apply = (x: Float64Array) => applySystem({ kind: 'factored', factor, damping }, x);
      const x = await conjugateDirections(apply, await gradientOf(request), products, async (r) => r);
      const parameters = applyStep(request, x, rateAt(settings, request), clip);
      return { parameters, state, cost: ZERO_COST };
    },
  };
}
