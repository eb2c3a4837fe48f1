import { badArgument, checkObject, checkWhole } from '../../argument-checks.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { denseMatrix } from '../../linalg/matrix-kernel/dense-matrix.js';
import { RANDOM_STREAM, randomPermutation, randomSource } from '../../linalg/random.js';
import { checkHidden, layerShapes } from '../network/classifier.js';
import type { LayerShape } from '../network/contract.js';
import { featureMajor } from '../network/feature-major.js';
import { initialParameters } from '../network/initialize.js';
import { type AffineBlock, networkGradient, networkOutputs, placeInput } from '../network/passes.js';
import type { LayerCurvature, NoFigures, Problem } from '../problem/contract.js';
import { ExamplePasses } from './example-passes.js';

/** Inputs and target outputs, each row-major with one example per row. */
export interface Pairs {
  readonly count: number;
  readonly inputs: Float32Array;
  readonly targets: Float32Array;
}

/** Settings of a regression. */
export interface RegressionSettings {
  readonly train: Pairs;
  readonly test: Pairs;
  /** Widths of the hidden layers, in order from the input; empty for linear regression. */
  readonly hidden: readonly number[];
  /** Number of examples in a step. Default 128, or all if there are fewer. */
  readonly batch?: number;
  /** Number of examples that give the curvature, taken from the start of the batch. Default 16. */
  readonly curvatureExamples?: number;
  /**
   * Number of random directions for each of these examples. Each gives one row of the factor K. Default 4.
   */
  readonly draws?: number;
  /** Further settings for the checkpoint, as JSON data. A checkpoint with other settings is refused. */
  readonly source?: Readonly<Record<string, unknown>>;
}

/**
 * A regression problem, with the outputs of its network. Errors: those of `Problem`; `outputs` throws no
 * errors.
 */
export interface Regression extends Problem<NoFigures, RegressionTest> {
  /** z [count × outputs] for `inputs` at `parameters` [P]; one example per row. */
  outputs(parameters: Float64Array, inputs: Float32Array, count: number): Float32Array;
}

/** Final test of a regression. */
export type RegressionTest = {
  /**
   * ‖Z − Y‖² over the test pairs, as a share of ‖Y − mean Y‖²: 0 is exact, 1 is as good as predicting the
   * mean.
   */
  readonly unexplainedShare: number;
};

const BATCH_DEFAULT = 128;
const CURVATURE_EXAMPLES_DEFAULT = 16;
const DRAWS_DEFAULT = 4;
/** Number of examples tested at once. */
const TEST_CHUNK = 500;

/**
 * Dense layers with tanh between them and a linear output z, trained with the loss ½‖z − y‖², averaged over a
 * batch. The curvature is the Gauss–Newton matrix mean(JᵀJ), estimated from R random directions for each of b
 * examples e:
 *
 *     K_er = Jᵀ_e ε_er/√(bR),  ε ~ N(0, 1) for each output.
 *
 * The mean of KᵀK over draws is the Gauss–Newton matrix. K is a pure function of (seed, step). Errors:
 * BAD_ARGUMENT for sizes that don't fit. `evaluate` returns a loss that is not finite if the training has
 * diverged. Source: Martens, "Deep learning via Hessian-free optimization", 2010, for the problem; Martens,
 * "New insights and perspectives on the natural gradient method", 2020, section 5, for the draws.
 */
export function regression(settings: RegressionSettings): Regression {
  checkObject('settings', settings, '{ train, test, hidden: [16] }');
  const { train, test, hidden, source = {} } = settings;
  checkHidden(hidden);
  const [inputCount, outputCount] = widthsOf('train', train);
  const [testInputs, testOutputs] = widthsOf('test', test);
  if (testInputs !== inputCount)
    throw badArgument('The width of test.inputs', testInputs, `${inputCount}, as in train`);
  if (testOutputs !== outputCount)
    throw badArgument('The width of test.targets', testOutputs, `${outputCount}, as in train`);
  const { batch = Math.min(BATCH_DEFAULT, train.count), draws = DRAWS_DEFAULT } = settings;
  const { curvatureExamples = Math.min(CURVATURE_EXAMPLES_DEFAULT, batch) } = settings;
  checkWhole('batch', batch, 1, train.count);
  checkWhole('draws', draws, 1);
  checkWhole('curvatureExamples', curvatureExamples, 1, batch);
  const widths = [inputCount, ...hidden, outputCount];
  const blocks = widths
    .slice(1)
    .map((outputs, l): AffineBlock => ({ outputs, inputs: widths[l], positions: 1, poolSize: 1 }));
  const layers = layerShapes(
    blocks,
    blocks.map((_, l) => `dense${l + 1}`),
  );
  const parameterCount = layers.reduce((sum, { outputs, inputs }) => sum + outputs * (inputs + 1), 0);
  const spread = spreadOf(test);
  const passes = new ExamplePasses(layers);
  let room: Matrix | undefined;

  const errorSum = (parameters: Float64Array, { count, inputs, targets }: Pairs): number => {
    let sum = 0;
    for (let start = 0; start < count; start += TEST_CHUNK) {
      const size = Math.min(TEST_CHUNK, count - start);
      const some = inputs.subarray(start * inputCount, (start + size) * inputCount);
      const z = networkOutputs(blocks, parameters, transposed(some, size));
      for (let e = 0; e < size; e++)
        for (let k = 0; k < outputCount; k++)
          sum += (z[k * size + e] - targets[(start + e) * outputCount + k]) ** 2;
    }
    return sum;
  };

  return {
    name: hidden.length === 0 ? 'linear-regression' : 'regression',
    settings: { name: 'regression', widths, batch, curvatureExamples, draws, ...source },
    parameterCount,
    curvatureRows: curvatureExamples * draws,
    weights: { layers, facts: { format: 'thermolink', regression: JSON.stringify({ widths }) } },
    outputs: (parameters, inputs, count) => {
      const z = networkOutputs(blocks, parameters, transposed(inputs, count));
      const out = new Float32Array(z.length);
      for (let e = 0; e < count; e++)
        for (let k = 0; k < outputCount; k++) out[e * outputCount + k] = z[k * count + e];
      return out;
    },
    init: (seed) => initialParameters(layers, parameterCount, seed),
    evaluate: ({ parameters, step, seed }) => {
      const pairs = batchOf(train, batch, seed, step);
      let loss = 0;
      const input = placeInput(blocks, transposed(pairs.inputs, batch));
      const gradient = networkGradient(blocks, parameters, input, (z) => {
        const cotangent = new Float32Array(z.length);
        for (let e = 0; e < batch; e++)
          for (let k = 0; k < outputCount; k++) {
            const error = z[k * batch + e] - pairs.targets[e * outputCount + k];
            loss += (error * error) / (2 * batch);
            cotangent[k * batch + e] = error / batch;
          }
        return cotangent;
      });
      return {
        first: { loss, gradient },
        lossAt: (other) => errorSum(other, pairs) / (2 * batch),
        factor: () => {
          room ??= denseMatrix(curvatureExamples * draws, parameterCount);
          const share = 1 / Math.sqrt(curvatureExamples * draws);
          eachDraw(passes, parameters, pairs, { examples: curvatureExamples, draws, seed, step }, (row) =>
            passes.writeGradient(
              room!.data.subarray(row * parameterCount, (row + 1) * parameterCount),
              share,
            ),
          );
          return room;
        },
        layers: {
          places: layers,
          curvatures: () =>
            layerRows(layers, passes, parameters, pairs, { examples: batch, draws: 1, seed, step }),
        },
      };
    },
    test: (parameters) => ({ unexplainedShare: errorSum(parameters, test) / spread }),
  };
}

/** [inputs, targets] of one example. Errors: BAD_ARGUMENT. */
function widthsOf(name: string, pairs: Pairs): readonly [number, number] {
  checkObject(name, pairs, '{ count, inputs, targets }');
  const { count, inputs, targets } = pairs;
  checkWhole(`${name}.count`, count, 1);
  for (const [field, values] of Object.entries({ inputs, targets })) {
    if (!(values instanceof Float32Array) || values.length === 0 || values.length % count !== 0)
      throw badArgument(
        `${name}.${field}`,
        values,
        `a Float32Array with equally many numbers, at least one, for each of ${count} examples`,
      );
    if (!values.every(Number.isFinite)) throw badArgument(`${name}.${field}`, Number.NaN, 'finite numbers');
  }
  return [inputs.length / count, targets.length / count];
}

/** ‖Y − mean Y‖². Errors: BAD_ARGUMENT if all targets are equal. */
function spreadOf({ count, targets }: Pairs): number {
  const width = targets.length / count;
  let spread = 0;
  for (let k = 0; k < width; k++) {
    let mean = 0;
    for (let e = 0; e < count; e++) mean += targets[e * width + k] / count;
    for (let e = 0; e < count; e++) spread += (targets[e * width + k] - mean) ** 2;
  }
  if (spread === 0) throw badArgument('The spread of test.targets over the examples', 0, 'above 0');
  return spread;
}

/** The pairs of one step. Each epoch has a new random order. */
function batchOf({ count, inputs, targets }: Pairs, batch: number, seed: number, step: number): Pairs {
  const stepsPerEpoch = Math.floor(count / batch);
  const epoch = Math.floor(step / stepsPerEpoch);
  const order = randomPermutation(
    count,
    randomSource({ seed, stream: RANDOM_STREAM.exampleOrder, step: epoch }),
  );
  const start = (step % stepsPerEpoch) * batch;
  const picked = (values: Float32Array): Float32Array => {
    const width = values.length / count;
    const some = new Float32Array(batch * width);
    for (let e = 0; e < batch; e++) {
      const example = order[start + e];
      some.set(values.subarray(example * width, (example + 1) * width), e * width);
    }
    return some;
  };
  return { count: batch, inputs: picked(inputs), targets: picked(targets) };
}

function transposed(inputs: Float32Array, count: number): Float32Array {
  const out = new Float32Array(inputs.length);
  featureMajor(inputs, count, out);
  return out;
}

interface Draws {
  readonly examples: number;
  readonly draws: number;
  readonly seed: number;
  readonly step: number;
}

/**
 * For each of the first examples: one forward pass, then a backward pass for each random direction of the
 * outputs.
 */
function eachDraw(
  passes: ExamplePasses,
  parameters: Float64Array,
  { count, inputs }: Pairs,
  { examples, draws, seed, step }: Draws,
  take: (row: number) => void,
): void {
  const width = inputs.length / count;
  const random = randomSource({ seed, stream: RANDOM_STREAM.fisherLabels, step });
  const direction = new Float64Array(passes.outputs.length);
  for (let e = 0; e < examples; e++) {
    passes.forward(parameters, inputs.subarray(e * width, (e + 1) * width));
    for (let r = 0; r < draws; r++) {
      for (let k = 0; k < direction.length; k++) direction[k] = random.normal();
      passes.backward(parameters, direction);
      take(e * draws + r);
    }
  }
}

/** X and D of each layer (`LayerCurvature`), one row for each draw. */
function layerRows(
  layers: readonly LayerShape[],
  passes: ExamplePasses,
  parameters: Float64Array,
  pairs: Pairs,
  draws: Draws,
): readonly LayerCurvature[] {
  const count = draws.examples * draws.draws;
  const share = 1 / Math.sqrt(count);
  const rows = layers.map(({ inputs, outputs }) => ({
    inputs: matrix(count, inputs + 1),
    outputs: matrix(count, outputs),
  }));
  eachDraw(passes, parameters, pairs, draws, (row) => {
    for (const [l, { inputs, outputs }] of rows.entries()) {
      const [read, delta] = [passes.activation(l), passes.deltas[l]];
      for (let i = 0; i < read.length; i++) inputs.data[row * inputs.columns + i] = share * read[i];
      inputs.data[row * inputs.columns + read.length] = share;
      for (let o = 0; o < delta.length; o++) outputs.data[row * outputs.columns + o] = share * delta[o];
    }
  });
  return rows;
}
