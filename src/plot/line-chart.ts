import {
  type Annotation,
  drawAnnotationLabels,
  drawAnnotationLines,
  type PlacedAnnotation,
} from './annotations.js';
import { drawAxes, labelsWidth, overhang, X_AXIS_PX, xTicks, Y_NAME_PX, yTicks } from './axes.js';
import type { Box, Chart, Drawing, Margins } from './chart.js';
import { decimate, type Point } from './decimate.js';
import { drawHeader, type LegendEntry } from './header.js';
import { type AxisSpec, makeScale, type Scale } from './scale.js';
import { drawSeries, placeRuns, type Series, type StyledSeries, styleSeries } from './series.js';
import { spread } from './spread.js';
import { element, group, textElement } from './svg.js';
import { textWidth } from './text-width.js';
import { FONT_PX, MUTED_INK, readableColor } from './theme.js';

export interface LineChartSpec {
  readonly title: string;
  readonly subtitle?: string;
  readonly x: AxisSpec;
  readonly y: AxisSpec;
  readonly series: readonly Series[];
  readonly annotations?: readonly Annotation[];
  /** Height of the plot area, pixels. Default 220. */
  readonly plotHeightPx?: number;
}

const LABEL_LINE_PX = 16;
const LABEL_GAP_PX = 14;
/** If a curve ends in this last part of the axis, its name is written at its end. */
const END_PART = 0.06;

/**
 * A chart of curves. The name of each curve is written at its right end, or in a row above if there is no
 * room.
 */
export function lineChart(spec: LineChartSpec): Chart {
  const parts = new LineChartParts(spec);
  return {
    title: spec.title,
    margins: (widthPx) => parts.margins(widthPx),
    draw: (widthPx, margins) => parts.draw(widthPx, margins),
  };
}

class LineChartParts {
  readonly #spec: LineChartSpec;
  readonly #series: readonly StyledSeries[];
  readonly #named: readonly StyledSeries[];
  readonly #x: Scale;
  readonly #y: Scale;
  readonly #heightPx: number;

  constructor(spec: LineChartSpec) {
    const { x, y, series, annotations = [] } = spec;
    this.#spec = spec;
    this.#series = styleSeries(series);
    this.#named = this.#series.filter(({ faint, name }) => !faint && name !== '');
    this.#x = makeScale(x, coordinates(series, annotations, 'x'), 0);
    this.#y = makeScale(y, coordinates(series, annotations, 'y'), 0.04);
    this.#heightPx = spec.plotHeightPx ?? 220;
  }

  margins(widthPx: number): Margins {
    const labelsPx = this.#hasEndLabels(widthPx) ? Math.max(...this.#named.map(nameWidth)) + LABEL_GAP_PX : 0;
    const leftPx = labelsWidth(yTicks(this.#y, this.#heightPx));
    const plotPx = widthPx - leftPx - labelsPx;
    const beyond = overhang(xTicks(this.#x, plotPx), this.#x, plotPx);
    return {
      leftPx: Math.ceil(Math.max(leftPx, beyond.left)),
      // A dot at the end of the axis needs room too.
      rightPx: Math.ceil(Math.max(labelsPx, beyond.right, 4)),
    };
  }

  draw(widthPx: number, { leftPx, rightPx }: Margins): Drawing {
    const { x, y, annotations = [] } = this.#spec;
    const hasEndLabels = this.#hasEndLabels(widthPx);
    const plot: Box = { left: leftPx, top: 0, right: widthPx - rightPx, bottom: this.#heightPx };
    const runs = this.#series.map(({ points }) => placeRuns(points, (point) => this.#place(point, plot)));
    const legend = this.#named.map((series) => legendEntry(series, runs[this.#series.indexOf(series)]));
    const header = drawHeader(this.#spec, hasEndLabels ? [] : legend, widthPx);
    const lines = this.#placeAnnotations(annotations, plot);
    const xAxis = { scale: this.#x, ticks: xTicks(this.#x, plot.right - plot.left), label: x.label };
    const yAxis = { scale: this.#y, ticks: yTicks(this.#y, this.#heightPx), label: y.label };
    const curves = this.#series.map((series, index) => drawSeries(series, runs[index]));
    // Averages are drawn over their noisy curves.
    const isFaint = (_: string, index: number) => this.#series[index].faint === true;
    const body = [
      drawAxes(plot, xAxis, yAxis),
      drawAnnotationLines(lines, plot),
      ...curves.filter(isFaint),
      ...curves.filter((curve, index) => !isFaint(curve, index)),
      runs.every((run) => run.length === 0) ? drawNoData(plot) : '',
      drawAnnotationLabels(lines, plot, runs.flat().flatMap(dense)),
      hasEndLabels ? this.#drawEndLabels(plot) : '',
    ];
    const topPx = header.heightPx + Y_NAME_PX;
    return {
      markup: header.markup + group(0, topPx, body.join('')),
      heightPx: topPx + this.#heightPx + X_AXIS_PX,
    };
  }

  #hasEndLabels(widthPx: number): boolean {
    const nearEnd = this.#x.kind === 'log' ? END_PART / 2 : END_PART;
    return (
      this.#named.length > 0 &&
      this.#named.length * LABEL_LINE_PX <= this.#heightPx &&
      this.#named.every((series) => nameWidth(series) <= widthPx * 0.28) &&
      this.#named.every((series) => {
        const end = this.#lastPoint(series);
        return end !== undefined && this.#x.place(end[0]) >= 1 - nearEnd;
      })
    );
  }

  #lastPoint({ points }: Series): readonly [number, number] | undefined {
    return points.findLast(([x, y]) => this.#x.canPlace(x) && this.#y.canPlace(y));
  }

  #place([x, y]: readonly [number, number], plot: Box): Point | undefined {
    if (!this.#x.canPlace(x) || !this.#y.canPlace(y)) return undefined;
    return [
      plot.left + this.#x.place(x) * (plot.right - plot.left),
      plot.bottom - this.#y.place(y) * (plot.bottom - plot.top),
    ];
  }

  #placeAnnotations(annotations: readonly Annotation[], plot: Box): PlacedAnnotation[] {
    return annotations
      .filter(({ axis, at }) => (axis === 'x' ? this.#x : this.#y).canPlace(at))
      .map(({ axis, at, label }) => {
        const pixel =
          axis === 'x'
            ? plot.left + this.#x.place(at) * (plot.right - plot.left)
            : plot.bottom - this.#y.place(at) * (plot.bottom - plot.top);
        return { axis, pixel, label };
      });
  }

  /**
   * The names at the right. Each has the colour of its curve, and is as near to the end of the curve as the
   * other names allow.
   */
  #drawEndLabels(plot: Box): string {
    const ends = this.#named.map((series) => this.#place(this.#lastPoint(series)!, plot)!);
    const half = LABEL_LINE_PX / 2;
    const middles = spread(
      ends.map(([, y]) => y),
      LABEL_LINE_PX,
      plot.top + half,
      plot.bottom - half,
    );
    return this.#named
      .map((series, index) => {
        const [x, y] = ends[index];
        const middle = middles[index];
        const text = textElement(series.name, {
          x: plot.right + LABEL_GAP_PX,
          y: middle + 4,
          'font-size': FONT_PX,
          fill: readableColor(series.color),
        });
        const isMoved = Math.abs(middle - y) > 3 || plot.right - x > 3;
        const leader = element('path', {
          class: 'leader',
          d: `M${x.toFixed(1)} ${y.toFixed(1)}L${plot.right + 4} ${y.toFixed(1)} ${plot.right + 11} ${middle.toFixed(1)}`,
          fill: 'none',
          stroke: series.color,
          'stroke-opacity': '0.6',
          'stroke-width': '0.8',
        });
        return isMoved ? leader + text : text;
      })
      .join('');
  }
}

function* coordinates(
  series: readonly Series[],
  annotations: readonly Annotation[],
  axis: 'x' | 'y',
): Generator<number> {
  for (const { points } of series) for (const [x, y] of points) yield axis === 'x' ? x : y;
  for (const annotation of annotations) if (annotation.axis === axis) yield annotation.at;
}

function nameWidth({ name }: Series): number {
  return textWidth(name, FONT_PX);
}

/**
 * The name and a sample of the curve. The sample is a dot if the whole curve is drawn as dots (`drawSeries`).
 */
function legendEntry({ name, color, dash }: StyledSeries, runs: readonly (readonly Point[])[]): LegendEntry {
  const isDots = runs.length > 0 && runs.every((run) => run.length === 1);
  return { name, color, dash, mark: isDots ? 'dot' : 'line' };
}

function drawNoData(plot: Box): string {
  return textElement('no data', {
    x: (plot.left + plot.right) / 2,
    y: (plot.top + plot.bottom) / 2,
    'text-anchor': 'middle',
    'font-size': FONT_PX,
    fill: MUTED_INK,
  });
}

/** Points along a curve, at most 5 pixels apart. They show which parts of the curve a word would cover. */
function dense(run: readonly Point[]): Point[] {
  const points = decimate(run);
  return points.flatMap(([x, y], index) => {
    const [nextX, nextY] = points[Math.min(index + 1, points.length - 1)];
    const count = Math.max(1, Math.ceil(Math.hypot(nextX - x, nextY - y) / 5));
    return Array.from({ length: count }, (_, i): Point => {
      const part = i / count;
      return [x + part * (nextX - x), y + part * (nextY - y)];
    });
  });
}
