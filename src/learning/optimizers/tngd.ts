import type { RelaxationSolver } from '../../algorithms/contract.js';
import type { Optimizer } from './contract.js';
import { type RelaxationSettings, relax, relaxationInit } from './relaxation.js';
import { applyStep, type RateSettings, rateAt } from './step.js';

export interface TngdSettings extends RelaxationSettings, RateSettings {
  /** Largest ‖η x‖₂ of one step; Infinity for no bound. */
  readonly clip: number;
}

/**
 * Thermodynamic natural gradient descent: θ ← θ − η x(t), where x relaxes towards (G + λI)⁻¹∇ℓ on the board.
 * With time 0 and initial `gradient` this is gradient descent. For long times it tends to natural gradient
 * descent. Source: Donatella et al., arXiv 2405.13817, algorithm 1.
 */
export function tngd(solver: RelaxationSolver, settings: TngdSettings): Optimizer {
  return {
    name: 'tngd',
    settings: { name: 'tngd', ...settings },
    needsCurvature: true,
    ...(settings.blocks === 'layers' ? { needsLayerCurvatures: true } : {}),
    init: relaxationInit,
    update: async (state, request) => {
      const { x, ...left } = await relax(solver, settings, state, request);
      try {
        return { parameters: applyStep(request, x, rateAt(settings, request), settings.clip), ...left };
      } catch (error) {
        await left.rest?.catch(() => undefined);
        throw error;
      }
    },
  };
}
