import { norm2 } from '../../linalg/products.js';
import { divergedError } from '../diverged.js';
import type { StepRequest } from './contract.js';

export interface RateSettings {
  /** η > 0 at the first step. */
  readonly rate: number;
  /** Share of η to which it falls linearly, 0 … 1; 0 when left out. */
  readonly finalRate?: number;
}

/**
 * η of one step: `rate` · (1 − (1 − `finalRate`) · step/totalSteps), which reaches its end just after the
 * last step.
 */
export function rateAt({ rate, finalRate = 0 }: RateSettings, { step, totalSteps }: StepRequest): number {
  return rate * (1 - ((1 - finalRate) * step) / totalSteps);
}

export interface DampingSettings {
  /** λ at the first step. */
  readonly damping: number;
  /** Share of λ to which it falls, above 0 and at most 1; 1 when left out. */
  readonly finalDamping?: number;
}

/**
 * λ of one step: `damping` · `finalDamping`^(step/totalSteps), a geometric fall that reaches its end just
 * after the last step. Early steps see a curvature that soon changes, and bear a large λ.
 */
export function dampingAt(
  { damping, finalDamping = 1 }: DampingSettings,
  { step, totalSteps }: Pick<StepRequest, 'step' | 'totalSteps'>,
): number {
  return finalDamping === 1 ? damping : damping * finalDamping ** (step / totalSteps);
}

/** The gradient of a step, when it is there. Errors: those of the function that waits for it. */
export async function gradientOf({ gradient }: Pick<StepRequest, 'gradient'>): Promise<Float64Array> {
  return typeof gradient === 'function' ? gradient() : gradient;
}

/**
 * θ − η x, shortened so that ‖η x‖₂ ≤ clip. The clip bounds the change of the parameters only; `direction`
 * stays as it is.
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
