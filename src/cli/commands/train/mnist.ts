import { ThermolinkError } from '../../../errors.js';
import { BLOCKS, INITIAL_POLICIES } from '../../../learning/optimizers/registry.js';
import type { TrainingFacts, TrainingSummary } from '../../../learning/record.js';
import { CURVATURE_NAMES } from '../../../learning/train-request.js';
import { defineCommand } from '../../command.js';
import { refuseTwice } from '../../device.js';
import { checkFiles } from '../../input/check-files.js';
import { devicesOption, LOG, RECORD, RETRY } from '../../options/groups.js';
import { flag, type OptionValues, option } from '../../options/option.js';
import {
  choice,
  fractionBelowOne,
  nonNegativeNumber,
  positiveInteger,
  positiveNumber,
  u32,
  wholeNumbers,
} from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { DATA_OPTIONS } from './data-options.js';
import { CLASSIFIER_OPTIMIZERS, refuseInertOptions, usesBoard } from './inert-options.js';
import { drawCurves, OUTPUT_OPTIONS, storedPlanOf, withWayOn } from './output-options.js';
import { printAndDraw } from './print-and-draw.js';
import {
  optimizerOf,
  plannedClassifier,
  runTraining,
  TRAINING_DEVICE,
  type TrainingPlan,
} from './run-training.js';
import { storedText, summaryText } from './summary-text.js';
import type { TrainTask } from './train-task.js';
import { writeTrainingFigure } from './training-figure.js';

const OPTIONS = {
  optimizer: option('--optimizer <name>', `one of ${CLASSIFIER_OPTIMIZERS.join(', ')} (default: tngd)`, {
    value: choice(CLASSIFIER_OPTIMIZERS),
  }),
  preset: option(
    '--preset <name>',
    'control: SGD with the momentum e^(−λt) and the clip of tngd; no-board and exact: kfac, or tngd with --ticks, ' +
      'whose board returns its input (no-board) or is replaced by a digital solver (exact)',
    { value: choice(['control', 'no-board', 'exact']) },
  ),
  hidden: option(
    '--hidden <widths>',
    'train a perceptron with these hidden layers, such as 128 or 64,32, in place of the convolution classifier',
    { value: wholeNumbers },
  ),
  ...DATA_OPTIONS,
  epochs: option('--epochs <E>', 'passes over the training examples', {
    value: positiveInteger(),
    default: 1,
  }),
  batch: option('--batch <B>', 'examples per step', { value: positiveInteger(), default: 128 }),
  trainSize: option('--train-size <n>', 'train on the first n examples', { value: positiveInteger() }),
  seed: option('--seed <s>', 'seed of parameters, order and noise, 0 to 2³² − 1', { value: u32, default: 0 }),
  rate: option('--rate <η>', 'learning rate, falls linearly to 0', { value: positiveNumber }),
  momentum: option('--momentum <μ>', 'momentum of sgd, sign-sgd and kfac, 0 ≤ μ < 1', {
    value: fractionBelowOne,
  }),
  damping: option('--damping <λ>', 'added to the curvature', { value: nonNegativeNumber }),
  time: option('--time <τ>', 'how long the board relaxes in each step', { value: nonNegativeNumber }),
  clip: option('--clip <c>', 'longest parameter step in the 2-norm', { value: positiveNumber }),
  ticks: option('--ticks <n>', 'tngd: use rough answers of board runs of n ticks, in place of --time', {
    value: positiveInteger(),
  }),
  runs: option('--runs <k>', 'number of board runs in a step with --ticks; the host combines them', {
    value: positiveInteger(),
  }),
  products: option('--products <c>', 'conjugate directions of a step of cg', { value: positiveInteger() }),
  average: option(
    '--average <f>',
    'share of the running mean of the curvature that is kept when a batch is added: kfac, ngd, and tngd with ' +
      '--ticks, which then needs a dense board',
    { value: fractionBelowOne },
  ),
  reload: option(
    '--reload <R>',
    'steps that one curvature serves: kfac (default 100), tngd with --ticks (default 1), or ngd with --average',
    { value: positiveInteger() },
  ),
  klClip: option(
    '--kl-clip <c>',
    'largest predicted change of the label probabilities in a step of kfac, in nat',
    {
      value: positiveNumber,
    },
  ),
  curvatureExamples: option(
    '--curvature-examples <c>',
    'examples of a batch that give the curvature (default: 8)',
    { value: positiveInteger() },
  ),
  curvature: option(
    '--curvature <how>',
    'gauss-newton: a row for each class of an example (default); monte-carlo: one row for each example, for a label that the network draws',
    { value: choice(CURVATURE_NAMES) },
  ),
  finalDamping: option('--final-damping <f>', 'λ falls geometrically to this share of its first value', {
    value: positiveNumber,
  }),
  blocks: option(
    '--blocks <how>',
    'tngd: whole (default) relaxes all layers together, layers relaxes each one by itself',
    {
      value: choice(BLOCKS),
    },
  ),
  chopped: flag(
    '--chopped',
    'repeat every board run with negated drive, so that offsets of the board cancel',
  ),
  roundings: option('--roundings <k>', 'round the couplings stochastically k times and average the answers', {
    value: positiveInteger(),
  }),
  rank: option('--rank <k>', 'dominant directions of the curvature that the host solves itself in lm', {
    value: u32,
  }),
  initial: option('--x0 <state>', 'initial state of the board in a step: keep, gradient or zero', {
    value: choice(INITIAL_POLICIES),
  }),
  delay: option(
    '--delay <τ>',
    'time for which the board runs on with the old problem before the new one is loaded',
    {
      value: nonNegativeNumber,
    },
  ),
  asynchronous: flag(
    '--asynchronous',
    'tngd with --delay: compute the next gradient and curvature, and send it, while the board goes on',
  ),
  ...OUTPUT_OPTIONS,
  devices: {
    ...devicesOption(TRAINING_DEVICE, 'with --blocks layers, several boards share the layers').devices,
    // Errors of the library use this name for every option that only trainings with a board take.
    libraryName: 'device',
  },
  json: flag('--json', 'print the summary as JSON'),
  ...RETRY,
  ...RECORD,
  ...LOG,
};

type TrainOptions = OptionValues<typeof OPTIONS>;

export const command = defineCommand({
  options: OPTIONS,
  example: `
Examples:
  thermolink train mnist --out runs/first
  thermolink train mnist --preset control --epochs 1
  thermolink train mnist --optimizer kfac --out runs/kfac
  thermolink train mnist --optimizer kfac --preset exact
  thermolink train mnist --optimizer adam --data ~/fashion-mnist
  thermolink train mnist --data patients.csv --label diabetes --epochs 20 --batch 32

Each optimizer has its own defaults. Those of tngd are rate 0.7 (falling linearly to 0), damping 0.3, time 1,
x0 keep and clip 0.5. The default of kfac is --hidden 128; it needs a dense board, by default emulator:ideal-1024.
The default for a table is --hidden 32.
--out DIR stores metrics.jsonl, summary.json, curves.svg, checkpoint.bin and the weights (.safetensors, .npz) in DIR.`,
  async run(options) {
    const plan = planOf(options);
    await checkFiles(OPTIONS, options);
    const summary = await trainInterruptibly(plan);
    printAndDraw({
      json: options.json === true,
      result: summary,
      text: summaryText(plan, summary),
      textAfter: storedText(plan),
      draw: () => drawCurves(plan, (directory) => writeTrainingFigure(directory, plan.optimizer, summary)),
    });
  },
});

/** The task by itself, for boards elsewhere. */
export const task: TrainTask = {
  options: OPTIONS,
  planOf(values) {
    const plan = planOf(values as TrainOptions);
    return {
      ...{ label: plan.optimizer, ...plannedClassifier(plan) },
      text: (summary) => summaryText(plan, classifierSummary(summary)),
      draw: (directory, summary) =>
        void writeTrainingFigure(directory, plan.optimizer, classifierSummary(summary)),
    };
  },
};

/** The summary of a classifier always has the fields of a `TrainingSummary`. */
const classifierSummary = (summary: TrainingFacts): TrainingSummary => summary as TrainingSummary;

async function trainInterruptibly(plan: TrainingPlan): Promise<TrainingSummary> {
  const stopping =
    usesBoard(optimizerOf(plan).name) && plan.digital === undefined
      ? 'stopping the board'
      : 'stopping after this step';
  try {
    return await withInterrupt((signal) => runTraining(plan, signal), {
      onInterrupt: () => process.stderr.write(`\n${stopping} …\n`),
    });
  } catch (error) {
    throw withWayOn(error, plan);
  }
}

function planOf(options: TrainOptions): TrainingPlan {
  const stored = storedPlanOf(options);
  const { preset } = options;
  if (preset === 'control' && (options.optimizer ?? 'sgd') !== 'sgd')
    throw new ThermolinkError('BAD_ARGUMENT', `--preset control is SGD, not ${options.optimizer}.`, {
      hint: 'Leave --optimizer out.',
    });
  const { rate, momentum, damping, time, clip, delay, initial, asynchronous } = options;
  const { ticks, runs, products, average, reload, klClip, finalDamping, rank, blocks } = options;
  const { curvature, chopped, roundings } = options;
  const { devices } = options;
  const device = devices?.[0];
  if (devices !== undefined) refuseTwice(devices);
  if (devices !== undefined && devices.length > 1 && blocks !== 'layers')
    throw new ThermolinkError('BAD_ARGUMENT', 'Several boards share the layers of a network.', {
      hint: 'Give --blocks layers, or one --device.',
    });
  const {
    logLevel,
    logFile,
    record,
    recordSamples,
    recordCells,
    data,
    label,
    splitSeed,
    epochs,
    batch,
    trainSize,
    seed,
    curvatureExamples,
  } = options;
  const settings = {
    ...{ rate, momentum, damping, time, clip, delay, initial, asynchronous },
    ...{ ticks, runs, products, average, reload, klClip, finalDamping, rank, blocks },
  };
  if (ticks !== undefined && roundings !== undefined)
    throw new ThermolinkError('BAD_ARGUMENT', '--roundings does nothing with --ticks.', {
      hint: 'It is for relaxations of a given --time.',
    });
  const chosen = options.optimizer ?? 'tngd';
  const optimizer = preset === 'control' ? preset : chosen;
  const digital = preset === 'control' ? undefined : preset;
  if (digital !== undefined && chosen !== 'kfac' && (chosen !== 'tngd' || ticks === undefined))
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `--preset ${digital} does nothing with --optimizer ${chosen}.`,
      {
        hint: 'It replaces the board of kfac, or of tngd with --ticks.',
      },
    );
  const chosenBy = preset === undefined ? `--optimizer ${optimizer}` : `--preset ${preset}`;
  const given = {
    ...settings,
    device,
    logLevel,
    logFile,
    record,
    recordSamples,
    recordCells,
    curvatureExamples,
    ...{ curvature, chopped, roundings },
    retry: options.retry ? undefined : false,
  };
  refuseInertOptions(optimizerOf({ optimizer, settings }).name, chosenBy, given, digital !== undefined);
  return {
    optimizer,
    digital,
    hidden: options.hidden,
    settings,
    device,
    devices,
    logLevel,
    logFile,
    record,
    recordSamples,
    recordCells,
    ...{ data, label, splitSeed },
    epochs,
    batch,
    trainSize,
    seed,
    curvatureExamples,
    ...{ curvature, chopped, roundings },
    ...stored,
    retry: options.retry,
    quiet: options.json === true,
  };
}
