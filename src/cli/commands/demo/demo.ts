import { join } from 'node:path';
import { replaceFile } from '../../../files/replace-file.js';
import type { TrainingSummary } from '../../../learning/record.js';
import { formatBytes, formatPercent, formatSeconds } from '../../../number-text.js';
import { defineCommand } from '../../command.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { type OptionValues, option } from '../../options/option.js';
import { positiveInteger, u32 } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { printAndDraw } from '../train/print-and-draw.js';
import { runTraining, type TrainingPlan } from '../train/run-training.js';
import { storedText, summaryText } from '../train/summary-text.js';
import { type FigureTraining, trainingsFigure, writeTrainingFigure } from '../train/training-figure.js';
import { COMPARISON, claimDemoDirectory } from './demo-directory.js';

/**
 * The optimizers that are compared, the one with the board first. All train the same network on the same data
 * for the same number of steps.
 */
const OPTIMIZERS = ['tngd', 'control', 'adam'] as const;

/** The test accuracies of one optimizer with seeds 0 to 4 lie at most this far from their mean. */
const SEED_SPREAD = 0.002;

const MEANINGS: Readonly<Record<(typeof OPTIMIZERS)[number], string>> = {
  tngd: 'natural gradient from the emulated board',
  control: 'SGD with the same momentum and clip, no curvature',
  adam: 'Adam at a tuned rate',
};

const OPTIONS = {
  trainSize: option('--train-size <n>', 'train on the first n examples (default: all 60,000)', {
    value: positiveInteger(),
  }),
  seed: option('--seed <s>', 'of parameters, order and noise', { value: u32, default: 0 }),
  out: option('--out <dir>', 'where the trainings are stored; replaces those of an earlier demo', {
    default: 'runs/demo',
  }),
  ...JSON_OUTPUT,
};

type DemoOptions = OptionValues<typeof OPTIONS>;

export const command = defineCommand({
  options: OPTIONS,
  example: `
Example:
  thermolink demo --train-size 6400`,
  async run(options) {
    const release = claimDemoDirectory(options.out, OPTIMIZERS);
    try {
      const trainings = await withInterrupt((signal) => trainAll(options, signal), {
        onInterrupt: () => process.stderr.write('\nstopping …\n'),
      });
      compare(options, trainings);
    } finally {
      release();
    }
  },
});

function compare(options: DemoOptions, trainings: readonly FigureTraining[]): void {
  const picture = join(options.out, COMPARISON);
  printAndDraw({
    json: options.json === true,
    result: Object.fromEntries(trainings.map(({ name, summary }) => [name, summary])),
    text: comparisonText(trainings),
    textAfter: `  Curves: ${picture}\n`,
    draw: () => replaceFile(picture, trainingsFigure('MNIST, one epoch', trainings)),
  });
}

async function trainAll(options: DemoOptions, signal: AbortSignal): Promise<FigureTraining[]> {
  const trainings: FigureTraining[] = [];
  for (const optimizer of OPTIMIZERS) {
    const out = join(options.out, optimizer);
    const plan: TrainingPlan = {
      optimizer,
      settings: {},
      epochs: 1,
      batch: 128,
      seed: options.seed,
      out,
      existing: 'overwrite',
      quiet: options.json === true,
      trainSize: options.trainSize,
    };
    const summary = await runTraining(plan, signal);
    // The text comes before the drawing, which may fail on a full disk.
    if (optimizer === 'tngd' && !options.json) process.stdout.write(summaryText(plan, summary));
    trainings.push(writeTrainingFigure(out, optimizer, summary));
    if (optimizer === 'tngd' && !options.json) process.stdout.write(`${storedText(plan)}\n`);
  }
  return trainings;
}

function comparisonText(trainings: readonly FigureTraining[]): string {
  const rows = trainings.map(({ name, summary, records }) => [
    name,
    formatPercent(summary.testAccuracy, 2),
    lossAround(records, 30),
    lossAround(records, 100),
    summary.ticks > 0 ? formatBytes(summary.uploadBytesPerStep) : '–',
    boardTime(summary),
    formatSeconds(summary.timing.hostSeconds),
    MEANINGS[name as (typeof OPTIMIZERS)[number]],
  ]);
  const header = ['', 'test', 'loss at 30', 'at 100', 'upload/step', 'board/step*', 'host time', ''];
  const align = ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'left'] as const;
  return `${formatTable(rows, { header, align })}
  * modelled: ticks × h × τ. The emulated board runs on the host, so its host time is not a board's.
  ${verdict(trainings)}
`;
}

/** Says whether the board beats the control, or only works as well. */
function verdict(trainings: readonly FigureTraining[]): string {
  const accuracy = (optimizer: string) =>
    trainings.find(({ name }) => name === optimizer)!.summary.testAccuracy;
  const lead = accuracy('tngd') - accuracy('control');
  if (Math.abs(lead) < SEED_SPREAD)
    return `The control reaches what tngd reaches without any curvature (differences under ${100 * SEED_SPREAD} points are within the
  spread of seeds): on this task the board is shown to work, not to win.`;
  const [ahead, by] = [
    lead > 0 ? 'tngd is' : 'The control, without any curvature, is',
    Math.abs(100 * lead).toFixed(1),
  ];
  return `${ahead} ${by} points ahead here; one seed and one task say little.`;
}

/** The mean loss of the ten batches around `step`. The loss of a single batch says little. */
function lossAround(records: readonly { readonly loss: number }[], step: number): string {
  const near = records.slice(Math.max(0, step - 5), step + 5);
  return near.length < 10 ? '–' : (near.reduce((sum, { loss }) => sum + loss, 0) / near.length).toFixed(3);
}

function boardTime(summary: TrainingSummary): string {
  return summary.ticks > 0 ? formatSeconds(summary.boardSeconds / summary.iterations) : '–';
}
