import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import type { RelaxationSolver } from '../../../algorithms/contract.js';
import { createIdealSampler } from '../../../algorithms/ideal-sampler.js';
import { classification } from '../../../learning/classification.js';
import { type Dataset, type ExampleSet, firstExamples } from '../../../learning/data/dataset.js';
import { loadDataset } from '../../../learning/data/load-dataset.js';
import { createConvolutionClassifier } from '../../../learning/network/convolution-classifier.js';
import { createOptimizer } from '../../../learning/optimizers/create.js';
import type { OptimizerName, OptimizerOptions } from '../../../learning/optimizers/registry.js';
import type { Figures, Problem } from '../../../learning/problem/contract.js';
import type { StepTiming } from '../../../learning/record.js';
import { CURVATURE_EXAMPLES_DEFAULT, resolveRequest } from '../../../learning/train-request.js';
import { train } from '../../../learning/trainer.js';
import type { Lab, Measured, PlannedRun, TableRun, TableSharing, TableStudy } from './table/table-study.js';

/** A training of a classifier of digits, as several studies have it. */
interface DigitsTraining {
  readonly optimizer: OptimizerName;
  readonly options: OptimizerOptions;
  readonly solver?: RelaxationSolver;
  readonly channels: number;
  /** Training examples, the first of the set. */
  readonly trainSize: number;
  readonly batch: number;
  readonly epochs: number;
  readonly seed: number;
  /** The examples of the tests. `validation` has examples of the training set that are never trained on. */
  readonly testOn: 'test' | 'validation';
  readonly testSize: number;
  readonly signal: AbortSignal;
}

/** One training of digits as a run of a study, as JSON data. */
export interface DigitsRun extends Omit<DigitsTraining, 'solver' | 'signal'> {
  /**
   * `board`: the board of the study. `process`: the process of an ideal board, computed exactly in float64.
   * `noiseTemperature` is the κ of both. Absent if the optimizer needs no solver.
   */
  readonly solver?: { readonly by: 'board' | 'process'; readonly noiseTemperature?: number };
}

/** The batch of the paper (arXiv 2405.13817). */
export const PAPER_BATCH = 64;
/** Numbers of digits for training and test in the studies `settling`, `delay` and `noise`. */
export function digitsSizes(quick: boolean) {
  return quick ? { trainSize: 1920, testSize: 1000 } : { trainSize: 5120, testSize: 5000 };
}

/** Training examples from this one on are kept for validation. */
const VALIDATION_BEGINS = 50_000;

let loaded: Dataset | undefined;

/** MNIST, loaded once. Errors: those of `loadDataset`. */
function digits(): Dataset {
  loaded ??= loadDataset({ kind: 'mnist' });
  return loaded;
}

/**
 * Trains a convolution classifier of digits once. Figures of the final parameters: `trainLoss` and `testLoss`
 * in nat, `testError` as a share. Figures per step: ticks, modelled board seconds, uploaded bytes. Errors:
 * those of `train`.
 */
async function trainDigits(request: DigitsTraining): Promise<Measured> {
  const { optimizer, options, solver, channels, trainSize, batch, epochs, seed, testSize, signal } = request;
  const data = digits();
  const { rows, columns, classes } = data;
  const test =
    request.testOn === 'test'
      ? firstExamples(data.test, testSize)
      : examplesFrom(data.train, VALIDATION_BEGINS, testSize);
  const { summary } = await train({
    network: createConvolutionClassifier({ rows, columns, classes, channels }),
    data: { ...data, test },
    optimizer: createOptimizer(optimizer, options, solver),
    ...{ epochs, batch, trainSize, seed, signal },
  });
  const { trainLoss, testLoss, testAccuracy, ticks, boardSeconds, uploadBytes, iterations, timing } = summary;
  return {
    figures: {
      ...{ trainLoss, testLoss, testError: 1 - testAccuracy },
      ticks: ticks / iterations,
      boardSeconds: boardSeconds / iterations,
      uploadBytes: uploadBytes / iterations,
    },
    timing: { hostWorkSeconds: hostWorkMs(timing.breakdown) / 1000, hostSeconds: timing.hostSeconds },
  };
}

/** Does a run of a study. Errors: those of `train` and of the lab. */
export async function measureDigits({ solver, ...training }: DigitsRun, lab: Lab): Promise<Measured> {
  const { signal } = lab;
  if (solver === undefined) return trainDigits({ ...training, signal });
  const { by, noiseTemperature } = solver;
  const relaxing =
    by === 'process'
      ? createIdealSampler(noiseTemperature === undefined ? {} : { noiseTemperature })
      : createAnalogSolver(
          await lab.board(),
          noiseTemperature === undefined ? {} : { relaxNoiseTemperature: noiseTemperature },
        );
  return trainDigits({ ...training, solver: relaxing, signal });
}

/**
 * The functions with which a study does its runs, here or on several boards. Each run trains a classifier of
 * digits with this number of channels; `runOf` gives its training.
 */
export function digitsRuns(
  channels: number,
  runOf: (run: PlannedRun, done: readonly TableRun[], quick: boolean) => DigitsRun,
  first?: string,
): Pick<TableStudy, 'measure' | 'shapes'> & { readonly sharing: TableSharing } {
  return {
    measure: (run, lab, { quick }) => measureDigits(runOf(run, lab.done, quick), lab),
    shapes: () => {
      const { parameterCount, outputCount } = digitsNetwork(channels);
      return [{ parameterCount, curvatureRows: CURVATURE_EXAMPLES_DEFAULT * outputCount }];
    },
    sharing: {
      ...(first === undefined ? {} : { first }),
      needs: () => {
        const { parameterCount, outputCount } = digitsNetwork(channels);
        return { cells: parameterCount, rows: PAPER_BATCH * outputCount };
      },
      settingsOf: (run, done, quick) => ({ data: digits().digest, ...runOf(run, done, quick) }),
    },
  };
}

function digitsNetwork(channels: number) {
  const { rows, columns, classes } = digits();
  return createConvolutionClassifier({ rows, columns, classes, channels });
}

/** A small classifier of digits as a problem. One epoch has 80 steps, and 30 if `quick`. */
export function digitsProblem(seed: number, quick: boolean): Problem<Figures, Figures> {
  const { trainSize, testSize } = digitsSizes(quick);
  const data = digits();
  const { rows, columns, classes } = data;
  const resolved = resolveRequest({
    network: createConvolutionClassifier({ rows, columns, classes, channels: 4 }),
    data: { ...data, test: firstExamples(data.test, testSize) },
    ...{ epochs: 1, batch: PAPER_BATCH, trainSize, seed },
  });
  return classification(resolved, true);
}

/** Host time of a step without waiting for a board or talking to it, in milliseconds. */
export function hostWorkMs({ gradientMs, curvatureMs, mapMs, otherMs }: StepTiming): number {
  return gradientMs + curvatureMs + mapMs + otherMs;
}

function examplesFrom({ inputs, labels, count }: ExampleSet, first: number, wanted: number): ExampleSet {
  const width = inputs.length / count;
  const end = Math.min(count, first + wanted);
  return {
    count: end - first,
    inputs: inputs.subarray(first * width, end * width),
    labels: labels.subarray(first, end),
  };
}
