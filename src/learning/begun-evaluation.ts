import { normInf } from '../linalg/products.js';
import { divergedError, refuseRisenLoss } from './diverged.js';
import type { StepRequest } from './optimizers/contract.js';
import type { Evaluation, Figures, LossGradient, Problem, StepPoint } from './problem/contract.js';

/** The evaluation of one step. Another thread may still be computing its gradient. */
export interface BegunEvaluation<Measures extends Figures> {
  readonly gradient: StepRequest['gradient'];
  readonly factor: Evaluation<Measures>['factor'];
  readonly layers: Evaluation<Measures>['layers'];
  readonly lossAt: Evaluation<Measures>['lossAt'];
  /** Time that this thread has spent so far on computing loss and gradient, or on waiting for them, in ms. */
  readonly takenMs: number;
  /** Loss and gradient, finite and checked. Errors: DIVERGED; those of the problem. */
  readonly result: () => Promise<LossGradient<Measures>>;
}

/**
 * Begins to evaluate a problem. `firstLoss` is the loss of the first step, and undefined in that step.
 * Errors: those of `BegunEvaluation.result`, if this thread computes the gradient.
 */
export function beginEvaluation<Measures extends Figures>(
  problem: Problem<Measures>,
  point: StepPoint,
  firstLoss: number | undefined,
): BegunEvaluation<Measures> {
  const checked = (result: LossGradient<Measures>): LossGradient<Measures> => {
    refuseRisenLoss(point.step, result.loss, firstLoss);
    if (!Number.isFinite(normInf(result.gradient)))
      throw divergedError(point.step, 'the gradient is not finite');
    return result;
  };
  const began = performance.now();
  let takenMs = 0;
  const { first, factor, layers, lossAt } = problem.evaluate(point);
  takenMs = performance.now() - began;
  if (!(first instanceof Promise)) {
    const result = checked(first);
    return { gradient: result.gradient, factor, layers, lossAt, takenMs, result: async () => result };
  }
  const coming = first.then(checked);
  // The evaluation may fail before anything waits for it. This handler keeps Node from reporting an unhandled
  // rejection; `result` still rejects with the error.
  coming.catch(() => undefined);
  const result = async (): Promise<LossGradient<Measures>> => {
    const asked = performance.now();
    try {
      return await coming;
    } finally {
      takenMs += performance.now() - asked;
    }
  };
  return {
    gradient: async () => (await result()).gradient,
    factor,
    layers,
    lossAt,
    result,
    get takenMs() {
      return takenMs;
    },
  };
}
