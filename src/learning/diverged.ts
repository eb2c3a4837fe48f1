import { ThermolinkError } from '../errors.js';

/** Far above what a large first step costs for a while, far below where float64 ends. */
const LOSS_GROWTH_MAX = 1000;

/**
 * Throws DIVERGED unless `loss`, a mean over examples in nat, is at most 1000 · ln(classes). ln(classes) is the loss of a
 * uniform guess: beyond that bound the outputs are wrong by thousands of nat, and a loss that is finite says no more than
 * one that is not.
 */
export function refuseDivergedLoss(step: number, loss: number, classes: number): void {
  const bound = LOSS_GROWTH_MAX * Math.log(classes);
  if (loss <= bound) return;
  const why = Number.isFinite(loss)
    ? `the loss reached ${loss.toPrecision(3)} nat, more than ${LOSS_GROWTH_MAX} times that of a guess`
    : 'the loss is not finite';
  throw divergedError(step, why, { loss, bound });
}

/** The error of a training that ran away at `step`; `why` completes the sentence. */
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
