import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ThermolinkError } from '../../../errors.js';
import { replaceFile } from '../../../learning/checkpoint.js';
import type { StepRecord, StepTiming, TrainingSummary } from '../../../learning/record.js';
import { RUN_FILES } from '../../../learning/run-files.js';
import { barChart } from '../../../plot/bar-chart.js';
import { figure } from '../../../plot/figure.js';
import { lineChart } from '../../../plot/line-chart.js';
import type { ScaleKind } from '../../../plot/scale.js';
import type { Series } from '../../../plot/series.js';
import { smooth } from '../../../plot/smooth.js';
import { formatPercent, formatSeconds } from '../../output/format.js';
import { TIMING_NAMES } from './summary-text.js';

/** Steps that a curve is averaged over. */
const SMOOTHING_STEPS = 15;

/** A run as a figure shows it. */
export interface FigureRun {
  readonly name: string;
  readonly records: readonly StepRecord[];
  readonly summary: TrainingSummary;
}

/** The records of a stored run. Errors: BAD_FILE when they are not there, or not what a run writes. */
export function readRecords(directory: string): StepRecord[] {
  const file = join(directory, RUN_FILES.metrics);
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as StepRecord);
  } catch (cause) {
    throw new ThermolinkError('BAD_FILE', `${file} can't be read as the metrics of a run.`, {
      cause,
      hint: 'Another program has changed it, so that its curves cannot be drawn.',
      data: { file },
    });
  }
}

/**
 * Draws curves.svg of the run in `directory`, or replaces it, and returns the run; `name` is what the user calls its
 * optimizer. Errors: BAD_FILE.
 */
export function writeRunFigure(directory: string, name: string, summary: TrainingSummary): FigureRun {
  const run = { name, records: readRecords(directory), summary };
  replaceFile(join(directory, RUN_FILES.curves), runsFigure(`Training with ${name}`, [run]));
  return run;
}

/** Loss and accuracy over the steps, and where the host time of a step went, of one or several runs. */
export function runsFigure(title: string, runs: readonly FigureRun[]): string {
  const curves = (value: (record: StepRecord) => number, scale: ScaleKind): Series[] =>
    runs.flatMap(({ name, records }) => {
      const points = records.map((record) => [record.step + 1, value(record)] as const);
      const averaged = { name, points: smooth(points, SMOOTHING_STEPS, scale) };
      return runs.length === 1 ? [{ name, points, faint: true }, averaged] : [averaged];
    });
  const meanings = (mean: string): string =>
    `${runs.length === 1 ? 'pale: each batch; strong: ' : ''}${mean} over ${SMOOTHING_STEPS} steps (fewer at the ends)`;
  const tests = runs.map(({ name, summary }) => `${name} ${formatPercent(summary.testAccuracy, 2)}`);
  return figure(
    [
      lineChart({
        title: 'Loss of the batch before each step',
        subtitle: meanings('geometric mean'),
        x: { label: 'step' },
        y: { label: 'loss, nat', scale: 'log' },
        series: curves(({ loss }) => loss, 'log'),
      }),
      lineChart({
        title: 'Accuracy of the batch before each step',
        subtitle: `${meanings('mean')}; on the test images after training: ${tests.join(', ')}`,
        x: { label: 'step' },
        y: { label: 'accuracy', include: [1], format: (value) => formatPercent(value, 0) },
        series: curves(({ accuracy }) => accuracy, 'linear'),
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
  // No-break spaces: a formula is read in one piece.
  return (
    'an emulated board computes while the host waits; ' +
    `a real one would take ${formatSeconds(seconds)} a step (modelled: ticks\u00A0×\u00A0h\u00A0×\u00A0τ)`
  );
}
