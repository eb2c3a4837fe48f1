import { loadDataset } from '../../data/load-dataset.js';
import { createConvolutionClassifier } from '../../model/convolution-classifier.js';
import { createAnalogSolver } from '../../solver/analog-solver.js';
import type { LinearSolver } from '../../solver/contract.js';
import {
  CONTROL,
  createOptimizer,
  type OptimizerName,
  type OptimizerOptions,
} from '../../training/optimizers/create.js';
import type { StepRecord, TrainingSummary } from '../../training/record.js';
import type { ExistingRun } from '../../training/run-files.js';
import { train } from '../../training/trainer.js';
import { deviceUri, withDevice } from '../device.js';
import type { LogOptions } from '../logging.js';
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

/** Trains, with a progress bar; the device, if the optimizer needs one, is closed at the end. */
export async function runTraining(plan: TrainingPlan, signal: AbortSignal): Promise<TrainingSummary> {
  if (plan.optimizer === 'tngd' || plan.optimizer === 'tngd-adam') {
    const uri = deviceUri(plan.device, TRAINING_DEVICE);
    return withDevice(uri, plan, signal, (device) => {
      const { model, serialNumber, firmwareVersion } = device.identity;
      const board = { model, serialNumber, firmwareVersion };
      return trainWith(plan, signal, createAnalogSolver(device), { board });
    });
  }
  return trainWith(plan, signal);
}

async function trainWith(
  plan: TrainingPlan,
  signal: AbortSignal,
  solver?: LinearSolver,
  environment?: Readonly<Record<string, unknown>>,
): Promise<TrainingSummary> {
  const optimizer =
    plan.optimizer === 'control'
      ? createOptimizer('sgd', { ...CONTROL, ...plan.settings })
      : createOptimizer(plan.optimizer, plan.settings, solver);
  const data = loadDataset(
    plan.data === undefined ? { kind: 'mnist' } : { kind: 'directory', directory: plan.data },
  );
  const model = createConvolutionClassifier({
    rows: data.rows,
    columns: data.columns,
    classes: data.classes,
  });
  const display = new TrainingDisplay(plan);
  try {
    const { summary } = await train({
      model,
      data,
      optimizer,
      epochs: plan.epochs,
      batch: plan.batch,
      seed: plan.seed,
      signal,
      onStep: (record, totalSteps) => display.update(record, totalSteps),
      ...(plan.trainSize === undefined ? {} : { trainSize: plan.trainSize }),
      ...(plan.curvatureExamples === undefined ? {} : { curvatureExamples: plan.curvatureExamples }),
      ...(environment === undefined ? {} : { environment }),
      ...(plan.out === undefined ? {} : { output: { directory: plan.out, existing: plan.existing } }),
    });
    return summary;
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

  constructor(plan: TrainingPlan) {
    this.#plan = plan;
  }

  update({ step, loss, accuracy }: StepRecord, total: number): void {
    // Made at the first step: only then is it known where a resumed run goes on.
    this.#progress ??= new Progress({
      label: this.#plan.optimizer,
      total,
      initial: step,
      silent: this.#plan.quiet,
    });
    this.#loss = average(this.#loss, loss);
    this.#accuracy = average(this.#accuracy, accuracy);
    const suffix = `loss ${this.#loss.toFixed(3)}  accuracy ${formatPercent(this.#accuracy)}`;
    this.#progress.update(step + 1, suffix);
  }

  finish(): void {
    this.#progress?.finish();
  }
}

function average(before: number | undefined, value: number): number {
  return before === undefined ? value : before + AVERAGE_SHARE * (value - before);
}
