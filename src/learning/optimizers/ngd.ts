import { ZERO_COST } from '../../board/cost.js';
import { assert, ThermolinkError } from '../../errors.js';
import { dampedSystem } from '../../linalg/linear-system.js';
import type { Matrix } from '../../linalg/matrix.js';
import { type DirectSolver, directSolver } from '../../linalg/woodbury.js';
import type { Optimizer } from './contract.js';
import { curvatureMatrix, entersAt, type MeanCurvatureSettings, meanCurvature } from './mean-curvature.js';
import { applyStep, type DampingSettings, dampingAt, gradientOf, type RateSettings, rateAt } from './step.js';

export interface NgdSettings extends RateSettings, DampingSettings, MeanCurvatureSettings {
  /** Largest ‖η x‖₂ of one step; Infinity for no bound. */
  readonly clip: number;
}

/**
 * Exact natural gradient descent, computed digitally: x = (G + λI)⁻¹∇ℓ, θ ← θ − η x. TNGD tends to it for
 * long times. O(m²P + m³) for a factor of m < P rows, otherwise O(mP² + P³).
 *
 * With `average` G is the mean over batches (`meanCurvature`), which the state keeps. A step costs O(mP² +
 * P³) if a batch is added or λ changes, otherwise O(P²). Source: Amari, "Natural gradient works efficiently
 * in learning", 1998.
 */
export function ngd(settings: NgdSettings): Optimizer {
  const { clip, average, reload = 1 } = settings;
  /** The solver of the last step with its curvature and damping. */
  let last:
    | { readonly curvature: Float64Array; readonly damping: number; readonly solve: DirectSolver }
    | undefined;
  return {
    name: 'ngd',
    settings: { name: 'ngd', ...settings },
    needsCurvature: true,
    ...(reload === 1 ? {} : { usesCurvatureAt: (step: number) => entersAt(settings, step) }),
    init: () => ({ arrays: {}, numbers: {} }),
    update: async (state, request) => {
      if (average !== undefined) {
        const curvature = meanCurvature(settings, state, request);
        const damping = dampingAt(settings, request);
        if (last?.curvature !== curvature || last.damping !== damping) {
          const system = dampedSystem({ kind: 'dense', matrix: curvatureMatrix(curvature) }, damping);
          last = { curvature, damping, solve: directSolver(system) ?? notFinite };
        }
        const x = last.solve(await gradientOf(request));
        const parameters = applyStep(request, x, rateAt(settings, request), clip);
        return { parameters, state: { arrays: { curvature }, numbers: {} }, cost: ZERO_COST };
      }
      assert(request.factor !== undefined, 'natural gradient descent was given no curvature');
      const x = naturalGradient(request.factor, dampingAt(settings, request), await gradientOf(request));
      return { parameters: applyStep(request, x, rateAt(settings, request), clip), state, cost: ZERO_COST };
    },
  };
}

/**
 * (KᵀK + λI)⁻¹g for K m×P, by Woodbury's identity if m < P, otherwise by Cholesky factorisation. Errors:
 * DIVERGED when K or g is not finite, or when λ is so small that KKᵀ + λI is singular in float64.
 */
export function naturalGradient(factor: Matrix, damping: number, gradient: Float64Array): Float64Array {
  const x = directSolver({ kind: 'factored', factor, damping })?.(gradient);
  return x ?? notFinite();
}

function notFinite(): never {
  throw new ThermolinkError('DIVERGED', 'The curvature is not finite, or its damping is too small.', {
    hint: 'Lower `rate` or raise `damping`.',
  });
}
