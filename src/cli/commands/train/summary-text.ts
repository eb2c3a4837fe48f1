import type { StepTiming, TrainingFacts, TrainingSummary } from '../../../learning/record.js';
import { TRAINING_FILES } from '../../../learning/training-files.js';
import {
  counted,
  formatBytes,
  formatCount,
  formatNumber,
  formatPercent,
  formatSeconds,
} from '../../../number-text.js';
import { repeatRows } from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';
import type { TrainingPlan } from './run-training.js';

/** Names of the parts of a step's host time. */
export const TIMING_NAMES: Readonly<Record<keyof StepTiming, string>> = {
  gradientMs: 'gradient',
  curvatureMs: 'curvature',
  mapMs: 'map',
  uploadMs: 'upload and commit',
  boardMs: 'board (host waits)',
  readoutMs: 'readout',
  otherMs: 'optimizer',
};

/** The end of `thermolink train mnist`. */
export function summaryText({ optimizer, digital }: TrainingPlan, summary: TrainingSummary): string {
  return trainingText(
    [
      ['optimizer', methodText(optimizer, digital)],
      ['test accuracy', formatPercent(summary.testAccuracy, 2)],
      ['test loss', formatNumber(summary.testLoss)],
      [
        'training loss',
        `${formatNumber(summary.trainLoss)} (first ${counted(summary.trainLossExamples, 'example')})`,
      ],
    ],
    summary,
  );
}

function methodText(optimizer: TrainingPlan['optimizer'], digital: TrainingPlan['digital']): string {
  if (optimizer === 'control') return 'control (sgd with the momentum and clip of tngd)';
  if (digital === undefined) return optimizer;
  return `${optimizer}, ${digital === 'exact' ? 'its board replaced by a digital solver' : 'without its board'}`;
}

/**
 * The text at the end of a training: `results`, costs, and the parts of the time of a step. Parts that took
 * no time are left out.
 */
export function trainingText(results: readonly string[][], summary: TrainingFacts): string {
  const { timing, iterations } = summary;
  const usesBoard = summary.ticks > 0;
  const facts = [
    ...results,
    ['steps', formatCount(iterations)],
    ['parameters', formatCount(summary.parameterCount)],
    ['host time', formatSeconds(timing.hostSeconds)],
    ...(usesBoard
      ? [
          [
            'board time (modelled)',
            `${formatSeconds(summary.boardSeconds)} in all, ${formatSeconds(summary.boardSeconds / iterations)} a step`,
          ],
          ['ticks', `${formatNumber(summary.ticks / iterations)} a step`],
          ['uploaded', `${formatBytes(summary.uploadBytesPerStep)} a step`],
          ['overload retries', formatCount(summary.overloadRetries)],
          ...repeatRows(summary),
        ]
      : []),
  ];
  const parts = (Object.keys(TIMING_NAMES) as (keyof StepTiming)[])
    .filter((part) => timing.breakdown[part] > 0)
    .map((part) => [TIMING_NAMES[part], formatSeconds(timing.breakdown[part] / 1000)]);
  return `${formatTable(facts)}\nhost time of one step:\n${formatTable(parts, { align: ['left', 'right'] })}\n`;
}

/** The line that says where the training is stored. */
export function storedText({ out }: Pick<TrainingPlan, 'out'>): string {
  if (out === undefined) return 'Nothing was stored; --out DIR keeps metrics, curves and a checkpoint.\n';
  return `Stored in ${out}: ${Object.values(TRAINING_FILES).join(', ')}.\n`;
}
