import {
  badArgument,
  checkObject,
  checkOptionalFunction,
  checkSeed,
  checkSignal,
  checkWhole,
} from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import type { Dataset } from './data/dataset.js';
import type { Network } from './network/contract.js';
import type { Optimizer } from './optimizers/contract.js';
import type { StepRecord } from './record.js';
import type { ExistingTraining } from './training-files.js';

/** A request to train a network: network, data, optimizer, sizes, seed, and directory for the files. */
export interface TrainRequest {
  readonly network: Network;
  readonly data: Dataset;
  readonly optimizer: Optimizer;
  /** Passes over the training examples, ≥ 1. */
  readonly epochs: number;
  /** Examples per step. */
  readonly batch: number;
  /** Number of training examples, taken from the start of the set; default all. */
  readonly trainSize?: number;
  /** Number of examples that give the curvature, taken from the start of each batch; default 8. */
  readonly curvatureExamples?: number;
  /**
   * How the curvature is estimated. `gauss-newton`, the default, uses the derivatives of all outputs of an
   * example: one row of K per output. `monte-carlo` draws a label from the probabilities of the network: one
   * row of K per example.
   */
  readonly curvature?: CurvatureName;
  /** Seed of initial parameters, example order and noise; u32. */
  readonly seed: number;
  /** Further settings that affect the results, such as the profile of the board; JSON data. */
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
  /** Called once, before the first step. `step` > 0 if a training is resumed. */
  readonly onStart?: (step: number, totalSteps: number) => void;
  readonly onStep?: (record: StepRecord, totalSteps: number) => void;
  /** Called with a sentence that tells which lines in the files of a resumed training were mended. */
  readonly onMended?: (sentence: string) => void;
  readonly output?: TrainingOutput;
}

export const CURVATURE_NAMES = ['gauss-newton', 'monte-carlo'] as const;
/** One of `CURVATURE_NAMES`. */
export type CurvatureName = (typeof CURVATURE_NAMES)[number];

/** The place for the files of a training. */
export interface TrainingOutput {
  readonly directory: string;
  /** Default `refuse`. */
  readonly existing?: ExistingTraining;
  /** Number of steps between two checkpoints. Default 50. */
  readonly checkpointEvery?: number;
  /** Whether the metrics are also written as events of TensorBoard, in the same directory. Default false. */
  readonly tensorboard?: boolean;
}

/** The sizes of a request, checked and with all defaults. */
interface ResolvedSizes {
  readonly trainSize: number;
  readonly curvatureExamples: number;
  readonly checkpointEvery: number;
}

/** A request with all defaults filled in and all sizes checked. */
export type ResolvedRequest = TrainRequest & ResolvedSizes;

export const CURVATURE_EXAMPLES_DEFAULT = 8;
const CHECKPOINT_EVERY_DEFAULT = 50;
const EXISTING: readonly ExistingTraining[] = ['refuse', 'overwrite', 'resume'];

/**
 * Fills in the defaults. Errors: BAD_ARGUMENT for a size that is not a whole number or does not fit the
 * others.
 */
export function resolveRequest<Request extends Omit<TrainRequest, 'optimizer'>>(
  request: Request,
): Request & ResolvedSizes {
  checkParts(request);
  const { network, data, epochs, batch, seed } = request;
  const trainSize = request.trainSize ?? data.train.count;
  // A batch may be smaller than the default number of curvature examples.
  const curvatureExamples = request.curvatureExamples ?? Math.min(CURVATURE_EXAMPLES_DEFAULT, batch);
  const checkpointEvery = checkOutput(request.output)?.checkpointEvery ?? CHECKPOINT_EVERY_DEFAULT;
  checkWhole('epochs', epochs, 1);
  checkWhole('batch', batch, 1);
  checkWhole('trainSize', trainSize, 1, data.train.count);
  checkWhole('curvatureExamples', curvatureExamples, 1, batch);
  checkSeed('seed', seed);
  const { curvature = 'gauss-newton' } = request;
  if (!CURVATURE_NAMES.includes(curvature))
    throw badArgument('curvature', curvature, `one of ${CURVATURE_NAMES.join(', ')}`);
  const pixels = data.rows * data.columns;
  if (network.inputCount !== pixels || network.outputCount !== data.classes)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `The network takes ${network.inputCount} inputs to ${network.outputCount} classes; the data has ${pixels} ` +
        `${data.encoding === undefined ? 'pixels' : 'inputs'} and ${data.classes} classes.`,
    );
  return { ...request, trainSize, curvatureExamples, checkpointEvery };
}

/**
 * All settings that affect the results. Two trainings with equal settings on equal boards give equal results.
 * The values are JSON data, and can be compared with settings from a file. An infinite `clip` is null.
 */
export function settingsOf(request: ResolvedRequest): Readonly<Record<string, unknown>> {
  const {
    network,
    data,
    optimizer,
    epochs,
    batch,
    trainSize,
    curvatureExamples,
    curvature,
    seed,
    environment,
  } = request;
  const settings = {
    model: network.settings,
    data: data.digest,
    optimizer: optimizer.settings,
    epochs,
    batch,
    trainSize,
    ...(optimizer.needsCurvature ? { curvatureExamples } : {}),
    ...(optimizer.needsCurvature && curvature === 'monte-carlo' ? { curvature } : {}),
    seed,
    ...(environment === undefined ? {} : { environment }),
  };
  return JSON.parse(JSON.stringify(settings));
}

function checkParts(request: Omit<TrainRequest, 'optimizer'>): void {
  checkObject('The request', request, '{ network, data, optimizer, epochs: 1, batch: 128, seed: 1 }');
  const { network, data, signal, onStart, onStep, onMended } = request;
  checkObject('network', network, 'createMlp({ inputCount: 784, hidden: [32], classes: 10 })');
  checkObject('data', data, "loadDataset({ kind: 'mnist' })");
  checkObject('data.train', data.train, '{ count, inputs, labels }');
  checkObject('data.test', data.test, '{ count, inputs, labels }');
  checkSignal(signal);
  checkOptionalFunction('onStart', onStart);
  checkOptionalFunction('onStep', onStep);
  checkOptionalFunction('onMended', onMended);
}

/** The output with its defaults. Errors: BAD_ARGUMENT for parts of the wrong kind. */
export function checkOutput(
  output: TrainingOutput | undefined,
): (TrainingOutput & { readonly checkpointEvery: number }) | undefined {
  if (output === undefined) return undefined;
  checkObject('output', output, "{ directory: 'runs/first' }");
  const { directory, existing = 'refuse', checkpointEvery = CHECKPOINT_EVERY_DEFAULT } = output;
  if (typeof directory !== 'string') throw badArgument('output.directory', directory, 'a path');
  if (!EXISTING.includes(existing))
    throw badArgument('output.existing', existing, `one of ${EXISTING.join(', ')}`);
  checkWhole('output.checkpointEvery', checkpointEvery, 1);
  const { tensorboard } = output;
  if (tensorboard !== undefined && typeof tensorboard !== 'boolean')
    throw badArgument('output.tensorboard', tensorboard, 'true or false');
  return { ...output, checkpointEvery };
}
