import { ThermolinkError } from '../errors.js';
import { formatNumber } from '../number-text.js';

/**
 * Largest loss as a multiple of the loss of a uniform guess. Even a large first step stays far below this
 * bound.
 */
const LOSS_GROWTH_MAX = 1000;

/**
 * Throws DIVERGED unless `loss`, a mean over examples in nat, is at most 1000 · ln(classes). The loss of a
 * uniform guess is ln(classes). Beyond the bound the outputs are wrong by thousands of nat, and training
 * can't recover.
 */
export function refuseDivergedLoss(step: number, loss: number, classes: number): void {
  const bound = LOSS_GROWTH_MAX * Math.log(classes);
  if (loss <= bound) return;
  const why = Number.isFinite(loss)
    ? `the loss reached ${formatNumber(loss)} nat, more than ${LOSS_GROWTH_MAX} times that of a guess`
    : 'the loss is not finite';
  throw divergedError(step, why, { loss, bound });
}

/** The error of a training that diverged at `step`; `why` completes the sentence. */
export function divergedError(
  step: number,
  why: string,
  data: Readonly<Record<string, unknown>> = {},
): ThermolinkError {
  return new ThermolinkError('DIVERGED', `Training diverged at step ${step}: ${why}.`, {
    hint: 'Lower `rate` or bound the steps by `clip`; with curvature, a larger `damping` helps too.',
    data: { step, ...data },
  });
}
