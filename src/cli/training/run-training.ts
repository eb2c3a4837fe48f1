import { loadDataset } from '../../data/load-dataset.js';
import { createConvolutionClassifier } from '../../model/convolution-classifier.js';
import { createAnalogSolver } from '../../solver/analog-solver.js';
import {
  CONTROL,
  createOptimizer,
  type OptimizerName,
  type OptimizerOptions,
  optimizerSettings,
} from '../../training/optimizers/create.js';
import type { StepRecord, TrainingSummary } from '../../training/record.js';
import type { ExistingRun } from '../../training/run-files.js';
import { checkTrainRequest, type TrainRequest, train } from '../../training/trainer.js';
import { deviceUri, withDevice } from '../device.js';
import type { LogOptions } from '../logging.js';
import { boardWarnings } from '../output/board-warnings.js';
import { formatPercent } from '../output/format.js';
import { Progress } from '../output/progress.js';

export const TRAINING_DEVICE = 'emulator:ideal-crossbar';

/** One training run as a command line asks for it. */
export interface TrainingPlan extends LogOptions {
  readonly optimizer: OptimizerName | 'control';
  readonly settings: OptimizerOptions;
  readonly device?: string;
  /** A directory of IDX files; default MNIST. */
  readonly data?: string;
  readonly epochs: number;
  readonly batch: number;
  readonly trainSize?: number;
  readonly seed: number;
  readonly curvatureExamples?: number;
  readonly out?: string;
  readonly existing: ExistingRun;
  readonly quiet: boolean;
}

/**
 * Trains, with a progress bar. Options, data and directory are checked first; only then the device, if the optimizer
 * needs one, is opened, and it is closed at the end.
 */
export async function runTraining(plan: TrainingPlan, signal: AbortSignal): Promise<TrainingSummary> {
  const [name, options] =
    plan.optimizer === 'control'
      ? (['sgd', { ...CONTROL, ...plan.settings }] as const)
      : ([plan.optimizer, plan.settings] as const);
  optimizerSettings(name, options);
  const request = requestOf(plan, signal);
  checkTrainRequest(request);
  if (name !== 'tngd' && name !== 'tngd-adam')
    return trainShown(plan, { ...request, optimizer: createOptimizer(name, options) });
  const uri = deviceUri(plan.device, TRAINING_DEVICE);
  return withDevice(uri, plan, signal, (device) => {
    const { model, serialNumber, firmwareVersion } = device.identity;
    const environment = { board: { model, serialNumber, firmwareVersion } };
    const optimizer = createOptimizer(name, options, createAnalogSolver(device));
    return trainShown(plan, { ...request, optimizer, environment });
  });
}

function requestOf(plan: TrainingPlan, signal: AbortSignal): Omit<TrainRequest, 'optimizer'> {
  const data = loadDataset(
    plan.data === undefined ? { kind: 'mnist' } : { kind: 'directory', directory: plan.data },
  );
  const { rows, columns, classes } = data;
  return {
    model: createConvolutionClassifier({ rows, columns, classes }),
    data,
    epochs: plan.epochs,
    batch: plan.batch,
    seed: plan.seed,
    signal,
    ...(plan.trainSize === undefined ? {} : { trainSize: plan.trainSize }),
    ...(plan.curvatureExamples === undefined ? {} : { curvatureExamples: plan.curvatureExamples }),
    ...(plan.out === undefined ? {} : { output: { directory: plan.out, existing: plan.existing } }),
  };
}

async function trainShown(plan: TrainingPlan, request: TrainRequest): Promise<TrainingSummary> {
  const display = new TrainingDisplay(plan);
  try {
    const onStep = (record: StepRecord, totalSteps: number): void => display.update(record, totalSteps);
    return (await train({ ...request, onStep })).summary;
  } finally {
    display.finish();
  }
}

/** Share of the newest value in the shown averages: a batch alone is too noisy to read. */
const AVERAGE_SHARE = 0.05;

class TrainingDisplay {
  readonly #plan: TrainingPlan;
  #progress: Progress | undefined;
  #loss: number | undefined;
  #accuracy: number | undefined;
  #clampedCodes = 0;

  constructor(plan: TrainingPlan) {
    this.#plan = plan;
  }

  update({ step, loss, accuracy, clampedCodes }: StepRecord, total: number): void {
    // Made at the first step: only then is it known where a resumed run goes on.
    this.#progress ??= new Progress({
      label: this.#plan.optimizer,
      total,
      initial: step,
      silent: this.#plan.quiet,
    });
    this.#clampedCodes = Math.max(this.#clampedCodes, clampedCodes);
    this.#loss = average(this.#loss, loss);
    this.#accuracy = average(this.#accuracy, accuracy);
    const suffix = `loss ${this.#loss.toFixed(3)}  accuracy ${formatPercent(this.#accuracy)}`;
    this.#progress.update(step + 1, suffix);
  }

  finish(): void {
    this.#progress?.finish();
    if (!this.#plan.quiet) process.stderr.write(boardWarnings({ clampedCodes: this.#clampedCodes }));
  }
}

function average(before: number | undefined, value: number): number {
  return before === undefined ? value : before + AVERAGE_SHARE * (value - before);
}
