import { divergedError, refuseDivergedLoss } from './diverged.js';
import type { GradientThread } from './gradient-thread.js';
import type { Examples, LossAndGradient, Network } from './network/contract.js';
import type { StepRequest } from './optimizers/contract.js';

/** The gradient of one step, which another thread may still be computing. */
export interface BatchGradient {
  readonly gradient: StepRequest['gradient'];
  /** How long this thread has computed the gradient or waited for it so far, in milliseconds. */
  readonly takenMs: number;
  /** Loss and gradient, finite and checked. Errors: DIVERGED; those of the network. */
  readonly result: () => Promise<LossAndGradient>;
}

/**
 * Begins to compute the gradient of a batch, in `thread` if there is one. Errors: those of
 * `BatchGradient.result`, where this thread computes.
 */
export function beginGradient(
  network: Network,
  thread: GradientThread | undefined,
  step: number,
  parameters: Float64Array,
  batch: Examples,
): BatchGradient {
  const checked = (result: LossAndGradient): LossAndGradient => {
    refuseDivergedLoss(step, result.loss, network.outputCount);
    if (!result.gradient.every(Number.isFinite)) throw divergedError(step, 'the gradient is not finite');
    return result;
  };
  const began = performance.now();
  let takenMs = 0;
  const begun = (thread ?? network).lossAndGradient(parameters, batch);
  takenMs = performance.now() - began;
  if (!(begun instanceof Promise)) {
    const result = checked(begun);
    return { gradient: result.gradient, takenMs, result: async () => result };
  }
  const coming = begun.then(checked);
  // Nobody may wait for it yet when it fails. Whoever asks later gets the error.
  coming.catch(() => undefined);
  const result = async (): Promise<LossAndGradient> => {
    const asked = performance.now();
    try {
      return await coming;
    } finally {
      takenMs += performance.now() - asked;
    }
  };
  return {
    gradient: async () => (await result()).gradient,
    result,
    get takenMs() {
      return takenMs;
    },
  };
}
