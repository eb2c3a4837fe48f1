import { decimate, type Point, uniquePixels } from './decimate.js';
import { element, pixels } from './svg.js';
import { lineColor, lineDash } from './theme.js';

/** One curve. A value that the axes cannot show (NaN, infinite, ≤ 0 on a logarithmic axis) is a gap. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** `#rrggbb`. Default: a colour of the palette, the same for series of the same name. */
  readonly color?: string;
  readonly dashed?: boolean;
  /**
   * Draws the curve thin, pale and without a label: a noisy curve behind its average. Both have the same
   * name.
   */
  readonly faint?: boolean;
}

/** A series with its colour and pattern. */
export interface StyledSeries extends Series {
  readonly color: string;
  readonly dash: string | undefined;
}

/** Gives every series a colour and a pattern by its name. A curve and its average then have the same ones. */
export function styleSeries(series: readonly Series[]): StyledSeries[] {
  const names = [...new Set(series.map(({ name }) => name))];
  return series.map((one) => {
    const index = names.indexOf(one.name);
    return { ...one, color: one.color ?? lineColor(index), dash: lineDash(index, one.dashed ?? false) };
  });
}

/** The parts of a curve between its gaps, in pixels. `place` returns undefined for a gap. */
export function placeRuns(
  points: Series['points'],
  place: (point: readonly [number, number]) => Point | undefined,
): Point[][] {
  const runs: Point[][] = [];
  let run: Point[] = [];
  for (const point of points) {
    const placed = place(point);
    if (placed !== undefined) run.push(placed);
    else if (run.length > 0) {
      runs.push(run);
      run = [];
    }
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

/**
 * Draws the parts of a curve as one path, without points that make no visible difference. A part of one point
 * is a dot.
 */
export function drawSeries(style: StyledSeries, runs: readonly (readonly Point[])[]): string {
  const { color, dash, faint = false } = style;
  const opacity = faint ? '0.28' : undefined;
  const lines = runs.filter((run) => run.length > 1).map(pathOf);
  const dots = uniquePixels(runs.filter((run) => run.length === 1).map(([point]) => point));
  const path = element('path', {
    d: lines.join(''),
    fill: 'none',
    stroke: color,
    'stroke-width': faint ? '1' : '1.8',
    'stroke-linejoin': 'round',
    'stroke-linecap': dash === undefined ? 'round' : 'butt',
    'stroke-dasharray': dash,
    opacity,
  });
  const circles = dots.map(([x, y]) =>
    element('circle', { cx: x, cy: y, r: faint ? 1.5 : 3.5, fill: color, opacity }),
  );
  return (lines.length === 0 ? '' : path) + circles.join('');
}

function pathOf(run: readonly Point[]): string {
  // `decimate` keeps the first and the last point of the run, so the path has at least two points.
  const points = decimate(run).map(([x, y]) => `${pixels(x)} ${pixels(y)}`);
  return `M${points[0]}L${points.slice(1).join(' ')}`;
}
