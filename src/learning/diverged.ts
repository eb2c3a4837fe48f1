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

/**
 * Largest rise of a loss, as a multiple of the first loss of the training. A training that recovers from such
 * a rise has lost all that it had learned.
 */
const LOSS_RISE_MAX = 1e6;

/**
 * Throws DIVERGED if `loss` is not finite, or if it lies more than 10⁶ · max(1, |first|) above the loss of
 * the first step. `first` is undefined in that step. The 1 is there for a start whose loss is nearly 0.
 */
export function refuseRisenLoss(step: number, loss: number, first: number | undefined): void {
  if (!Number.isFinite(loss)) throw divergedError(step, 'the loss is not finite');
  if (first === undefined) return;
  const bound = first + LOSS_RISE_MAX * Math.max(1, Math.abs(first));
  if (loss <= bound) return;
  const why = `the loss rose from ${formatNumber(first)} to ${formatNumber(loss)}`;
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
