import type { ChannelHistogram } from '../../../measure/adc-histogram.js';
import type { Characterization } from '../../../measure/characterize.js';
import { type Summary, summarize } from '../../../measure/estimates.js';
import { type Quantity, quantitiesOf } from '../../../measure/quantities.js';
import { formatCount, formatNumber } from '../../../number-text.js';
import type { Chart } from '../../../plot/chart.js';
import { figure } from '../../../plot/figure.js';
import { lineChart } from '../../../plot/line-chart.js';
import type { Series } from '../../../plot/series.js';

/** Bars on each side of the middle of a histogram. */
const BINS = 40;

/** The figures of a characterization by file name, SVG. */
export function characterizationFigures(measured: Characterization): ReadonlyMap<string, string> {
  const { model, serialNumber } = measured.identity;
  const title = (what: string) => `${what} of ${model}, ${serialNumber}`;
  const files = new Map([
    [
      'cells.svg',
      figure(quantitiesOf(measured).filter(isMeasured).map(cellChart), { title: title('Cells') }),
    ],
  ]);
  const histogram = worstHistogram(measured.histograms);
  if (histogram !== undefined)
    files.set('adc-histogram.svg', figure(histogramCharts(...histogram), { title: title('ADC codes') }));
  const { couplings } = measured;
  const errors = couplings?.errors.values.filter(Number.isFinite);
  if (couplings !== undefined && errors !== undefined && errors.length > 0) {
    const chart = distributionChart(errors, {
      title: 'Coupling errors',
      subtitle: `${formatCount(errors.length)} crosspoints: ${summaryText(summarize(couplings.errors, 0))}`,
      label: 'relative error of the conductance',
    });
    files.set('couplings.svg', figure([chart], { title: title('Couplings') }));
  }
  return files;
}

function isMeasured({ estimates }: Quantity): boolean {
  return estimates.values.some(Number.isFinite);
}

/** The subtitle with mean, spread, and the standard error of one value. */
function summaryText({ mean, spread, standardError }: Summary): string {
  // A single value has no spread.
  const spreadText = Number.isFinite(spread) ? formatNumber(spread, 2) : '–';
  return `mean ${formatNumber(mean, 4)}, spread ${spreadText}, standard error of one value ${formatNumber(standardError, 2)}`;
}

/** A dot per cell, and a line of one standard error to either side. */
function cellChart({ title, unit, nominal, estimates }: Quantity): Chart {
  const { values, standardErrors } = estimates;
  const dots: [number, number][] = [];
  const bars: [number, number][] = [];
  for (const [cell, value] of values.entries()) {
    if (!Number.isFinite(value)) continue;
    // The gap after each dot keeps the dots from being joined.
    dots.push([cell, value], [cell, Number.NaN]);
    bars.push([cell, value - standardErrors[cell]], [cell, value + standardErrors[cell]], [cell, Number.NaN]);
  }
  return lineChart({
    title,
    subtitle: summaryText(summarize(estimates, nominal)),
    x: { label: 'cell' },
    y: { label: unit === '1' ? title : `${title}, ${unit}` },
    series: [
      { name: '', points: bars },
      { name: '', points: dots },
    ],
    annotations: [{ axis: 'y', at: nominal, label: 'ideal' }],
    plotHeightPx: 140,
  });
}

/**
 * Returns the channel with most missing codes. If no channel has missing codes, returns the most uneven one.
 */
function worstHistogram(histograms: readonly ChannelHistogram[]): [number, ChannelHistogram] | undefined {
  return [...histograms.entries()]
    .filter(([, { stuckAt }]) => stuckAt === undefined)
    .sort(
      ([, a], [, b]) =>
        b.missing.length - a.missing.length || (b.widthSpreadLsb || 0) - (a.widthSpreadLsb || 0),
    )[0];
}

function histogramCharts(
  channel: number,
  { firstCode, counts, expected, missing }: ChannelHistogram,
): Chart[] {
  const points = (values: Uint32Array | Float64Array): Series['points'] =>
    Array.from(values, (value, k) => [firstCode + k, value] as const);
  return [
    lineChart({
      title: `Channel ${channel}`,
      subtitle:
        missing.length > 0
          ? `the channel with most missing codes: ${formatCount(missing.length)}`
          : 'the most uneven channel; no code is missing',
      x: { label: 'code' },
      y: { label: 'readings', include: [0] },
      series: [
        { name: 'read', points: points(counts) },
        { name: 'if all codes were alike', points: points(expected), dashed: true },
      ],
    }),
  ];
}

/**
 * A histogram as a step line over ± 4 standard deviations. Its first and last bar also count the values
 * beyond them.
 */
function distributionChart(
  values: Float64Array,
  { title, subtitle, label }: { title: string; subtitle: string; label: string },
): Chart {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const sigma = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length) || 1;
  const width = (4 * sigma) / BINS;
  const counts = new Float64Array(2 * BINS + 1);
  for (const x of values) counts[Math.min(2 * BINS, Math.max(0, BINS + Math.round((x - mean) / width)))]++;
  const points = [...counts].flatMap((count, k): [number, number][] => {
    const middle = mean + (k - BINS) * width;
    return [
      [middle - width / 2, count],
      [middle + width / 2, count],
    ];
  });
  return lineChart({
    title,
    subtitle,
    x: { label },
    y: { label: 'crosspoints', include: [0] },
    series: [{ name: '', points }],
  });
}
