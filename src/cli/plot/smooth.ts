/**
 * A centred moving average over `windowCount` points (at the ends over those of them that exist), for curves with noise
 * from step to step. Points that are not finite stay gaps and are left out of the averages.
 */
export function smooth(
  points: readonly (readonly [number, number])[],
  windowCount: number,
): [x: number, y: number][] {
  const half = Math.max(0, Math.floor((windowCount - 1) / 2));
  return points.map(([x, y], index) => {
    if (!Number.isFinite(y)) return [x, y];
    let [sum, count] = [0, 0];
    const last = Math.min(points.length - 1, index + half);
    for (let i = Math.max(0, index - half); i <= last; i++) {
      if (!Number.isFinite(points[i][1])) continue;
      sum += points[i][1];
      count++;
    }
    return [x, sum / count];
  });
}
