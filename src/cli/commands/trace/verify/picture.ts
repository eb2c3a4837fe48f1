import { readingVolts } from '../../../../board/volts.js';
import { counted, formatNumber } from '../../../../number-text.js';
import { figure } from '../../../../plot/figure.js';
import { lineChart } from '../../../../plot/line-chart.js';
import type { Comparison, StatisticName } from '../../../../traces/verify/compare-runs.js';
import { studentLimit } from '../../../../traces/verify/student.js';
import type { ComparedSamples, VerifyResult } from '../../../../traces/verify/verify-result.js';
import { namesOf } from './verdict-text.js';

const PANELS: readonly (readonly [StatisticName, string])[] = [
  ['mean', 'Mean of each cell'],
  ['variance', 'Variance of each cell'],
  ['innovation', 'Noise of each cell that other cells and the sample before do not predict'],
  ['covariance', 'Correlation of pairs, the worst one of each cell'],
  ['autocorrelation', 'Correlation of each cell with its own earlier readings'],
];

const READINGS = ['reading', 'Single readings of short runs, the worst one of each cell'] as const;

/**
 * The runs that deviate most, or the first runs if none deviates: their means, and every statistic in
 * standard errors.
 */
export function verdictPicture(result: VerifyResult): string | undefined {
  const { comparisons, recorded, found, verdict } = result;
  const order = [...verdict.deviations.map(({ run }) => comparisons[run]), ...comparisons];
  const comparison = order.find(({ blocks }) => blocks);
  const readings = comparisons.find((one) => one.readings);
  if (!comparison && !readings) return undefined;
  const charts = [
    ...(comparison ? [meansChart(comparison, result)] : []),
    ...(comparison ? PANELS.map((panel) => errorsChart(panel, comparison, result)) : []),
    ...(readings ? [errorsChart(READINGS, readings, result)] : []),
  ];
  return figure(charts, {
    title: `${recorded.serialNumber} recorded, ${found.serialNumber} found: ${counted(verdict.deviations.length, 'deviation')}`,
  });
}

function meansChart(comparison: ComparedSamples, result: VerifyResult) {
  const means = of(comparison, 'mean');
  const volts = (values: number[]) => readingVolts(values, result.recorded);
  const [was, is] = [volts(means.map((mean) => mean.recorded)), volts(means.map((mean) => mean.found))];
  return lineChart({
    title: 'Mean voltages',
    subtitle: namesOf(comparison, result),
    x: { label: 'cell' },
    y: { label: 'V' },
    series: [
      { name: 'recorded', points: Array.from(was, (volt, cell) => [cell, volt] as const) },
      { name: 'found', points: Array.from(is, (volt, cell) => [cell, volt] as const) },
    ],
    plotHeightPx: 150,
  });
}

function errorsChart(
  [statistic, title]: readonly [StatisticName, string],
  comparison: ComparedSamples,
  result: VerifyResult,
) {
  const { blocks, cells } = comparison;
  const { limits } = result.verdict;
  const worst = new Float64Array(cells);
  for (const each of of(comparison, statistic)) {
    const errors = inErrors(each);
    for (const cell of [each.cell, each.other ?? each.cell])
      if (Math.abs(errors) > Math.abs(worst[cell])) worst[cell] = errors;
  }
  const limit = studentLimit(limits[statistic], blocks ? blocks.count - 1 : NORMAL_DOF);
  const points = Array.from(worst, (errors, cell) => [cell, errors] as const);
  const isBeyond = ([, errors]: readonly [number, number]): boolean => Math.abs(errors) > limit;
  // A gap after each point makes it a dot.
  const dots = (chosen: typeof points) => chosen.flatMap((point) => [point, [point[0], Number.NaN] as const]);
  return lineChart({
    title,
    subtitle: `found − recorded in standard errors; beyond the lines chance is too unlikely (${formatNumber(limits[statistic], 2)})`,
    x: { label: 'cell' },
    y: { label: 'standard errors', include: [0] },
    series: [
      { name: 'within', points: dots(points.filter((point) => !isBeyond(point))), color: '#0072b2' },
      { name: 'deviates', points: dots(points.filter(isBeyond)), color: '#d55e00' },
    ].filter((series) => series.points.length > 0),
    annotations: [
      { axis: 'y', at: limit, label: '' },
      { axis: 'y', at: -limit, label: '' },
    ],
    plotHeightPx: 130,
  });
}

function of({ comparisons }: ComparedSamples, statistic: StatisticName): Comparison[] {
  return comparisons.filter((each) => each.statistic === statistic);
}

function inErrors({ recorded, found, error, probability }: Comparison): number {
  if (probability === 1) return 0;
  const difference = found - recorded;
  return error > 0 ? difference / error : Math.sign(difference) * BEYOND_ALL;
}

/** From this number of degrees of freedom on, Student's distribution is taken as the normal one. */
const NORMAL_DOF = 1e6;

/** A statistic that never varied before, and has changed now, is drawn at this value. */
const BEYOND_ALL = 100;
