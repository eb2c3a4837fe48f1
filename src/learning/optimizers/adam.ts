import { ZERO_COST } from '../../board/cost.js';
import type { Optimizer, OptimizerState } from './contract.js';
import { applyStep, gradientOf, type RateSettings, rateAt } from './step.js';

export interface AdamSettings extends RateSettings {
  /** β₁ and β₂ in 0 … 1; (0, 0) is sign descent. */
  readonly beta1: number;
  readonly beta2: number;
  /** Largest ‖η · direction‖₂ of one step; Infinity for no bound. */
  readonly clip: number;
}

/** Keeps the quotient finite for an entry whose gradient was always zero. */
const EPSILON = 1e-8;

/**
 * Adam: m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², θ ← θ − η m̂/(√v̂ + ε), where m̂ and v̂ are corrected for
 * starting at zero. O(P).
 * Source: Kingma, Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.
 */
export function adam(settings: AdamSettings): Optimizer {
  return {
    name: 'adam',
    settings: { name: 'adam', ...settings },
    needsCurvature: false,
    init: adamInit,
    update: async (state, request) => {
      const moments = adamMoments(state, await gradientOf(request), settings);
      return {
        parameters: applyStep(request, moments.direction, rateAt(settings, request), settings.clip),
        state: moments.state,
        cost: ZERO_COST,
      };
    },
  };
}

/**
 * RMSprop: v ← β₂v + (1 − β₂)g², θ ← θ − η g/(√v̂ + ε). It is Adam with β₁ = 0, so v̂ is corrected for
 * starting at zero too. O(P).
 * Source: Tieleman, Hinton, "Lecture 6.5: rmsprop", Coursera, 2012.
 */
export function rmsprop(settings: Omit<AdamSettings, 'beta1'>): Optimizer {
  const { name, ...rest } = { ...adam({ ...settings, beta1: 0 }), name: 'rmsprop' };
  return { ...rest, name, settings: { name, ...settings } };
}

export function adamInit(parameterCount: number): OptimizerState {
  return {
    arrays: { mean: new Float64Array(parameterCount), square: new Float64Array(parameterCount) },
    numbers: { updates: 0 },
  };
}

/**
 * Updates the moments with `gradient`, or with a vector used in its place, and returns the direction m̂/(√v̂
 * + ε).
 */
export function adamMoments(
  state: OptimizerState,
  gradient: Float64Array,
  { beta1, beta2 }: Pick<AdamSettings, 'beta1' | 'beta2'>,
): { direction: Float64Array; state: OptimizerState } {
  const updates = state.numbers['updates'] + 1;
  const mean = gradient.map((g, i) => beta1 * state.arrays['mean'][i] + (1 - beta1) * g);
  const square = gradient.map((g, i) => beta2 * state.arrays['square'][i] + (1 - beta2) * g * g);
  const meanScale = 1 / (1 - beta1 ** updates);
  const squareScale = 1 / (1 - beta2 ** updates);
  const direction = mean.map((m, i) => (m * meanScale) / (Math.sqrt(square[i] * squareScale) + EPSILON));
  return { direction, state: { arrays: { mean, square }, numbers: { updates } } };
}
