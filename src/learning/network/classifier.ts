import { badArgument, checkObject, checkSeed, checkWhole } from '../../argument-checks.js';
import { ChainRoom } from './chain-room.js';
import type {
  Evaluation,
  Examples,
  LayerShape,
  LossAndGradient,
  Network,
  PerExampleFactors,
} from './contract.js';
import { checkExamples, checkInputs, checkParameters } from './examples-check.js';
import { featureMajor } from './feature-major.js';
import { initialParameters } from './initialize.js';
import { type AffineBlock, networkGradient, networkOutputs, placeInput } from './passes.js';
import { crossEntropyCotangent, softmaxCrossEntropy } from './softmax-cross-entropy.js';

/** The properties in which architectures differ. */
export interface ClassifierDescription {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly inputCount: number;
  readonly blocks: readonly AffineBlock[];
  readonly layerNames: readonly string[];
  /**
   * Turns feature-major examples, [inputCount × count], into the input of block 0, [inputs × (positions ·
   * count)].
   */
  readonly arrange: (inputs: Float32Array, count: number) => Float32Array;
}

/**
 * Examples evaluated at once. With this number the products are efficient, and intermediate results stay
 * below some tens of MB.
 */
const EVALUATION_CHUNK = 500;

/** The gradient of one batch, prepared as far as possible without the parameters. */
export interface PreparedGradient {
  /** Returns the same bits as `lossAndGradient` of the batch. Call it at most once. */
  readonly at: (parameters: Float64Array) => LossAndGradient;
  /** Frees the memory, if `at` was not called. */
  readonly dispose: () => void;
}

/**
 * The networks made by this file, each with its function that prepares a gradient. Another thread can make
 * such a network again from its settings alone.
 */
const made = new WeakMap<Network, (batch: Examples) => PreparedGradient>();

/** Whether this file made a network. If so, its settings describe it completely. */
export function isClassifier(network: Network): boolean {
  return made.has(network);
}

/**
 * Checks and rearranges a batch, which takes a sixth of the time of a gradient. The batch may be overwritten
 * afterwards. Errors: those of `lossAndGradient` for the batch. This file must have made `network`.
 */
export function prepareGradient(network: Network, batch: Examples): PreparedGradient {
  return made.get(network)!(batch);
}

/** A network from a chain of affine maps with tanh between them. Its guarantees are those of `Network`. */
export function createClassifier(description: ClassifierDescription): Network {
  const { blocks, inputCount, arrange } = description;
  const layers = layerShapes(blocks, description.layerNames);
  const outputCount = blocks[blocks.length - 1].outputs;
  const parameterCount = layers.reduce((sum, { outputs, inputs }) => sum + outputs * (inputs + 1), 0);
  const sizes = { inputCount, outputCount, parameterCount };

  /** Maps each result of `perExampleFactors` to the memory in which it lies. */
  const chainRooms = new WeakMap<PerExampleFactors, ChainRoom>();

  // One array is enough for all transposed examples: they are copied before the next call.
  let room = new Float32Array(0);
  function arranged(inputs: Float32Array, count: number): Float32Array {
    if (room.length < inputs.length) room = new Float32Array(inputs.length);
    const transposed = room.subarray(0, inputs.length);
    featureMajor(inputs, count, transposed);
    return arrange(transposed, count);
  }

  function outputsOf(parameters: Float64Array, inputs: Float32Array, count: number): Float32Array {
    return networkOutputs(blocks, parameters, arranged(inputs, count));
  }

  function prepare(batch: Examples): PreparedGradient {
    checkExamples(batch, sizes);
    const { count } = batch;
    const labels = batch.labels.slice();
    const input = placeInput(blocks, arranged(batch.inputs, count));
    const at = (parameters: Float64Array): LossAndGradient => {
      let loss = 0;
      let correct = 0;
      const gradient = networkGradient(blocks, parameters, input, (logits) => {
        const result = softmaxCrossEntropy(logits, labels, outputCount);
        loss = result.lossSum / count;
        correct = result.correct;
        return crossEntropyCotangent(result.probabilities, labels, outputCount);
      });
      return { loss, correct, gradient };
    };
    return { at, dispose: () => input.dispose() };
  }

  function lossAndGradient(parameters: Float64Array, batch: Examples): LossAndGradient {
    checkParameters(parameters, sizes);
    return prepare(batch).at(parameters);
  }

  function evaluate(parameters: Float64Array, examples: Examples): Evaluation {
    checkParameters(parameters, sizes);
    checkExamples(examples, sizes);
    let lossSum = 0;
    let correct = 0;
    for (const { inputs, start, count } of chunks(examples.inputs, inputCount)) {
      const labels = examples.labels.subarray(start, start + count);
      const result = softmaxCrossEntropy(outputsOf(parameters, inputs, count), labels, outputCount);
      lossSum += result.lossSum;
      correct += result.correct;
    }
    return { loss: lossSum / examples.count, correct, accuracy: correct / examples.count };
  }

  function predict(parameters: Float64Array, inputs: Float32Array): Float64Array {
    checkParameters(parameters, sizes);
    checkInputs(inputs, sizes);
    const all = new Float64Array((inputs.length / inputCount) * outputCount);
    for (const chunk of chunks(inputs, inputCount)) {
      const logits = outputsOf(parameters, chunk.inputs, chunk.count);
      const { probabilities } = softmaxCrossEntropy(logits, new Uint8Array(chunk.count), outputCount);
      all.set(probabilities, chunk.start * outputCount);
    }
    return all;
  }

  function perExampleFactors(
    parameters: Float64Array,
    examples: Examples,
    reuse?: PerExampleFactors,
  ): PerExampleFactors {
    checkParameters(parameters, sizes);
    checkExamples(examples, sizes);
    const { count } = examples;
    const earlier = reuse && chainRooms.get(reuse);
    const chain = earlier?.count === count ? earlier : new ChainRoom(blocks, count);
    const logits = chain.run(parameters, arranged(examples.inputs, count));
    const { probabilities } = softmaxCrossEntropy(logits, examples.labels, outputCount);
    const factors = { count, outputs: outputCount, probabilities, layers: chain.layers };
    chainRooms.set(factors, chain);
    return factors;
  }

  const network: Network = {
    name: description.name,
    settings: description.settings,
    inputCount,
    outputCount,
    parameterCount,
    layers,
    init: (seed) => {
      checkSeed('seed', seed);
      return initialParameters(layers, parameterCount, seed);
    },
    lossAndGradient,
    evaluate,
    predict,
    perExampleFactors,
  };
  made.set(network, (batch) => {
    const { at, dispose } = prepare(batch);
    return {
      at: (parameters) => {
        checkParameters(parameters, sizes);
        return at(parameters);
      },
      dispose,
    };
  });
  return network;
}

/** Offsets of the weights of a chain of affine maps: for each map in order, W and then b. */
export function layerShapes(blocks: readonly AffineBlock[], layerNames: readonly string[]): LayerShape[] {
  let offset = 0;
  return blocks.map(({ outputs, inputs, positions }, index) => {
    const weightOffset = offset;
    const biasOffset = weightOffset + outputs * inputs;
    offset = biasOffset + outputs;
    return { name: layerNames[index], outputs, inputs, positions, weightOffset, biasOffset };
  });
}

function* chunks(
  inputs: Float32Array,
  inputCount: number,
): Iterable<{ inputs: Float32Array; start: number; count: number }> {
  const total = inputs.length / inputCount;
  for (let start = 0; start < total; start += EVALUATION_CHUNK) {
    const count = Math.min(EVALUATION_CHUNK, total - start);
    yield { inputs: inputs.subarray(start * inputCount, (start + count) * inputCount), start, count };
  }
}

/** Largest number of classes: a label is one byte. */
const CLASSES_MAX = 256;

/** Throws BAD_ARGUMENT with `example` if the settings are not an object. */
export function checkSettings(settings: unknown, example: string): void {
  checkObject('The settings of a network', settings, example);
}

/** Throws BAD_ARGUMENT if the width of a layer, or a similar size, is not a whole number ≥ 1. */
export function checkWidth(name: string, width: unknown): void {
  checkWhole(name, width, 1);
}

/** Throws BAD_ARGUMENT if `hidden` is not a list of whole numbers ≥ 1. */
export function checkHidden(hidden: unknown): void {
  if (!Array.isArray(hidden))
    throw badArgument(
      'hidden',
      hidden,
      'a list of layer widths',
      'For example [32, 16], or [] for no hidden layer.',
    );
  for (const [layer, width] of hidden.entries()) checkWidth(`hidden[${layer}]`, width);
}

/** Throws BAD_ARGUMENT if the number of classes is not in 2 … 256. */
export function checkClasses(classes: unknown): void {
  checkWhole('classes', classes, 2, CLASSES_MAX);
}
