import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ThermolinkError } from '../../../errors.js';
import { replaceFile } from '../../../files/replace-file.js';
import type { StepFacts, StepRecord, TrainingSummary } from '../../../learning/record.js';
import { TRAINING_FILES } from '../../../learning/training-files.js';
import { formatPercent } from '../../../number-text.js';
import { figure } from '../../../plot/figure.js';
import { lineChart } from '../../../plot/line-chart.js';
import type { ScaleKind } from '../../../plot/scale.js';
import type { Series } from '../../../plot/series.js';
import { smooth } from '../../../plot/smooth.js';
import { timeChart } from './time-chart.js';

/** Number of steps over which a curve is averaged. */
const SMOOTHING_STEPS = 15;

/** A training as a figure shows it. */
export interface FigureTraining {
  readonly name: string;
  readonly records: readonly StepRecord[];
  readonly summary: TrainingSummary;
}

/** The records of a stored training. Errors: BAD_FILE when they are missing or no records. */
export function readRecords<Record extends StepFacts = StepRecord>(directory: string): Record[] {
  const file = join(directory, TRAINING_FILES.metrics);
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Record);
  } catch (cause) {
    throw new ThermolinkError('BAD_FILE', `${file} can't be read as the metrics of a training.`, {
      cause,
      hint: 'It is cut or another program has changed it. `--resume` repairs a cut line.',
      data: { file },
    });
  }
}

/**
 * Draws curves.svg of the training in `directory`, or replaces it, and returns the training. `name` is the
 * name that the user gave for its optimizer. Errors: BAD_FILE.
 */
export function writeTrainingFigure(
  directory: string,
  name: string,
  summary: TrainingSummary,
): FigureTraining {
  const training = { name, records: readRecords(directory), summary };
  replaceFile(join(directory, TRAINING_FILES.curves), trainingsFigure(`Training with ${name}`, [training]));
  return training;
}

/** Loss and accuracy over the steps, and the parts of the host time of a step. */
function trainingsFigure(title: string, trainings: readonly FigureTraining[]): string {
  return figure([...classifierCharts(trainings), timeChart(trainings)], { title });
}

/** Loss and accuracy over the steps, of one or several trainings; `of` names the classified things. */
export function classifierCharts(trainings: readonly FigureTraining[], of = '') {
  const curves = (value: (record: StepRecord) => number, scale: ScaleKind): Series[] =>
    trainings.flatMap(({ name, records }) => {
      // A repaired record may lack the value.
      const points = records
        .map((record) => [record.step + 1, value(record)] as const)
        .filter(([, y]) => y !== undefined);
      const averaged = { name, points: smooth(points, SMOOTHING_STEPS, scale) };
      return trainings.length === 1 ? [{ name, points, faint: true }, averaged] : [averaged];
    });
  const meanings = (mean: string): string =>
    `${trainings.length === 1 ? 'pale: each batch; strong: ' : ''}${mean} over ${SMOOTHING_STEPS} steps (fewer at the ends)`;
  const tests = trainings.map(({ name, summary }) => `${name} ${formatPercent(summary.testAccuracy, 2)}`);
  return [
    lineChart({
      title: `Loss of the batch before each step${of}`,
      subtitle: meanings('geometric mean'),
      x: { label: 'step' },
      y: { label: 'loss, nat', scale: 'log' },
      series: curves(({ loss }) => loss, 'log'),
    }),
    lineChart({
      title: `Accuracy of the batch before each step${of}`,
      subtitle: `${meanings('mean')}; on the test images after training: ${tests.join(', ')}`,
      x: { label: 'step' },
      y: { label: 'accuracy', include: [1], format: (value) => formatPercent(value, 0) },
      series: curves(({ accuracy }) => accuracy, 'linear'),
    }),
  ];
}
