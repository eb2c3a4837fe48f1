import { checkObject } from '../argument-checks.js';
import { planBatches } from './batches.js';
import { classification } from './classification.js';
import { firstExamples } from './data/dataset.js';
import type { ClassificationMeasures, ClassificationTest, TrainingSummary } from './record.js';
import { takeAllSteps } from './take-steps.js';
import { resolveRequest, settingsOf, type TrainRequest } from './train-request.js';
import { checkTrainingDirectory } from './training-files.js';

export type { TrainRequest } from './train-request.js';

/** What a training yields. */
export interface TrainResult {
  readonly summary: TrainingSummary;
  /** The final parameters, length P. */
  readonly parameters: Float64Array;
}

/**
 * Trains a network. Each step takes a batch, computes its gradient and, where the optimizer needs it, the
 * curvature of its first examples, updates the parameters once and leaves one record. Results are a pure
 * function of the settings and the board: n steps, a kill and n resumed steps give the same bits as 2n steps,
 * except in `timing` and `repeats`.
 *
 * An abort or a failure leaves a checkpoint of the last whole step.
 * Errors: BAD_ARGUMENT for sizes that don't fit; DIVERGED when an update is not finite or a loss is beyond
 * 1000 · ln(classes), be it of a batch or in the end of all test or training examples; ABORTED; those of
 * `openTrainingDirectory`, and what the optimizer throws.
 */
export async function train(request: TrainRequest): Promise<TrainResult> {
  const resolved = resolveRequest(request);
  checkObject('optimizer', resolved.optimizer, "createOptimizer('adam')");
  const { optimizer, seed, checkpointEvery, output } = resolved;
  const problem = classification(
    resolved,
    optimizer.needsCurvature || optimizer.needsLayerCurvatures === true,
  );
  return takeAllSteps<ClassificationMeasures, ClassificationTest>({
    problem,
    optimizer,
    seed,
    totalSteps: problem.plan.totalSteps,
    settings: settingsOf(resolved),
    signal: resolved.signal,
    onStart: resolved.onStart,
    onStep: resolved.onStep,
    onMended: resolved.onMended,
    output: output === undefined ? undefined : { ...output, checkpointEvery },
  });
}

/**
 * Throws what `train` would throw for this request before its first step, as far as that does not depend on
 * the optimizer. So no board is opened for a request that is wrong. Changes nothing. Errors: BAD_ARGUMENT;
 * those of `checkTrainingDirectory`.
 */
export function checkTrainRequest(request: Omit<TrainRequest, 'optimizer'>): void {
  const { data, trainSize, batch, epochs, seed, output } = resolveRequest(request);
  planBatches(firstExamples(data.train, trainSize), batch, epochs, seed);
  if (output !== undefined) checkTrainingDirectory(output.directory, output.existing ?? 'refuse');
}
