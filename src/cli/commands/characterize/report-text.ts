import type { Characterization } from '../../../measure/characterize.js';
import { type Estimates, summarize } from '../../../measure/estimates.js';
import { quantitiesOf } from '../../../measure/quantities.js';
import { couplingErrorOfRows, worstCells } from '../../../measure/worst-cells.js';
import { formatCount, formatMeasured, formatNumber } from '../../../number-text.js';
import { formatTable } from '../../output/table.js';

/** Rows of the table of the worst cells. */
const SHOWN = 10;
/** Cells that a list names before it counts the rest. */
const NAMED = 16;

/** The results of a characterization, as tables. */
export function characterizationText(measured: Characterization): string {
  return [
    `board: ${measured.identity.model}, ${measured.identity.serialNumber}\n`,
    summaryTable(measured),
    worstTable(measured),
    findings(measured),
  ].join('\n');
}

function summaryTable(measured: Characterization): string {
  const rows = quantitiesOf(measured).map(({ title, unit, nominal, estimates }) =>
    summaryRow(title, unit, nominal, estimates, (i) => `cell ${i}`),
  );
  const { couplings } = measured;
  if (couplings !== undefined) {
    const place = (k: number) => `(${couplings.rows[k]}, ${couplings.columns[k]})`;
    rows.push(summaryRow('coupling error', '1', 0, couplings.errors, place));
  }
  return formatTable(rows, {
    header: ['quantity', 'unit', 'measured', 'mean', 'spread', 'error of one', 'farthest', 'value'],
    align: ['left', 'left', 'right', 'right', 'right', 'right', 'right', 'right'],
  });
}

function summaryRow(
  title: string,
  unit: string,
  nominal: number,
  estimates: Estimates,
  place: (i: number) => string,
): string[] {
  const { measured, mean, spread, standardError, worst } = summarize(estimates, nominal);
  if (measured === 0) return [title, unit, '0'];
  return [
    title,
    unit,
    formatCount(measured),
    formatMeasured(mean, standardError).value,
    // A board of one cell has no spread.
    Number.isFinite(spread) ? formatNumber(spread, 2) : '–',
    formatNumber(standardError, 2),
    place(worst),
    formatMeasured(estimates.values[worst], estimates.standardErrors[worst]).value,
  ];
}

function worstTable(measured: Characterization): string {
  const { adc, drive, timeConstant, noiseTemperature, couplings } = measured;
  const inRow = couplingErrorOfRows(measured);
  const worst = worstCells(measured).slice(0, SHOWN);
  if (measured.silent.length === measured.identity.cells) return 'No cell could be measured.\n';
  if (worst.length === 0)
    return 'No cell differs from the others by more than the errors of the estimates.\n';
  const at = ({ values, standardErrors }: Estimates, cell: number) =>
    formatMeasured(values[cell], standardErrors[cell]).value;
  return formatTable(
    worst.map(({ cell, quantity, deviation }) => [
      String(cell),
      at(adc.offset, cell),
      at(adc.gain, cell),
      at(drive.offset, cell),
      at(drive.gain, cell),
      at(timeConstant, cell),
      at(noiseTemperature, cell),
      ...(couplings === undefined ? [] : [formatNumber(inRow[cell], 2)]),
      `${quantity.title}, ${deviation > 0 ? '+' : ''}${deviation.toFixed(1)} spreads`,
    ]),
    {
      header: [
        'worst cells',
        'ADC offset',
        'ADC gain',
        'drive offset',
        'drive gain',
        'time const.',
        'noise temp.',
        ...(couplings === undefined ? [] : ['row coupling']),
        'stands out by',
      ],
      align: ['right', 'right', 'right', 'right', 'right', 'right', 'right', couplings ? 'right' : 'left'],
    },
  );
}

function findings({ silent, overloaded, histograms, samples, noiseColour }: Characterization): string {
  const missing = histograms.reduce((sum, histogram) => sum + histogram.missing.length, 0);
  const seen = histograms.reduce((sum, { expected }) => sum + (expected.length > 1 ? expected.length : 0), 0);
  const judged = histograms.filter(({ widthSpreadLsb }) => Number.isFinite(widthSpreadLsb));
  const meanSquare = judged.reduce((sum, h) => sum + h.widthSpreadLsb ** 2, 0) / judged.length;
  const widths =
    judged.length === 0
      ? `too few readings (${formatCount(samples)}) to judge single codes`
      : `${formatCount(missing)} missing of ${formatCount(seen)} looked at, widths 1 ± ${formatNumber(Math.sqrt(meanSquare), 2)} LSB`;
  return formatTable([
    ['cells whose readings do not follow (dead, or channel stuck)', listText(silent)],
    ['cells that run into a rail', listText(overloaded)],
    ['ADC codes', widths],
    ...(noiseColour.isColoured
      ? [
          [
            'noise',
            `coloured: its temperatures hold only for hλ = ½, and their errors do not include this (the correlation of neighbouring readings is too large by ${formatMeasured(noiseColour.excessCorrelation, noiseColour.standardError).value})`,
          ],
        ]
      : []),
  ]);
}

function listText(cells: readonly number[]): string {
  if (cells.length === 0) return 'none';
  const named = cells.slice(0, NAMED).join(', ');
  return cells.length > NAMED ? `${named} and ${formatCount(cells.length - NAMED)} more` : named;
}
