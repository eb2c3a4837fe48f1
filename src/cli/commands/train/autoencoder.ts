import { join } from 'node:path';
import { replaceFile } from '../../../files/replace-file.js';
import { readCheckpoint } from '../../../learning/checkpoint.js';
import { loadDataset } from '../../../learning/data/load-dataset.js';
import type { Figures, NoFigures } from '../../../learning/problem/contract.js';
import type { StepRecord, TrainingSummary } from '../../../learning/record.js';
import { type Autoencoder, autoencoder } from '../../../learning/regression/autoencoder.js';
import { AUTOENCODER_DEFAULTS } from '../../../learning/regression/autoencoder-defaults.js';
import { TRAINING_FILES } from '../../../learning/training-files.js';
import { formatCount, formatNumber } from '../../../number-text.js';
import { figure } from '../../../plot/figure.js';
import { imageGrid } from '../../../plot/image-grid.js';
import { lineChart } from '../../../plot/line-chart.js';
import { option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import { datasetSourceOf } from './data-options.js';
import { HIDDEN } from './pinn.js';
import { problemCommand } from './problem-command.js';
import { timeChart } from './time-chart.js';
import { readRecords } from './training-figure.js';

/** Images that the picture shows. */
const SHOWN = 8;

export const { command, task } = problemCommand({
  options: {
    hidden: HIDDEN,
    data: option('--data <dir>', 'a directory of IDX files instead of MNIST', {
      file: 'input',
      libraryName: "kind: 'directory'",
    }),
    pool: option('--pool <k>', 'one input is the mean of a square of k×k pixels', {
      value: positiveInteger(),
      default: 2,
    }),
    trainSize: option('--train-size <n>', 'train on the first n images', { value: positiveInteger() }),
    batch: option('--batch <B>', 'images per step', { value: positiveInteger(), default: 128 }),
    curvatureExamples: option(
      '--curvature-examples <c>',
      'images of a batch that give the rows of the curvature (tngd)',
      {
        value: positiveInteger(),
        default: 16,
      },
    ),
    draws: option('--draws <r>', 'random directions, each one row, for each of these images', {
      value: positiveInteger(),
      default: 4,
    }),
  },
  steps: 400,
  defaults: AUTOENCODER_DEFAULTS,
  problemOf: ({ hidden, data, pool, trainSize, batch, curvatureExamples, draws }) =>
    autoencoder(loadDataset(datasetSourceOf({ data })), {
      ...{ pool, batch, curvatureExamples, draws },
      ...(hidden === undefined ? {} : { hidden }),
      ...(trainSize === undefined ? {} : { trainSize }),
    }),
  describe: ({ parameterCount, rows, columns }: Autoencoder) =>
    `${formatCount(parameterCount)} parameters, images of ${rows} × ${columns}`,
  fewerRows: (rowsMax) =>
    `Each draw of each curvature example takes a row: lower --curvature-examples × --draws to ${rowsMax} at most, or choose a larger board.`,
  figures: [{ name: 'loss', of: ({ loss }) => loss, text: formatNumber }],
  results: (_problem, summary) => [
    [
      'unexplained',
      `${formatNumber((summary as { unexplainedShare?: number }).unexplainedShare ?? Number.NaN)} of the variance of the test images`,
    ],
  ],
  draw: drawAutoencoder,
  example: `
Examples:
  thermolink train autoencoder --steps 100 --out runs/autoencoder
  thermolink train autoencoder --preset exact
  thermolink train autoencoder --optimizer adam

The network 196–16–4–16–196 learns to reproduce its input image through a layer of four numbers. By default the
optimizer is kfac, and the board inverts its factors.`,
});

function drawAutoencoder(
  directory: string,
  name: string,
  problem: Autoencoder,
  summary: TrainingSummary<Figures>,
): void {
  const records = readRecords<StepRecord<NoFigures>>(directory);
  const { parameters } = readCheckpoint(join(directory, TRAINING_FILES.checkpoint));
  const { rows, columns, testPairs } = problem;
  const size = rows * columns;
  const count = Math.min(SHOWN, testPairs.count);
  const inputs = testPairs.inputs.slice(0, count * size);
  const outputs = problem.outputs(parameters, inputs, count);
  const images = (values: Float32Array) =>
    Array.from({ length: count }, (_, i) => values.subarray(i * size, (i + 1) * size));
  const charts = [
    imageGrid({
      title: 'Test images and the outputs of the network',
      subtitle: 'the first ones of the test set, which no step saw',
      rows,
      columns,
      lines: [
        { name: 'read', images: images(inputs) },
        { name: 'put out', images: images(outputs) },
      ],
    }),
    lineChart({
      title: 'Unexplained share of the variance',
      subtitle: '‖z − y‖² over ‖y − mean y‖², of the test images',
      x: { label: 'step' },
      y: { label: 'share', scale: 'log' },
      series: [
        {
          name,
          points: records.flatMap(({ step, test }) => {
            const share = test?.['unexplainedShare'];
            return share === undefined ? [] : [[step + 1, share] as const];
          }),
        },
      ],
    }),
    lineChart({
      title: 'Loss',
      subtitle: 'half the squared error of an image, mean over the batch',
      x: { label: 'step' },
      y: { label: 'loss', scale: 'log' },
      series: [{ name, points: records.map(({ step, loss }) => [step + 1, loss] as const) }],
    }),
    timeChart([{ name, summary }]),
  ];
  const title = `An autoencoder trained with ${name}`;
  replaceFile(join(directory, TRAINING_FILES.curves), figure(charts, { title }));
}
