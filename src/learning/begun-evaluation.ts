import { normInf } from '../linalg/products.js';
import { divergedError } from './diverged.js';
import type { StepRequest } from './optimizers/contract.js';
import type { Evaluation, Figures, LossGradient, Problem, StepPoint } from './problem/contract.js';

/** The evaluation of one step, whose gradient another thread may still be computing. */
export interface BegunEvaluation<Measures extends Figures> {
  readonly gradient: StepRequest['gradient'];
  readonly factor: Evaluation<Measures>['factor'];
  readonly layers: Evaluation<Measures>['layers'];
  readonly lossAt: Evaluation<Measures>['lossAt'];
  /** How long this thread has computed loss and gradient or waited for them so far, in milliseconds. */
  readonly takenMs: number;
  /** Loss and gradient, finite and checked. Errors: DIVERGED; those of the problem. */
  readonly result: () => Promise<LossGradient<Measures>>;
}

/**
 * Begins to evaluate a problem. Errors: those of `BegunEvaluation.result`, where this thread computes.
 */
export function beginEvaluation<Measures extends Figures>(
  problem: Problem<Measures>,
  point: StepPoint,
): BegunEvaluation<Measures> {
  const checked = (result: LossGradient<Measures>): LossGradient<Measures> => {
    if (!Number.isFinite(result.loss)) throw divergedError(point.step, 'the loss is not finite');
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
  // Nobody may wait for it yet when it fails. Whoever asks later gets the error.
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
