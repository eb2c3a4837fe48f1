import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { onThemeChange, readTheme, type Theme } from './theme.js';

/** One line or row of points. */
export interface ChartSeries {
  readonly label: string;
  /** Index of its colour in the theme. */
  readonly color: number;
  /**
   * Default `line`. `ring` is a larger, hollow point, which stays visible around a point at the same place.
   */
  readonly kind?: 'line' | 'point' | 'ring';
}

/** x, then one column for each series; all have the same length, NaN is a gap. */
export type ChartData = readonly (readonly number[] | Float64Array)[];

export interface LineChartProps {
  /** Description of the chart in words and figures, for people who cannot see it. */
  readonly summary: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly ChartSeries[];
  readonly data: ChartData;
  readonly isLogarithmic?: boolean;
  readonly formatX?: (value: number) => string;
}

const HEIGHT_PX = 200;
/** More points than these are drawn smaller. */
const CROWD = 64;
/** The smallest width. A wider place makes the chart wider. */
const WIDTH_MIN_PX = 200;

/** A chart by uPlot. It is created again when its series change. Otherwise it only gets new data. */
export function LineChart(props: LineChartProps) {
  const { summary, series, data, xLabel, yLabel, isLogarithmic = false } = props;
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const shape = JSON.stringify([series, xLabel, yLabel, isLogarithmic, data[0].length > CROWD]);

  // `shape` represents all inputs of the options.
  useEffect(() => {
    const element = place.current!;
    const draw = (): void => {
      chart.current?.destroy();
      const width = Math.max(WIDTH_MIN_PX, element.clientWidth);
      chart.current = new uPlot(
        optionsOf(latest.current, width, readTheme()),
        drawable(latest.current.data),
        element,
      );
    };
    draw();
    const observer = new ResizeObserver(() => {
      const width = Math.max(WIDTH_MIN_PX, element.clientWidth);
      if (width !== chart.current?.width) chart.current?.setSize({ width, height: HEIGHT_PX });
    });
    observer.observe(element);
    const endTheme = onThemeChange(draw);
    return () => {
      observer.disconnect();
      endTheme();
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [shape]);

  useEffect(() => chart.current?.setData(drawable(data)), [data]);

  return <div ref={place} class="chart" role="img" aria-label={summary} />;
}

/** uPlot has null for a gap. */
function drawable(data: ChartData): uPlot.AlignedData {
  const [x, ...columns] = data;
  return [
    x,
    ...columns.map((column) => Array.from(column, (value) => (Number.isNaN(value) ? null : value))),
  ] as uPlot.AlignedData;
}

function optionsOf(props: LineChartProps, width: number, theme: Theme): uPlot.Options {
  const { series, data, xLabel, yLabel, isLogarithmic, formatX } = props;
  const pointPx = data[0].length > CROWD ? 3 : 6;
  const axis = (label: string): uPlot.Axis => ({
    label,
    labelSize: 20,
    labelFont: '12px system-ui, sans-serif',
    font: '12px system-ui, sans-serif',
    stroke: theme.ink,
    grid: { stroke: theme.grid, width: 1 },
    ticks: { stroke: theme.grid, width: 1, size: 4 },
  });
  return {
    width,
    height: HEIGHT_PX,
    // A legend of uPlot would set the names as HTML; the page has its own.
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false }, y: isLogarithmic ? { distr: 3 } : {} },
    axes: [
      { ...axis(xLabel), size: 30, ...(formatX ? { values: (_, splits) => splits.map(formatX) } : {}) },
      { ...axis(yLabel), size: 58, values: (_, splits) => splits.map(tickText) },
    ],
    series: [{}, ...series.map((one) => seriesOf(one, theme, pointPx))],
  };
}

/** uPlot rounds to thousandths: ticks of tenths of a millivolt would look alike. Null has no text. */
const tickText = (value: number | null): string =>
  value === null
    ? ''
    : value.toLocaleString('en-US', { maximumSignificantDigits: 6, signDisplay: 'negative' });

function seriesOf({ label, color, kind = 'line' }: ChartSeries, theme: Theme, pointPx: number): uPlot.Series {
  const stroke = theme.lines[color % theme.lines.length];
  // A reading between two gaps, and the first value of a curve, have no line: the point shows them.
  if (kind === 'line') return { label, stroke, width: 1.5, points: { show: true, size: 3, fill: stroke } };
  return {
    label,
    stroke,
    paths: () => null,
    points:
      kind === 'point'
        ? { show: true, size: pointPx, fill: stroke }
        : { show: true, size: 2 * pointPx, fill: 'transparent', width: 1.5 },
  };
}
