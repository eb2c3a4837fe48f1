import type { ScaleKind } from './scale.js';

/**
 * A centred moving mean over `windowCount` points, for curves with noise from step to step. Towards the ends
 * the window shrinks equally on both sides, down to the point itself. A one-sided mean of a falling curve
 * would begin too low and end too high. On a logarithmic axis it is the mean of log y, which is the middle
 * that the eye sees.
 *
 * Values that the axis cannot show stay gaps: values that are not finite and, on a logarithmic axis, values ≤
 * 0. If a window contains such a value, this value and its mirror point on the other side are both omitted.
 */
export function smooth(
  points: readonly (readonly [number, number])[],
  windowCount: number,
  scale: ScaleKind = 'linear',
): [x: number, y: number][] {
  const half = Math.max(0, Math.floor((windowCount - 1) / 2));
  const isLog = scale === 'log';
  const values = points.map(([, y]) => (isLog ? Math.log(y) : y));
  return points.map(([x, y], index) => {
    if (!Number.isFinite(values[index])) return [x, y];
    let [sum, count] = [values[index], 1];
    const reach = Math.min(half, index, points.length - 1 - index);
    for (let distance = 1; distance <= reach; distance++) {
      const pair = values[index - distance] + values[index + distance];
      if (!Number.isFinite(pair)) continue;
      sum += pair;
      count += 2;
    }
    return [x, isLog ? Math.exp(sum / count) : sum / count];
  });
}
