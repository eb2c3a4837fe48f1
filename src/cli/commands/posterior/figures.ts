import type { Matrix } from '../../../linalg/matrix.js';
import type { Chart } from '../../../plot/chart.js';
import { figure } from '../../../plot/figure.js';
import { lineChart } from '../../../plot/line-chart.js';
import type { Series } from '../../../plot/series.js';
import { lineColor } from '../../../plot/theme.js';

/** Largest number of parameters in a picture. A picture of more parameters would be unreadable. */
const PANELS_MAX = 12;
const BINS = 40;
const CURVE_POINTS = 160;
const PANEL_PX = 110;
const BAND_COLOR = lineColor(2);

/** A density in closed form, for one parameter. */
export type Density = (value: number) => number;

/** The density of N(mean, sd²). */
export function normalDensity(mean: number, sd: number): Density {
  return (value) => Math.exp(-(((value - mean) / sd) ** 2) / 2) / (sd * Math.sqrt(2 * Math.PI));
}

/** The reference of the marginals: densities in closed form, or draws of an exact sampler. */
export type Exact = { readonly densities: readonly Density[] } | { readonly draws: Float64Array[] };

/** The histogram of every parameter over all chains, and the exact density if it is known. */
export function marginalsFigure(
  title: string,
  names: readonly string[],
  chains: readonly Matrix[],
  exact?: Exact,
): string {
  const charts = names.slice(0, PANELS_MAX).map((name, j): Chart => {
    const all = columnOf(chains, j);
    const [low, high] = quantileRange(all);
    const series: Series[] = [{ name: 'board', points: histogram(all, low, high) }];
    if (exact !== undefined)
      series.push({
        name: 'exact',
        dashed: true,
        points:
          'draws' in exact ? histogram(exact.draws[j], low, high) : curve(exact.densities[j], low, high),
      });
    return lineChart({
      title: name,
      x: { label: name },
      y: { label: 'density', include: [0] },
      series,
      plotHeightPx: PANEL_PX,
    });
  });
  return figure(charts, { title: `${title}${leftOut(names)}` });
}

/** Every chain of every parameter over its draws. */
export function tracesFigure(title: string, names: readonly string[], chains: readonly Matrix[]): string {
  const charts = names.slice(0, PANELS_MAX).map((name, j) =>
    lineChart({
      title: name,
      x: { label: 'draw' },
      y: { label: name },
      series: chains.map((chain, k) => ({
        name: `chain ${k + 1}`,
        points: Array.from(
          { length: chain.rows },
          (_, at) => [at + 1, chain.data[at * chain.columns + j]] as const,
        ),
      })),
      plotHeightPx: PANEL_PX,
    }),
  );
  return figure(charts, { title: `${title}${leftOut(names)}` });
}

/** A prediction of one observation. */
export interface Prediction {
  readonly observed: number;
  readonly median: number;
  readonly q5: number;
  readonly q95: number;
}

/** Observations in the order of their predictions, between the 5 % and 95 % quantiles of the predictions. */
export function predictiveFigure(
  title: string,
  target: string,
  predictions: readonly Prediction[],
  subtitle: string,
): string {
  const sorted = predictions.toSorted((a, b) => a.median - b.median);
  const curveOf = (field: keyof Prediction) => sorted.map((one, k) => [k + 1, one[field]] as const);
  return figure(
    [
      lineChart({
        title: 'Predictive bands',
        subtitle,
        x: { label: 'observations, in the order of their predictions' },
        y: { label: target },
        series: [
          {
            name: 'observed',
            points: curveOf('observed').flatMap((point) => [point, [Number.NaN, Number.NaN]]),
          },
          { name: 'median', points: curveOf('median') },
          { name: '95 %', dashed: true, color: BAND_COLOR, points: curveOf('q95') },
          { name: '5 %', dashed: true, color: BAND_COLOR, points: curveOf('q5') },
        ],
        plotHeightPx: 320,
      }),
    ],
    { title },
  );
}

/** Column j of all chains, one after the other. */
export function columnOf(chains: readonly Matrix[], j: number): Float64Array {
  const { rows, columns } = chains[0];
  return Float64Array.from(
    { length: rows * chains.length },
    (_, k) => chains[Math.floor(k / rows)].data[(k % rows) * columns + j],
  );
}

function leftOut(names: readonly string[]): string {
  return names.length <= PANELS_MAX ? '' : ` (the first ${PANELS_MAX} of ${names.length})`;
}

/** All draws but the outermost thousandths. */
function quantileRange(values: Float64Array): [number, number] {
  const sorted = values.toSorted();
  const cut = Math.floor(values.length / 1000);
  return [sorted[cut], sorted[sorted.length - 1 - cut]];
}

/** The outline of a histogram, as a density. */
function histogram(values: Float64Array, low: number, high: number): (readonly [number, number])[] {
  const counts = new Float64Array(BINS);
  const width = (high - low) / BINS || 1;
  for (const value of values) {
    const bin = Math.floor((value - low) / width);
    if (bin >= 0 && bin < BINS) counts[bin]++;
  }
  return Array.from(counts).flatMap((count, k) => {
    const height = count / (values.length * width);
    return [[low + k * width, height] as const, [low + (k + 1) * width, height] as const];
  });
}

function curve(density: Density, low: number, high: number): (readonly [number, number])[] {
  return Array.from({ length: CURVE_POINTS }, (_, k) => {
    const value = low + ((high - low) * k) / (CURVE_POINTS - 1);
    return [value, density(value)] as const;
  });
}
