/** A point in pixels. */
export type Point = readonly [x: number, y: number];

/**
 * Removes points of a polyline without a visible change. If consecutive points lie in one column of pixels,
 * it keeps the first, the lowest, the highest and the last of them, in their order. No peak is lost, and a
 * curve from left to right has at most four points per column.
 */
export function decimate(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (let start = 0; start < points.length; ) {
    const column = Math.floor(points[start][0]);
    let [lowest, highest, end] = [start, start, start];
    for (; end < points.length && Math.floor(points[end][0]) === column; end++) {
      if (points[end][1] < points[lowest][1]) lowest = end;
      if (points[end][1] > points[highest][1]) highest = end;
    }
    const chosen = [start, Math.min(lowest, highest), Math.max(lowest, highest), end - 1];
    for (const [place, index] of chosen.entries())
      if (place === 0 || index !== chosen[place - 1]) kept.push(points[index]);
    start = end;
  }
  return kept;
}

/** Keeps only the first of the points that fall on the same pixel. It is used for many single dots. */
export function uniquePixels(points: readonly Point[]): Point[] {
  const byPixel = new Map<string, Point>();
  for (const point of points) {
    const key = `${Math.round(point[0])} ${Math.round(point[1])}`;
    if (!byPixel.has(key)) byPixel.set(key, point);
  }
  return [...byPixel.values()];
}
