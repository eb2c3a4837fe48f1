import { type Command, Option } from 'commander';
import { ThermolinkError } from '../../../errors.js';
import {
  OPTIMIZER_NAMES,
  type OptimizerName,
  type OptimizerOptions,
} from '../../../learning/optimizers/create.js';
import type { TrainingSummary } from '../../../learning/record.js';
import { refuseSharedFiles } from '../../input/distinct-files.js';
import { addLogOptions, type LogOptions } from '../../logging.js';
import { choice, fraction, nonNegativeNumber, positiveInteger, positiveNumber, seed } from '../../options.js';
import { formatCount } from '../../output/format.js';
import { withInterrupt } from '../../output/interrupt.js';
import { refuseInertOptions, usesBoard } from './inert-options.js';
import { printAndDraw } from './print-and-draw.js';
import { writeRunFigure } from './run-figure.js';
import { optimizerOf, runTraining, type TrainingPlan } from './run-training.js';
import { storedText, summaryText } from './summary-text.js';

const EXAMPLE = `
Examples:
  thermolink train mnist --out runs/first
  thermolink train mnist --preset control --epochs 1
  thermolink train mnist --optimizer adam --data ~/fashion-mnist

Left out, an option takes the default of its optimizer: for tngd rate 0.7 (falling linearly to 0), damping 0.3,
time 1, x0 keep, clip 0.5. Directory DIR gets metrics.jsonl, summary.json, curves.svg and checkpoint.bin.`;

interface TrainOptions extends Omit<OptimizerOptions, 'initial'>, LogOptions {
  readonly optimizer?: OptimizerName;
  readonly preset?: 'control';
  readonly device?: string;
  readonly data?: string;
  readonly epochs: number;
  readonly batch: number;
  readonly trainSize?: number;
  readonly seed: number;
  readonly curvatureExamples?: number;
  readonly x0?: 'keep' | 'gradient' | 'zero';
  readonly out?: string;
  readonly resume?: true;
  readonly overwrite?: true;
  readonly json?: true;
}

export function addTrainCommand(program: Command): void {
  addLogOptions(program.command('train'))
    .description('train a network by natural gradient on a board, or by a digital optimizer')
    .argument('<task>', 'mnist: a convolution classifier of handwritten digits', choice('<task>', ['mnist']))
    .addOption(
      new Option('--optimizer <name>', `one of ${OPTIMIZER_NAMES.join(', ')} (default: tngd)`).argParser(
        choice('--optimizer', OPTIMIZER_NAMES),
      ),
    )
    .option(
      '--preset <name>',
      'control: SGD with the momentum e^(−λt) and the clip of tngd',
      choice('--preset', ['control']),
    )
    .option('--device <uri>', 'which board (default: emulator:ideal-crossbar)')
    .option('--data <dir>', 'a directory of IDX files instead of MNIST')
    .option('--epochs <E>', 'passes over the training examples', positiveInteger('--epochs'), 1)
    .option('--batch <B>', 'examples per step', positiveInteger('--batch'), 128)
    .option('--train-size <n>', 'train on the first n examples', positiveInteger('--train-size'))
    .option('--seed <s>', 'of parameters, order and noise, 0 to 2³² − 1', seed('--seed'), 0)
    .option('--rate <η>', 'learning rate, falls linearly to 0', positiveNumber('--rate'))
    .option('--momentum <μ>', 'of sgd, 0 ≤ μ < 1', fraction('--momentum', { one: false }))
    .option('--damping <λ>', 'added to the curvature', nonNegativeNumber('--damping'))
    .option('--time <τ>', 'how long the board relaxes in each step', nonNegativeNumber('--time'))
    .option('--clip <c>', 'longest parameter step in the 2-norm', positiveNumber('--clip'))
    .option(
      '--curvature-examples <c>',
      'examples of a batch that give the curvature (default: 8)',
      positiveInteger('--curvature-examples'),
    )
    .option(
      '--x0 <state>',
      'where the board starts: keep, gradient or zero',
      choice('--x0', ['keep', 'gradient', 'zero']),
    )
    .option(
      '--delay <τ>',
      'how long the old problem goes on before the new one is loaded',
      nonNegativeNumber('--delay'),
    )
    .option('--out <dir>', 'store metrics, summary, curves and a checkpoint here')
    .option('--resume', 'go on with the run in --out')
    .option('--overwrite', 'replace a run in --out')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (_task: string, options: TrainOptions) => {
      const plan = planOf(options);
      await refuseSharedFiles({ '--out': options.out }, { '--data': options.data });
      const summary = await trainInterruptibly(plan);
      printAndDraw({
        json: options.json === true,
        result: summary,
        text: summaryText(plan, summary),
        textAfter: storedText(plan),
        draw: () => {
          if (plan.out !== undefined) drawCurves(plan.out, plan, summary);
        },
      });
    });
}

async function trainInterruptibly(plan: TrainingPlan): Promise<TrainingSummary> {
  const stopping = usesBoard(optimizerOf(plan).name) ? 'stopping the board' : 'stopping after this step';
  try {
    return await withInterrupt((signal) => runTraining(plan, signal), {
      onInterrupt: () => process.stderr.write(`\n${stopping} …\n`),
    });
  } catch (error) {
    throw error instanceof ThermolinkError ? withWayOn(error, plan) : error;
  }
}

/** Adds how to go on to the error of a run that was ended from outside after it had begun. */
function withWayOn(error: ThermolinkError, plan: TrainingPlan): ThermolinkError {
  const steps = error.data['stepsTaken'];
  if (typeof steps !== 'number') return error;
  if (plan.out === undefined)
    return withHint(error, 'Nothing was stored: a run with --out DIR can be resumed.');
  const stored = `${plan.out} holds the run up to step ${formatCount(steps)}`;
  return withHint(error, `${stored}: to go on, give ${resumingCommand(plan)}.`);
}

function drawCurves(directory: string, plan: TrainingPlan, summary: TrainingSummary): void {
  try {
    writeRunFigure(directory, plan.optimizer, summary);
  } catch (error) {
    if (!(error instanceof ThermolinkError)) throw error;
    throw withHint(error, `The run itself is complete; to draw it again, give ${resumingCommand(plan)}.`);
  }
}

function resumingCommand({ existing }: TrainingPlan): string {
  if (existing === 'resume') return 'the same command again';
  return `the same command with --resume${existing === 'overwrite' ? ' in place of --overwrite' : ''}`;
}

function withHint(error: ThermolinkError, hint: string): ThermolinkError {
  return new ThermolinkError(error.code, error.message, {
    cause: error.cause,
    hint: error.hint === undefined ? hint : `${error.hint} ${hint}`,
    data: error.data,
  });
}

function planOf(options: TrainOptions): TrainingPlan {
  const usage = (message: string, hint: string): ThermolinkError =>
    new ThermolinkError('BAD_ARGUMENT', message, { hint });
  if (options.out === undefined && (options.resume || options.overwrite))
    throw usage('--resume and --overwrite need the directory of a run.', 'Name it by --out.');
  if (options.resume && options.overwrite)
    throw usage('--resume and --overwrite exclude each other.', 'Choose one.');
  if (options.preset === 'control' && (options.optimizer ?? 'sgd') !== 'sgd')
    throw usage(`--preset control is SGD, not ${options.optimizer}.`, 'Leave --optimizer out.');
  const { rate, momentum, damping, time, clip, delay, x0: initial } = options;
  const { device, logLevel, logFile, data, trainSize, curvatureExamples, out } = options;
  const settings = withoutUndefined({ rate, momentum, damping, time, clip, delay, initial });
  const optimizer = options.preset === 'control' ? 'control' : (options.optimizer ?? 'tngd');
  const chosenBy = optimizer === 'control' ? '--preset control' : `--optimizer ${optimizer}`;
  const given = { ...settings, device, logLevel, logFile, curvatureExamples };
  refuseInertOptions(optimizerOf({ optimizer, settings }).name, chosenBy, given);
  return {
    optimizer,
    settings,
    epochs: options.epochs,
    batch: options.batch,
    seed: options.seed,
    existing: options.resume ? 'resume' : options.overwrite ? 'overwrite' : 'refuse',
    quiet: options.json === true,
    ...withoutUndefined({ device, logLevel, logFile, data, trainSize, curvatureExamples, out }),
  };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
