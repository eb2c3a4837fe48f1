import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ThermolinkError } from '../../../errors.js';
import { checkWritable, writeArray } from '../../../files/write-array.js';
import { type ClassReport, classReport } from '../../../learning/confusion.js';
import type { Dataset, DatasetSource, ExampleSet } from '../../../learning/data/dataset.js';
import { loadDataset } from '../../../learning/data/load-dataset.js';
import { TRAINING_FILES } from '../../../learning/training-files.js';
import { readWeights, type Weights } from '../../../learning/weights.js';
import { matrix } from '../../../linalg/matrix.js';
import { counted, formatCount, formatNumber, formatPercent } from '../../../number-text.js';
import { defineCommand, printReport } from '../../command.js';
import { checkFiles } from '../../input/check-files.js';
import { flag, option } from '../../options/option.js';
import { choice } from '../../options/values.js';
import { formatTable } from '../../output/table.js';
import { DATA_OPTIONS, datasetSourceOf } from '../train/data-options.js';

const PARTS = ['test', 'train', 'all'] as const;
type Part = (typeof PARTS)[number];
/** More classes than this are not shown class by class. */
const SHOWN_CLASSES_MAX = 32;

const OPTIONS = {
  weights: option('--weights <path>', 'weights.safetensors of a training, or the directory that has it', {
    required: true,
    file: 'own',
    dash: { kind: 'input' },
  }),
  ...DATA_OPTIONS,
  part: option('--part <name>', 'which examples: test (default), train or all', { value: choice(PARTS) }),
  probabilities: option('--probabilities <file>', 'write the probability of each class, a row an example', {
    file: 'array',
  }),
  json: flag('--json', 'print the figures as JSON'),
};

export const command = defineCommand({
  options: OPTIONS,
  example: `
Examples:
  thermolink train mnist --train-size 2048 --out runs/first
  thermolink evaluate --weights runs/first
  thermolink evaluate --weights runs/patients --data patients.csv --label diabetes --part all

A table is encoded as in the training: with the same means, standard deviations and texts. No board is used.`,
  async run(options) {
    const { weights: place, part = 'test', probabilities: output, json } = options;
    await checkFiles(OPTIONS, options);
    if (output !== undefined) await checkWritable(output);
    const source = datasetSourceOf(options);
    const file = weightsFile(place);
    const weights = readWeights(file);
    const data = loadDataset(withEncoding(source, weights, file));
    refuseOtherSizes(weights, data, file);
    const examples = examplesOf(data, part);
    const report = classReport(weights.network, weights.parameters, examples);
    if (output !== undefined) {
      const { network, parameters } = weights;
      const all = network.predict(parameters, examples.inputs);
      await writeArray(output, matrix(examples.count, network.outputCount, all));
    }
    const classes = weights.encoding?.label.classes ?? report.confusion.map((_, label) => String(label));
    printReport(
      {
        json: { weights: file, data: data.name, part, classes, ...report },
        text: reportText(weights, data, part, classes, report),
      },
      json === true,
    );
  },
});

function weightsFile(place: string): string {
  const isDirectory = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  return isDirectory ? join(place, TRAINING_FILES.weights) : place;
}

/**
 * Encodes a table as in the training. Errors: BAD_ARGUMENT for weights of images and a table, and for weights
 * of a table and images.
 */
function withEncoding(source: DatasetSource, { encoding }: Weights, file: string): DatasetSource {
  if (source.kind !== 'table') {
    if (encoding === undefined) return source;
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `${file} was trained on a table with the label ${encoding.label.name}.`,
      {
        hint: `Name the table by --data, and give --label ${JSON.stringify(encoding.label.name)}.`,
      },
    );
  }
  if (encoding === undefined)
    throw new ThermolinkError('BAD_ARGUMENT', `${file} was trained on images, not on a table.`, {
      hint: 'Leave --label out, and name a directory of IDX files by --data.',
    });
  return { ...source, encoding };
}

function refuseOtherSizes({ network }: Weights, data: Dataset, file: string): void {
  const inputs = data.rows * data.columns;
  if (inputs === network.inputCount && data.classes <= network.outputCount) return;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${file} takes ${counted(network.inputCount, 'input')} to ${network.outputCount} classes; ${data.name} has ` +
      `${counted(inputs, 'input')} and ${data.classes} classes.`,
    { hint: 'Give the kind of data that it was trained on.' },
  );
}

function examplesOf({ train, test }: Dataset, part: Part): ExampleSet {
  if (part !== 'all') return part === 'test' ? test : train;
  const inputs = new Float32Array(train.inputs.length + test.inputs.length);
  inputs.set(train.inputs);
  inputs.set(test.inputs, train.inputs.length);
  const labels = Uint8Array.from([...train.labels, ...test.labels]);
  return { count: labels.length, inputs, labels };
}

function reportText(
  { network }: Weights,
  data: Dataset,
  part: Part,
  classes: readonly string[],
  { count, loss, accuracy, accuracyError, confusion }: ClassReport,
): string {
  const what = part === 'all' ? 'all' : part === 'test' ? 'test' : 'training';
  const facts = formatTable([
    ['network', `${network.name}, ${counted(network.parameterCount, 'parameter')}`],
    ['examples', `${formatCount(count)} (${what}) of ${data.name}`],
    ['accuracy', `${formatPercent(accuracy, 2)} ± ${formatPercent(accuracyError, 2)}`],
    ['loss', formatNumber(loss)],
  ]);
  if (classes.length > SHOWN_CLASSES_MAX) return facts;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const shareOf = (right: number, all: number): string => (all === 0 ? '–' : formatPercent(right / all, 1));
  const rows = confusion.map((row, label) => {
    const said = sum(confusion.map((other) => other[label]));
    const [mistaken] = row
      .map((times, other) => ({ times, other }))
      .filter(({ times, other }) => times > 0 && other !== label)
      .sort((a, b) => b.times - a.times);
    return [
      classes[label],
      formatCount(sum(row)),
      shareOf(row[label], sum(row)),
      shareOf(row[label], said),
      mistaken === undefined ? '–' : `${classes[mistaken.other]} (${formatCount(mistaken.times)})`,
    ];
  });
  const table = formatTable(rows, {
    header: ['class', 'examples', 'found', 'right when said', 'most often taken for'],
    align: ['left', 'right', 'right', 'right', 'left'],
  });
  return `${facts}\n${table}`;
}
