import { checkObject } from '../argument-checks.js';
import { planBatches } from './batches.js';
import { classification } from './classification.js';
import { firstExamples } from './data/dataset.js';
import type { ClassificationMeasures, ClassificationTest, TrainingSummary } from './record.js';
import { takeAllSteps } from './take-steps.js';
import { resolveRequest, settingsOf, type TrainRequest } from './train-request.js';
import { checkTrainingDirectory } from './training-files.js';

export type { TrainRequest } from './train-request.js';

/** The result of a training. */
export interface TrainResult {
  readonly summary: TrainingSummary;
  /** The final parameters, length P. */
  readonly parameters: Float64Array;
}

/**
 * Trains a network. Each step takes a batch and computes its gradient. If the optimizer needs the curvature,
 * the step computes it from the first examples of the batch. The step then updates the parameters once and
 * writes one record. Results are a pure function of the settings and the board: n steps, a kill and n resumed
 * steps give the same bits as 2n steps, except in `timing` and `repeats`.
 *
 * An abort or a failure leaves a checkpoint of the last whole step. Errors: BAD_ARGUMENT for sizes that don't
 * fit; DIVERGED when an update is not finite, or when the loss of a batch or the final loss of the test or
 * training examples exceeds 1000 · ln(classes); ABORTED; those of the optimizer and of
 * `openTrainingDirectory`.
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
 * Checks a request before a board is opened. Throws the errors that `train` would throw before its first
 * step, except errors that depend on the optimizer. Changes nothing. Errors: BAD_ARGUMENT; those of
 * `checkTrainingDirectory`.
 */
export function checkTrainRequest(request: Omit<TrainRequest, 'optimizer'>): void {
  const { data, trainSize, batch, epochs, seed, output } = resolveRequest(request);
  planBatches(firstExamples(data.train, trainSize), batch, epochs, seed);
  if (output !== undefined) checkTrainingDirectory(output.directory, output.existing ?? 'refuse');
}
