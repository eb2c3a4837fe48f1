import { type BatchPlan, planBatches } from './batches.js';
import { type FactorRoom, factorRoom, gaussNewtonFactor } from './curvature/gauss-newton.js';
import { layerCurvatures } from './curvature/layer-curvatures.js';
import { monteCarloFactor } from './curvature/monte-carlo-fisher.js';
import { firstExamples } from './data/dataset.js';
import { refuseDivergedLoss } from './diverged.js';
import { GradientThread } from './gradient-thread.js';
import type { Examples, LossAndGradient, PerExampleFactors } from './network/contract.js';
import type { LossGradient, Problem } from './problem/contract.js';
import type { ClassificationMeasures, ClassificationTest } from './record.js';
import type { ResolvedRequest } from './train-request.js';
import { weightFacts } from './weights.js';

const TRAIN_LOSS_EXAMPLES_MAX = 10_000;
/**
 * Smallest number of remaining steps for which a thread is started: its start takes as long as about ten
 * steps.
 */
const THREAD_STEPS_MIN = 30;

/** The problem of training a classifier on batches of examples. */
export interface Classification extends Problem<ClassificationMeasures, ClassificationTest> {
  readonly plan: BatchPlan;
}

/**
 * The mean softmax cross-entropy of a network over the batch of each step. Its curvature is the generalized
 * Gauss–Newton matrix of the first examples of the batch. The curvature layer by layer uses the whole batch.
 * If an optimizer uses the curvature, another thread computes the gradient at the same time.
 *
 * Errors: BAD_ARGUMENT when a batch does not fit the examples. `evaluate` and `test` throw DIVERGED for a
 * loss beyond 1000 · ln(classes), and those of the network.
 */
export function classification(
  request: Omit<ResolvedRequest, 'optimizer'>,
  needsCurvature: boolean,
): Classification {
  const { network, data, batch, epochs, trainSize, curvatureExamples, seed } = request;
  const examples = firstExamples(data.train, trainSize);
  const isDrawn = request.curvature === 'monte-carlo';
  const plan = planBatches(examples, batch, epochs, seed);
  let room: FactorRoom | undefined;
  let factors: PerExampleFactors | undefined;
  let thread: GradientThread | undefined;
  let hasBegun = false;
  /** The batch that the thread prepares. */
  let next: { readonly step: number; readonly batch: Examples } | undefined;

  function lossOf(step: number, batch: Examples, result: LossAndGradient) {
    const { loss, correct, gradient } = result;
    refuseDivergedLoss(step, loss, network.outputCount);
    const measures = { epoch: Math.floor(step / plan.stepsPerEpoch), accuracy: correct / batch.count };
    return { loss, gradient, measures } satisfies LossGradient<ClassificationMeasures>;
  }

  return {
    name: network.name,
    settings: network.settings,
    parameterCount: network.parameterCount,
    weights: {
      layers: network.layers,
      facts: weightFacts({ network, ...(data.encoding === undefined ? {} : { encoding: data.encoding }) }),
    },
    curvatureRows: curvatureExamples * (isDrawn ? 1 : network.outputCount),
    plan,
    init: (seed) => network.init(seed),
    evaluate: ({ parameters, step, totalSteps }) => {
      // A second thread helps only if this thread has a curvature to compute meanwhile.
      if (!hasBegun && needsCurvature && totalSteps - step >= THREAD_STEPS_MIN)
        thread = GradientThread.start(network, batch);
      hasBegun = true;
      const examplesOfStep = next?.step === step ? next.batch : plan.batchOf(step);
      next = undefined;
      const begun = (thread ?? network).lossAndGradient(parameters, examplesOfStep);
      if (thread?.isReady && step + 1 < totalSteps) {
        next = { step: step + 1, batch: plan.batchOf(step + 1) };
        thread.prepare(next.batch);
      }
      const finish = (result: LossAndGradient) => lossOf(step, examplesOfStep, result);
      return {
        first: begun instanceof Promise ? begun.then(finish) : finish(begun),
        lossAt: (other) => network.evaluate(other, examplesOfStep).loss,
        layers: {
          places: network.layers,
          curvatures: () => {
            factors = network.perExampleFactors(parameters, examplesOfStep, factors);
            return layerCurvatures(network.layers, factors);
          },
        },
        factor: () => {
          if (isDrawn) {
            const few = firstExamples(examplesOfStep, curvatureExamples);
            factors = network.perExampleFactors(parameters, few, factors);
            return monteCarloFactor(network.layers, network.parameterCount, factors, { seed, step });
          }
          room ??= factorRoom(network, curvatureExamples);
          return gaussNewtonFactor(
            network,
            parameters,
            firstExamples(examplesOfStep, curvatureExamples),
            room,
          );
        },
      };
    },
    test: (parameters, step) => {
      const test = network.evaluate(parameters, data.test);
      const sample = firstExamples(examples, Math.min(examples.count, TRAIN_LOSS_EXAMPLES_MAX));
      const trainLoss = network.evaluate(parameters, sample).loss;
      // The loss after the last update has not been checked yet, because no batch followed.
      for (const loss of [test.loss, trainLoss]) refuseDivergedLoss(step, loss, network.outputCount);
      return {
        testAccuracy: test.accuracy,
        testLoss: test.loss,
        trainLoss,
        trainLossExamples: sample.count,
      };
    },
    close: async () => thread?.close(),
  };
}
