import { join } from 'node:path';
import type { LastLayer } from '../../../algorithms/posterior/laplace.js';
import { ThermolinkError } from '../../../errors.js';
import { readCheckpoint } from '../../../learning/checkpoint.js';
import type { Dataset, ExampleSet } from '../../../learning/data/dataset.js';
import type { Network } from '../../../learning/network/contract.js';
import { createConvolutionClassifier } from '../../../learning/network/convolution-classifier.js';
import { createMlp } from '../../../learning/network/mlp.js';
import { TRAINING_FILES } from '../../../learning/training-files.js';
import { type Matrix, matrix } from '../../../linalg/matrix.js';

/** A classifier that was trained, and how many examples it saw. */
export interface TrainedNetwork {
  readonly network: Network;
  readonly parameters: Float64Array;
  readonly trainSize: number;
}

/** The number of examples whose factors are in memory at once. */
const BATCH = 250;

/**
 * The classifier in a directory of `train mnist`, which must have been trained on `data`. Errors:
 * BAD_CHECKPOINT for a checkpoint that is damaged, of another kind of training or of other data.
 */
export function readTrainedNetwork(directory: string, data: Dataset): TrainedNetwork {
  const path = join(directory, TRAINING_FILES.checkpoint);
  const { settings, parameters } = readCheckpoint(path);
  const network = networkOf(settings['model']);
  if (network === undefined || network.parameterCount !== parameters.length)
    throw new ThermolinkError('BAD_CHECKPOINT', `${path} is not that of a classifier.`, {
      hint: 'Name a directory that `thermolink train mnist` wrote.',
      data: { path },
    });
  if (settings['data'] !== data.digest)
    throw new ThermolinkError('BAD_CHECKPOINT', `${path} was trained on other data than ${data.name}.`, {
      hint: 'Name the data of the training.',
      data: { path, trainedOn: settings['data'], given: data.digest },
    });
  return { network, parameters, trainSize: Number(settings['trainSize']) };
}

function networkOf(model: unknown): Network | undefined {
  const { kind } = (model ?? {}) as { readonly kind?: unknown };
  if (kind === 'mlp') return createMlp(model as Parameters<typeof createMlp>[0]);
  if (kind === 'convolution')
    return createConvolutionClassifier(model as Parameters<typeof createConvolutionClassifier>[0]);
  return undefined;
}

/** The weights of the last layer, C×d, the bias in the last column. */
export function lastWeights({ network, parameters }: TrainedNetwork): Matrix {
  const { outputs, inputs, weightOffset, biasOffset } = network.layers.at(-1)!;
  const weights = matrix(outputs, inputs + 1);
  for (let c = 0; c < outputs; c++) {
    weights.data.set(
      parameters.subarray(weightOffset + c * inputs, weightOffset + (c + 1) * inputs),
      c * (inputs + 1),
    );
    weights.data[c * (inputs + 1) + inputs] = parameters[biasOffset + c];
  }
  return weights;
}

/**
 * The inputs of the last layer for each example, n×d, with 1 in the last column; and the class probabilities,
 * n×C.
 */
export function lastLayerOf(
  trained: TrainedNetwork,
  examples: ExampleSet,
  signal?: AbortSignal,
): Pick<LastLayer, 'features' | 'probabilities'> {
  const { network, parameters } = trained;
  const { inputs, outputs } = network.layers.at(-1)!;
  const features = matrix(examples.count, inputs + 1);
  const probabilities = matrix(examples.count, outputs);
  for (let from = 0; from < examples.count; from += BATCH) {
    signal?.throwIfAborted();
    const factors = network.perExampleFactors(
      parameters,
      examplesBetween(examples, from, Math.min(examples.count, from + BATCH)),
    );
    const { activations } = factors.layers.at(-1)!;
    for (let k = 0; k < factors.count; k++) {
      const row = (from + k) * (inputs + 1);
      features.data.set(activations.subarray(k * inputs, (k + 1) * inputs), row);
      features.data[row + inputs] = 1;
    }
    probabilities.data.set(factors.probabilities, from * outputs);
  }
  return { features, probabilities };
}

/** Examples `from` … `to` − 1 of a set; they share its memory. */
export function examplesBetween(set: ExampleSet, from: number, to: number): ExampleSet {
  const size = set.inputs.length / set.count;
  return {
    count: to - from,
    inputs: set.inputs.subarray(from * size, to * size),
    labels: set.labels.subarray(from, to),
  };
}
