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

/** What distinguishes one architecture from another. */
export interface ClassifierDescription {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly inputCount: number;
  readonly blocks: readonly AffineBlock[];
  readonly layerNames: readonly string[];
  /**
   * From feature-major examples, [inputCount × count], to what block 0 reads, [inputs × (positions · count)].
   */
  readonly arrange: (inputs: Float32Array, count: number) => Float32Array;
}

/**
 * Examples that are evaluated at once: products are efficient, and intermediate results stay below some tens
 * of MB.
 */
const EVALUATION_CHUNK = 500;

/** The gradient of one batch, of which all is done that needs no parameters. */
export interface PreparedGradient {
  /** As `lossAndGradient` of the batch, the same bits. It is called once at most. */
  readonly at: (parameters: Float64Array) => LossAndGradient;
  /** Frees what `at` would have used. */
  readonly dispose: () => void;
}

/**
 * The networks of this file, whose settings are all that another thread needs to make them again, and how
 * each prepares a gradient.
 */
const made = new WeakMap<Network, (batch: Examples) => PreparedGradient>();

/** Whether a network was made here and its settings describe it wholly. */
export function isClassifier(network: Network): boolean {
  return made.has(network);
}

/**
 * Checks and rearranges a batch, which may be written over afterwards: a sixth of the time of a gradient.
 * Errors: those of `lossAndGradient` for the batch. `network` is one of this file.
 */
export function prepareGradient(network: Network, batch: Examples): PreparedGradient {
  return made.get(network)!(batch);
}

/** A `Network` from a chain of affine maps with tanh between them. `Network` says what it guarantees. */
export function createClassifier(description: ClassifierDescription): Network {
  const { blocks, inputCount, arrange } = description;
  const layers = layerShapes(blocks, description.layerNames);
  const outputCount = blocks[blocks.length - 1].outputs;
  const parameterCount = layers.reduce((sum, { outputs, inputs }) => sum + outputs * (inputs + 1), 0);
  const sizes = { inputCount, outputCount, parameterCount };

  /** The memory of per-example factors, by the results that lie in it. */
  const chainRooms = new WeakMap<PerExampleFactors, ChainRoom>();

  // Transposed examples are copied before the next ones come, so that all can lie in one array.
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

/** Where the weights of a chain of affine maps lie: W and then b of each, in order. */
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

/** As many as a label, which is a byte, can tell apart. */
const CLASSES_MAX = 256;

/** Refuses settings that are no object: BAD_ARGUMENT with an example. */
export function checkSettings(settings: unknown, example: string): void {
  checkObject('The settings of a network', settings, example);
}

/** Refuses a width of a layer, or the like, that is no whole number ≥ 1: BAD_ARGUMENT. */
export function checkWidth(name: string, width: unknown): void {
  checkWhole(name, width, 1);
}

/** Refuses hidden layers other than a list of whole numbers ≥ 1: BAD_ARGUMENT. */
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

/** Refuses a number of classes other than 2 to 256: BAD_ARGUMENT. */
export function checkClasses(classes: unknown): void {
  checkWhole('classes', classes, 2, CLASSES_MAX);
}
