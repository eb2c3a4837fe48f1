import { dot } from '../../linalg/products.js';
import type { Trial } from '../problem/contract.js';

/** A point along a direction. */
export interface SearchPoint {
  readonly parameters: Float64Array;
  readonly loss: number;
  readonly gradient: Float64Array;
}

/** c₁: the loss must fall by at least this share of the fall that the first slope predicts. */
const FALL_SHARE = 1e-4;
/** c₂: the slope at the end may be at most this share of the first slope. */
const SLOPE_SHARE = 0.9;
const EVALUATIONS_MAX = 30;

/**
 * Finds a step along `direction` from `start` that meets the strong Wolfe conditions with c₁ = 10⁻⁴ and c₂ =
 * 0.9. The first trial has the length `length`. The search first brackets a minimum, and then narrows the
 * bracket by cubic interpolation. If 30 evaluations find no such step, the best point that meets the first
 * condition (a fall of the loss) is returned. Returns undefined if there is none, or if the direction does
 * not descend. A loss that is not finite counts as too high.
 *
 * Source: Nocedal, Wright, "Numerical Optimization", 2006, algorithms 3.5 and 3.6.
 */
export function lineSearch(
  trial: Trial,
  start: SearchPoint,
  direction: Float64Array,
  length: number,
): SearchPoint | undefined {
  const slope = dot(start.gradient, direction);
  if (!(slope < 0)) return undefined;
  const at = (step: number): Reached => {
    const parameters = start.parameters.map((value, i) => value + step * direction[i]);
    const { loss, gradient } = trial.lossAndGradient(parameters);
    return { step, parameters, loss, gradient, slope: dot(gradient, direction) };
  };
  const isTooHigh = ({ step, loss }: Reached): boolean => !(loss <= start.loss + FALL_SHARE * step * slope);
  const isFlat = (point: Reached): boolean => Math.abs(point.slope) <= -SLOPE_SHARE * slope;
  let low: Reached = { ...start, step: 0, slope };
  let high: Reached | undefined;
  let step = length;
  for (let evaluation = 0; evaluation < EVALUATIONS_MAX; evaluation++) {
    const point = at(step);
    if (isTooHigh(point) || (low.step > 0 && point.loss >= low.loss)) high = point;
    else if (isFlat(point)) return point;
    else {
      // A minimum lies on the downhill side of `point`. If `low` is on that side, `low` becomes `high`.
      if (point.slope * (high === undefined ? 1 : high.step - low.step) >= 0) high = low;
      low = point;
    }
    step = high === undefined ? 2 * step : between(low, high);
  }
  return low.step > 0 ? low : undefined;
}

interface Reached extends SearchPoint {
  readonly step: number;
  /** Derivative of the loss along the direction. */
  readonly slope: number;
}

/**
 * The minimum of the cubic through both ends. It stays away from each end by at least a tenth of their
 * distance.
 */
function between(low: Reached, high: Reached): number {
  const width = high.step - low.step;
  const d1 = low.slope + high.slope - (3 * (low.loss - high.loss)) / (low.step - high.step);
  const d2 = Math.sign(width) * Math.sqrt(d1 * d1 - low.slope * high.slope);
  const share = 1 - (high.slope + d2 - d1) / (high.slope - low.slope + 2 * d2);
  // If the cubic is not finite, the middle is used.
  return low.step + width * (share >= 0.1 && share <= 0.9 ? share : clampShare(share));
}

function clampShare(share: number): number {
  if (Number.isNaN(share)) return 0.5;
  return share < 0.1 ? 0.1 : 0.9;
}
