import { loadDataset } from '../../../learning/data/load-dataset.js';
import { formatBytes, formatPercent, formatSeconds } from '../../../number-text.js';
import { boardCommand } from '../../board-command.js';
import { SEED } from '../../options/groups.js';
import { option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import { formatTable } from '../../output/table.js';
import { TRAINING_DEVICE } from '../train/run-training.js';
import { TIMING_NAMES } from '../train/summary-text.js';
import { benchTraining, type StepCost, type TrainingBench } from './train.js';

export const command = boardCommand({
  options: {
    steps: option('--steps <n>', 'measured steps of each optimizer', {
      value: positiveInteger(100_000),
      default: 100,
    }),
    batch: option('--batch <B>', 'examples per step', { value: positiveInteger(), default: 128 }),
    data: option('--data <dir>', 'a directory of IDX files instead of MNIST', {
      file: 'input',
      libraryName: "kind: 'directory'",
    }),
    ...SEED,
  },
  fallback: TRAINING_DEVICE,
  example: `
Examples:
  thermolink bench train
  thermolink bench train --steps 400 --json

tngd and a control train the same network on the same batches, in turns in one process. The control is SGD with
the momentum and the clip of tngd, without a board. Times are medians over the steps. Processor time does not
count other programs.`,
  async run({ steps, batch, data, seed }, onBoard) {
    const dataset = loadDataset(
      data === undefined ? { kind: 'mnist' } : { kind: 'directory', directory: data },
    );
    const { result, device } = await onBoard((board, { signal, show }) =>
      benchTraining(board, { data: dataset, steps, batch, seed, signal, onProgress: show }),
    );
    return { json: { device, steps, batch, seed, timing: result }, text: reportText(result) };
  },
});

function reportText({ tngd, control, ratio, processorRatio }: TrainingBench): string {
  const both = (name: string, value: (cost: StepCost) => string): string[] => [
    name,
    value(tngd),
    value(control),
  ];
  const duration = (ms: number): string => (ms > 0 ? formatSeconds(ms / 1000) : '–');
  const parts = Object.keys(TIMING_NAMES) as (keyof typeof TIMING_NAMES)[];
  const rows = [
    ...parts.map((part) => both(TIMING_NAMES[part], ({ parts }) => duration(parts[part]))),
    [...both('whole step', ({ stepMs }) => duration(stepMs)), `${ratio.toFixed(2)}×`],
    [
      ...both('processor time of a step', ({ processorMs }) => duration(processorMs)),
      `${processorRatio.toFixed(2)}×`,
    ],
    both('garbage collection, of all time', ({ garbageShare }) => formatPercent(garbageShare, 1)),
    both('uploaded', ({ uploadBytes }) => (uploadBytes > 0 ? formatBytes(uploadBytes) : '–')),
  ];
  return formatTable(
    rows.map((row) => (row.length < 4 ? [...row, ''] : row)),
    { header: ['', 'tngd', 'control', 'ratio'], align: ['left', 'right', 'right', 'right'] },
  );
}
