import type { RunReport } from '../driver/device-api.js';
import type { ThermolinkError } from '../errors.js';

/** What came of one attempt at a scale: an answer, an overload, or another scale that should be tried. */
export type Attempt<Answer> =
  | { readonly answer: Answer }
  | { readonly overload: RunReport }
  | { readonly retryAt: number };

/** Which scales `ranged` tries. */
export interface Range {
  readonly firstScale: number;
  /** Attempts before it gives up. */
  readonly attemptsMax: number;
  /**
   * The error after the last attempt. That one was made at `lastScale`; `overload` is the report of the last
   * overload, if there was one.
   */
  readonly giveUp: (lastScale: number, overload: RunReport | undefined) => ThermolinkError;
}

/**
 * Makes attempts until one has an answer: the first at `firstScale`, after an overload at twice the scale,
 * else at the scale that the attempt asks for. `scaleMin` is twice the largest scale that overloaded, or 0:
 * a scale below it would overload again.
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
