import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StepRecord, StepTiming, TrainingSummary } from '../../training/record.js';
import { RUN_FILES } from '../../training/run-files.js';
import { formatPercent, formatSeconds } from '../output/format.js';
import { barChart } from '../plot/bar-chart.js';
import { figure } from '../plot/figure.js';
import { lineChart } from '../plot/line-chart.js';
import type { Series } from '../plot/series.js';
import { smooth } from '../plot/smooth.js';
import { TIMING_NAMES } from './summary-text.js';

/** Steps that a curve is averaged over. */
const SMOOTHING_STEPS = 15;

/** A run as a figure shows it. */
export interface FigureRun {
  readonly name: string;
  readonly records: readonly StepRecord[];
  readonly summary: TrainingSummary;
}

export function readRecords(directory: string): StepRecord[] {
  const lines = readFileSync(join(directory, RUN_FILES.metrics), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as StepRecord);
}

/** Writes curves.svg of the run in `directory`. */
export function writeRunFigure(directory: string, summary: TrainingSummary): void {
  const { name } = summary.settings['optimizer'] as { name: string };
  const svg = runsFigure(`Training with ${name}`, [{ name, records: readRecords(directory), summary }]);
  writeFileSync(join(directory, 'curves.svg'), svg);
}

/** Loss and accuracy over the steps, and where the host time of a step went, of one or several runs. */
export function runsFigure(title: string, runs: readonly FigureRun[]): string {
  const curves = (value: (record: StepRecord) => number): Series[] =>
    runs.flatMap(({ name, records }) => {
      const points = records.map((record) => [record.step + 1, value(record)] as const);
      const averaged = { name, points: smooth(points, SMOOTHING_STEPS) };
      return runs.length === 1 ? [{ name, points, faint: true }, averaged] : [averaged];
    });
  const tests = runs.map(({ name, summary }) => `${name} ${formatPercent(summary.testAccuracy, 2)}`);
  return figure(
    [
      lineChart({
        title: 'Loss of the batch before each step',
        subtitle:
          runs.length === 1
            ? 'pale: each batch; strong: running average'
            : 'running average over the batches',
        x: { label: 'step' },
        y: { label: 'loss, nat', scale: 'log' },
        series: curves(({ loss }) => loss),
      }),
      lineChart({
        title: 'Accuracy of the batch before each step',
        subtitle: `on the test images after training: ${tests.join(', ')}`,
        x: { label: 'step' },
        y: { label: 'accuracy', include: [1], format: (value) => formatPercent(value, 0) },
        series: curves(({ accuracy }) => accuracy),
      }),
      barChart({
        title: 'Host time of one step',
        subtitle: boardSubtitle(runs),
        x: { label: 'time', format: (milliseconds) => formatSeconds(milliseconds / 1000) },
        bars: runs.map(({ name, summary }) => ({
          name,
          segments: (Object.keys(TIMING_NAMES) as (keyof StepTiming)[]).map((part) => ({
            name: TIMING_NAMES[part],
            value: summary.timing.breakdown[part],
          })),
        })),
      }),
    ],
    { title },
  );
}

function boardSubtitle(runs: readonly FigureRun[]): string {
  const board = runs.find(({ summary }) => summary.ticks > 0);
  if (!board) return 'no board was used';
  const seconds = board.summary.boardSeconds / board.summary.iterations;
  return `an emulated board computes while the host waits; a real one would take ${formatSeconds(seconds)} a step (modelled: ticks × h × τ)`;
}
