import type { RunReport } from '../driver/device-api.js';
import type { ThermolinkError } from '../errors.js';

/** The result of one attempt at a scale: an answer, an overload, or another scale to try. */
export type Attempt<Answer> =
  | { readonly answer: Answer }
  | { readonly overload: RunReport }
  | { readonly retryAt: number };

/** The scales that `ranged` tries. */
export interface Range {
  readonly firstScale: number;
  /** Largest number of attempts. */
  readonly attemptsMax: number;
  /**
   * Makes the error after the last attempt. `lastScale` is the scale of this attempt; `overload` is the
   * report of the last overload, if there was one.
   */
  readonly giveUp: (lastScale: number, overload: RunReport | undefined) => ThermolinkError;
}

/**
 * Makes attempts until one has an answer. The first attempt is at `firstScale`. After an overload the next
 * attempt has twice the scale. Otherwise it has the scale that this attempt asks for. `scaleMin` is twice the
 * largest scale that overloaded, or 0: a scale below it would overload again.
 *
 * Errors: `giveUp` after `attemptsMax` attempts.
 */
export async function ranged<Answer>(
  { firstScale, attemptsMax, giveUp }: Range,
  attempt: (scale: number, scaleMin: number) => Promise<Attempt<Answer>>,
): Promise<Answer> {
  let scale = firstScale;
  let lastScale = firstScale;
  let scaleMin = 0;
  let overload: RunReport | undefined;
  for (let count = 0; count < attemptsMax; count++) {
    lastScale = scale;
    const outcome = await attempt(scale, scaleMin);
    if ('answer' in outcome) return outcome.answer;
    if ('overload' in outcome) {
      overload = outcome.overload;
      scale *= 2;
      scaleMin = scale;
    } else scale = outcome.retryAt;
  }
  throw giveUp(lastScale, overload);
}
