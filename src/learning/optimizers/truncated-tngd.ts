import type { TruncatedSolver } from '../../algorithms/contract.js';
import { assert } from '../../errors.js';
import { conjugateDirections } from '../../linalg/conjugate-directions.js';
import { applySystem } from '../../linalg/linear-system.js';
import { divergedError } from '../diverged.js';
import type { Optimizer } from './contract.js';
import { applyStep, type DampingSettings, dampingAt, gradientOf, type RateSettings, rateAt } from './step.js';

export interface TruncatedTngdSettings extends RateSettings, DampingSettings {
  /** Ticks of each board run, ≥ 1. */
  readonly ticks: number;
  /** Board runs of a step, ≥ 1, on one load of the curvature. */
  readonly runs: number;
  /** Largest ‖η x‖₂ of one step; Infinity for no bound. */
  readonly clip: number;
}

/**
 * Natural gradient descent with rough answers from a board: θ ← θ − η x, where x approximates (G + λI)⁻¹∇ℓ.
 * Each board run takes a fixed number of ticks at the largest stable step and is far from its equilibrium in
 * the weak directions; that acts as a larger damping. The host makes the answers A-orthogonal and goes along
 * each as far as it helps, by exact products with G (`conjugateDirections`), so no answer of a board can make
 * x worse. Costs 2 products with K for each run, and those of the eigenvalue bound.
 *
 * The state keeps the scale of each run, so that a training that is resumed gives the same bits.
 */
export function truncatedTngd(solver: TruncatedSolver, settings: TruncatedTngdSettings): Optimizer {
  const { ticks, runs, clip } = settings;
  return {
    name: 'tngd',
    settings: { name: 'tngd', solver: solver.name, ...settings },
    needsCurvature: true,
    init: () => ({ arrays: { scales: new Float64Array(runs) }, numbers: {} }),
    update: async (state, request) => {
      const { factor, step, seed, signal } = request;
      const damping = dampingAt(settings, request);
      assert(factor !== undefined, 'natural gradient descent was given no curvature');
      const gradient = await gradientOf(request);
      if (!gradient.every(Number.isFinite)) throw divergedError(step, 'the gradient is not finite');
      const scales = Float64Array.from(state.arrays['scales']);
      const address = { seed, step, block: 0 };
      const solved = await solver.truncated({ factor, address, signal }, async (loaded) => {
        const apply = (x: Float64Array) => applySystem({ kind: 'factored', factor, damping }, x);
        const x = await conjugateDirections(apply, gradient, runs, async (residual, run) => {
          const answer = await loaded.run({ drive: residual, damping, ticks, scale: scales[run] });
          scales[run] = answer.nextScale;
          return answer.x;
        });
        return { x, cost: loaded.cost };
      });
      return {
        parameters: applyStep(request, solved.x, rateAt(settings, request), clip),
        state: { arrays: { scales }, numbers: {} },
        cost: solved.cost,
      };
    },
  };
}
