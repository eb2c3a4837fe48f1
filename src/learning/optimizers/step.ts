import { norm2 } from '../../linalg/products.js';
import { divergedError } from '../diverged.js';
import type { StepRequest } from './contract.js';

export interface RateSettings {
  /** η > 0 at the first step. */
  readonly rate: number;
  /** Final η as a share of `rate`, 0 … 1. η falls linearly. Default 0. */
  readonly finalRate?: number;
}

/**
 * η of one step: `rate` · (1 − (1 − `finalRate`) · step/totalSteps). It would reach its final value in the
 * step after the last.
 */
export function rateAt({ rate, finalRate = 0 }: RateSettings, { step, totalSteps }: StepRequest): number {
  return rate * (1 - ((1 - finalRate) * step) / totalSteps);
}

export interface DampingSettings {
  /** λ at the first step. */
  readonly damping: number;
  /** Final λ as a share of `damping`, above 0 and at most 1. Default 1. */
  readonly finalDamping?: number;
}

/**
 * λ of one step: `damping` · `finalDamping`^(step/totalSteps), a geometric fall. It would reach its final
 * value in the step after the last. Early steps tolerate a large λ, because their curvature soon changes.
 */
export function dampingAt(
  { damping, finalDamping = 1 }: DampingSettings,
  { step, totalSteps }: Pick<StepRequest, 'step' | 'totalSteps'>,
): number {
  return finalDamping === 1 ? damping : damping * finalDamping ** (step / totalSteps);
}

/**
 * The gradient of a step. Waits for a gradient that is still being computed. Errors: those of this
 * computation.
 */
export async function gradientOf({ gradient }: Pick<StepRequest, 'gradient'>): Promise<Float64Array> {
  return typeof gradient === 'function' ? gradient() : gradient;
}

/**
 * θ − η x. The step η x is shortened if necessary, so that ‖η x‖₂ ≤ clip. `direction` itself is not changed.
 * Errors: DIVERGED when the step is not finite.
 */
export function applyStep(
  request: StepRequest,
  direction: Float64Array,
  rate: number,
  clip: number,
): Float64Array {
  const length = rate * norm2(direction);
  if (!Number.isFinite(length)) throw divergedError(request.step, 'the update is not finite');
  const scale = length > clip ? (rate * clip) / length : rate;
  const { parameters } = request;
  const moved = new Float64Array(parameters.length);
  for (let i = 0; i < moved.length; i++) moved[i] = parameters[i] - scale * direction[i];
  return moved;
}
