import { checkObject } from '../argument-checks.js';
import { throwIfAborted } from '../errors.js';
import type { Matrix } from '../linalg/matrix.js';
import { type BatchGradient, beginGradient } from './batch-gradient.js';
import { type BatchPlan, planBatches } from './batches.js';
import type { Checkpoint } from './checkpoint.js';
import { type FactorRoom, factorRoom, gaussNewtonFactor } from './curvature/gauss-newton.js';
import { firstExamples } from './data/dataset.js';
import { refuseDivergedLoss } from './diverged.js';
import { GradientThread } from './gradient-thread.js';
import type { Examples } from './network/contract.js';
import {
  addToTotals,
  mapTiming,
  type StepRecord,
  solverTiming,
  type TrainingSummary,
  ZERO_TOTALS,
} from './record.js';
import { type ResolvedRequest, resolveRequest, settingsOf, type TrainRequest } from './train-request.js';
import { checkTrainingDirectory, openTrainingDirectory, type TrainingDirectory } from './training-files.js';

export type { TrainRequest } from './train-request.js';

/** What a training yields. */
export interface TrainResult {
  readonly summary: TrainingSummary;
  /** The final parameters, length P. */
  readonly parameters: Float64Array;
}

const TRAIN_LOSS_EXAMPLES_MAX = 10_000;

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
  const began = performance.now();
  const resolved = resolveRequest(request);
  checkObject('optimizer', resolved.optimizer, "createOptimizer('adam')");
  const settings = settingsOf(resolved);
  const examples = firstExamples(resolved.data.train, resolved.trainSize);
  const plan = planBatches(examples, resolved.batch, resolved.epochs, resolved.seed);
  const directory =
    resolved.output === undefined
      ? undefined
      : openTrainingDirectory(resolved.output.directory, resolved.output.existing ?? 'refuse', settings);
  try {
    if (directory?.mended !== undefined) resolved.onMended?.(directory.mended);
    const start = directory?.checkpoint ?? initialState(resolved, settings);
    const end = await takeSteps(resolved, plan, start, directory);
    const summary = summarize(resolved, examples, end, began, millisecondsOf(start));
    directory?.finish(summary);
    return { summary, parameters: end.parameters };
  } finally {
    directory?.close();
  }
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

function initialState(
  { network, optimizer, seed }: ResolvedRequest,
  settings: Checkpoint['settings'],
): Checkpoint {
  return {
    step: 0,
    settings,
    parameters: network.init(seed),
    optimizer: optimizer.init(network.parameterCount),
    totals: ZERO_TOTALS,
  };
}

async function takeSteps(
  request: ResolvedRequest,
  plan: BatchPlan,
  start: Checkpoint,
  directory: TrainingDirectory | undefined,
): Promise<Checkpoint> {
  let state = start;
  const { network, optimizer, curvatureExamples } = request;
  const room = optimizer.needsCurvature ? factorRoom(network, curvatureExamples) : undefined;
  const thread = usesThread(request, plan.totalSteps - start.step)
    ? GradientThread.start(network)
    : undefined;
  let savedStep = directory?.checkpoint?.step ?? -1;
  const save = (): void => {
    if (directory === undefined || savedStep === state.step) return;
    directory.save(state);
    savedStep = state.step;
  };
  // A training that is ended in its first step can be resumed too.
  save();
  try {
    request.onStart?.(state.step, plan.totalSteps);
    while (state.step < plan.totalSteps) {
      throwIfAborted(request.signal);
      const { record, next } = await takeStep(request, plan, state, { room, thread });
      directory?.append(record);
      state = next;
      if (state.step % request.checkpointEvery === 0) save();
      request.onStep?.(record, plan.totalSteps);
      // Optimizers without a board wait for nothing, and signals and timers need a turn.
      await new Promise(setImmediate);
    }
  } finally {
    await thread?.close();
    save();
  }
  return state;
}

/** A thread takes as long to start as some ten steps. */
const THREAD_STEPS_MIN = 30;

/** Only the curvature leaves this thread something to do while another one computes the gradient. */
function usesThread({ optimizer }: ResolvedRequest, stepsLeft: number): boolean {
  return optimizer.needsCurvature && stepsLeft >= THREAD_STEPS_MIN;
}

/** What the steps of a training share; both are missing for an optimizer without curvature. */
interface StepMeans {
  readonly room: FactorRoom | undefined;
  readonly thread: GradientThread | undefined;
}

async function takeStep(
  request: ResolvedRequest,
  plan: BatchPlan,
  state: Checkpoint,
  { room, thread }: StepMeans,
): Promise<{ record: StepRecord; next: Checkpoint }> {
  const { network, optimizer, seed, signal } = request;
  const { step, parameters } = state;
  const began = performance.now();
  const batch = plan.batchOf(step);
  const begun = beginGradient(network, thread, step, parameters, batch);
  const { curvatureMs, update } = await updateOf(async () => {
    const { factor, curvatureMs } = curvatureOf(request, parameters, batch, room);
    const { gradient } = begun;
    const { totalSteps } = plan;
    const asked = { parameters, gradient, factor, step, totalSteps, seed, signal };
    return { curvatureMs, update: await optimizer.update(state.optimizer, asked) };
  }, begun);
  const { loss, correct } = await begun.result();
  const gradientMs = begun.takenMs;
  const solver = solverTiming(update.cost);
  const known = Object.values(solver).reduce((sum, ms) => sum + ms, gradientMs + curvatureMs);
  const record: StepRecord = {
    step,
    epoch: Math.floor(step / plan.stepsPerEpoch),
    loss,
    accuracy: correct / batch.count,
    uploadBytes: update.cost.uploadBytes,
    boardSeconds: update.cost.boardSeconds,
    ticks: update.cost.ticks,
    overloadRetries: update.cost.overloadRetries,
    repeats: update.cost.repeats,
    clampedCodes: update.cost.clampedCodes,
    timing: { gradientMs, curvatureMs, ...solver, otherMs: Math.max(0, performance.now() - began - known) },
  };
  const next: Checkpoint = {
    step: step + 1,
    settings: state.settings,
    parameters: update.parameters,
    optimizer: update.state,
    totals: addToTotals(state.totals, record),
  };
  return { record, next };
}

/**
 * What `work` gives. When it fails, an error of the gradient comes first, as it does where the gradient was
 * computed before.
 */
async function updateOf<Result>(work: () => Promise<Result>, begun: BatchGradient): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await begun.result();
    throw error;
  }
}

/**
 * K of the batch's first examples and the time it took; no factor and 0 for an optimizer without curvature.
 */
function curvatureOf(
  { network, curvatureExamples }: ResolvedRequest,
  parameters: Float64Array,
  batch: Examples,
  room: FactorRoom | undefined,
): { factor: Matrix | undefined; curvatureMs: number } {
  if (room === undefined) return { factor: undefined, curvatureMs: 0 };
  const began = performance.now();
  const factor = gaussNewtonFactor(network, parameters, firstExamples(batch, curvatureExamples), room);
  return { factor, curvatureMs: performance.now() - began };
}

function summarize(
  { network, data }: ResolvedRequest,
  examples: Examples,
  { step, parameters, totals, settings }: Checkpoint,
  began: number,
  earlierMs: number,
): TrainingSummary {
  const test = network.evaluate(parameters, data.test);
  const sample = firstExamples(examples, Math.min(examples.count, TRAIN_LOSS_EXAMPLES_MAX));
  const trainLoss = network.evaluate(parameters, sample).loss;
  // No batch came after the last update, so its loss was not checked yet.
  for (const loss of [test.loss, trainLoss]) refuseDivergedLoss(step, loss, network.outputCount);
  return {
    testAccuracy: test.accuracy,
    testLoss: test.loss,
    trainLoss,
    trainLossExamples: sample.count,
    iterations: step,
    parameterCount: network.parameterCount,
    boardSeconds: totals.boardSeconds,
    ticks: totals.ticks,
    uploadBytes: totals.uploadBytes,
    uploadBytesPerStep: totals.uploadBytes / step,
    overloadRetries: totals.overloadRetries,
    repeats: totals.repeats,
    settings,
    timing: {
      hostSeconds: (performance.now() - began + earlierMs) / 1000,
      breakdown: mapTiming((part) => totals.timing[part] / step),
    },
  };
}

/** Host time of the steps before a resume. */
function millisecondsOf({ totals }: Checkpoint): number {
  return Object.values(totals.timing).reduce((sum, ms) => sum + ms, 0);
}
