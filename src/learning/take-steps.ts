import type { SolverCost } from '../board/cost.js';
import { ThermolinkError, throwIfAborted } from '../errors.js';
import type { Tensor } from '../files/safetensors.js';
import { type BegunEvaluation, beginEvaluation } from './begun-evaluation.js';
import type { Checkpoint } from './checkpoint.js';
import { divergedError, refuseRisenLoss } from './diverged.js';
import type { Optimizer, StepResult } from './optimizers/contract.js';
import type { Figures, Problem } from './problem/contract.js';
import {
  addToTotals,
  mapTiming,
  type StepFacts,
  type StepRecord,
  solverTiming,
  type TrainingFacts,
  type TrainingSummary,
  type TrainingTotals,
  ZERO_TOTALS,
} from './record.js';
import { type ExistingTraining, openTrainingDirectory, type TrainingDirectory } from './training-files.js';
import { layerTensors } from './weight-arrays.js';

/** A training with a checked request and all defaults filled in. */
export interface Training<Measures extends Figures, Test extends Figures> {
  readonly problem: Problem<Measures, Test>;
  readonly optimizer: Optimizer;
  readonly totalSteps: number;
  readonly seed: number;
  /** All settings that affect the results, as JSON data. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Number of steps between two tests of the parameters. Absent: one test at the end. */
  readonly testEvery?: number;
  readonly signal?: AbortSignal;
  readonly onStart?: (step: number, totalSteps: number) => void;
  readonly onStep?: (record: StepRecord<Measures, Test>, totalSteps: number) => void;
  readonly onMended?: (sentence: string) => void;
  readonly output?: {
    readonly directory: string;
    readonly existing?: ExistingTraining;
    readonly checkpointEvery: number;
    readonly tensorboard?: boolean;
  };
}

/**
 * Takes the remaining steps of a training, tests the parameters, and closes the problem. An abort or a
 * failure leaves a checkpoint of the last whole step.
 */
export async function takeAllSteps<Measures extends Figures, Test extends Figures>(
  training: Training<Measures, Test>,
): Promise<{ summary: TrainingSummary<Test>; parameters: Float64Array }> {
  const began = performance.now();
  const { output, settings } = training;
  const directory =
    output === undefined
      ? undefined
      : openTrainingDirectory(output.directory, output.existing ?? 'refuse', settings, output);
  try {
    if (directory?.mended !== undefined) training.onMended?.(directory.mended);
    const start = directory?.checkpoint ?? initialState(training);
    const end = await takeSteps(training, start, directory);
    refuseDivergedEnd(training.problem, end);
    const test = training.problem.test(end.parameters, end.step);
    const hostMs = performance.now() - began + millisecondsOf(start);
    const summary: TrainingSummary<Test> = { ...test, ...factsOf(training, end, hostMs) };
    await directory?.keepWeights(...storedWeights(training.problem, end.parameters));
    directory?.finish(summary);
    return { summary, parameters: end.parameters };
  } finally {
    directory?.close();
    await training.problem.close?.();
  }
}

/**
 * Throws DIVERGED if the last step made a parameter not finite, or raised the loss too far (if the problem
 * has a `trial`). The step after each earlier step checks it.
 */
function refuseDivergedEnd<M extends Figures, T extends Figures>(
  { trial }: Problem<M, T>,
  { step, parameters, firstLoss }: Checkpoint,
): void {
  if (!parameters.every(Number.isFinite)) throw divergedError(step, 'the parameters are not finite');
  if (trial !== undefined) refuseRisenLoss(step, trial.loss(parameters), firstLoss);
}

/** The arrays and texts of the files of weights. */
function storedWeights<M extends Figures, T extends Figures>(
  { name, settings, weights }: Problem<M, T>,
  parameters: Float64Array,
): [tensors: Tensor[], facts: Readonly<Record<string, string>>] {
  if (weights !== undefined) return [layerTensors(parameters, weights.layers), weights.facts];
  const facts = { format: 'thermolink', problem: JSON.stringify({ name, ...settings }) };
  return [[{ name: 'parameters', shape: [parameters.length], values: parameters }], facts];
}

function initialState<M extends Figures, T extends Figures>(training: Training<M, T>): Checkpoint {
  const { problem, optimizer, seed, settings } = training;
  const state = problem.initialState?.(seed);
  return {
    step: 0,
    settings,
    parameters: problem.init(seed),
    optimizer: optimizer.init(problem.parameterCount),
    ...(state === undefined ? {} : { problem: state }),
    totals: ZERO_TOTALS,
  };
}

async function takeSteps<M extends Figures, T extends Figures>(
  training: Training<M, T>,
  start: Checkpoint,
  directory: TrainingDirectory | undefined,
): Promise<Checkpoint> {
  const { totalSteps, output } = training;
  let state = start;
  let savedStep = directory?.checkpoint?.step ?? -1;
  const save = (): void => {
    if (directory === undefined || savedStep === state.step) return;
    directory.save(state);
    savedStep = state.step;
  };
  let taken: TakenStep<M, T> | undefined;
  /** Waits until the last step has no work in progress, and records the step. */
  const complete = async (): Promise<void> => {
    if (taken === undefined) return;
    const { completed } = taken;
    taken = undefined;
    const { record, next } = await completed(state.totals);
    directory?.append(record);
    state = next;
    if (output !== undefined && state.step % output.checkpointEvery === 0) save();
    training.onStep?.(record, totalSteps);
  };
  // A checkpoint before the first step: a training that is interrupted in that step can then be resumed.
  save();
  try {
    training.onStart?.(state.step, totalSteps);
    let at: StepStart = start;
    while (at.step < totalSteps) {
      throwIfAborted(training.signal);
      let hasTurned = false;
      setImmediate(() => {
        hasTurned = true;
      });
      const latest = await takeStep(training, at, taken?.rest);
      await complete().catch(async (error: unknown) => {
        await latest.rest?.catch(() => undefined);
        throw error;
      });
      taken = latest;
      at = latest.next;
      if (latest.rest === undefined) await complete();
      // An optimizer without a board never waits. A turn of the event loop lets signals and timers run. After
      // a step that waited, the gradient of the next step begins at once instead.
      if (!hasTurned) await new Promise(setImmediate);
    }
    await complete();
  } finally {
    // Waits until the board has no work in progress. A step that fails here does not count as taken.
    await complete().catch(() => undefined);
    save();
  }
  return state;
}

/**
 * The state at the start of a step: a checkpoint without totals. The last step may still have work in
 * progress.
 */
type StepStart = Omit<Checkpoint, 'totals'>;

/** A step with known new parameters. It may still have work in progress. */
interface TakenStep<M extends Figures, T extends Figures> {
  /** The state at the start of the next step. */
  readonly next: StepStart;
  /** The work in progress; undefined if no work is in progress. */
  readonly rest: StepResult['rest'];
  /** Waits for that work, and adds the step to the totals of the steps before. */
  readonly completed: (
    totals: TrainingTotals,
  ) => Promise<{ readonly record: StepRecord<M, T>; readonly next: Checkpoint }>;
}

async function takeStep<M extends Figures, T extends Figures>(
  training: Training<M, T>,
  state: StepStart,
  before: StepResult['rest'],
): Promise<TakenStep<M, T>> {
  const { problem, optimizer, totalSteps, seed, signal } = training;
  const { step, parameters } = state;
  const began = performance.now();
  const point = { parameters, state: state.problem ?? {}, step, totalSteps, seed };
  const begun = beginEvaluation(problem, point, state.firstLoss);
  const { curvatureMs, update } = await updateOf(async () => {
    let curvatureMs = 0;
    const timed = <Result>(work: () => Result): Result => {
      const started = performance.now();
      const result = work();
      curvatureMs += performance.now() - started;
      return result;
    };
    const usesFactor = optimizer.needsCurvature && (optimizer.usesCurvatureAt?.(step) ?? true);
    const factor = usesFactor ? timed(begun.factor) : undefined;
    const ofLayers = optimizer.needsLayerCurvatures ? layersOf(problem, begun) : undefined;
    const layers = ofLayers && { ...ofLayers, curvatures: () => timed(ofLayers.curvatures) };
    const { gradient } = begun;
    const { trial } = problem;
    const { lossAt } = begun;
    refuseWithoutTrial(problem, optimizer, lossAt !== undefined);
    const at = { parameters, before, step, totalSteps, seed, signal };
    const asked = { ...at, gradient, factor, layers, trial, lossAt };
    const update = await optimizer.update(state.optimizer, asked);
    return { curvatureMs, update };
  }, begun);
  const { loss, measures, state: problemState = state.problem } = await begun.result();
  const gradientMs = begun.takenMs;
  const solver = solverTiming(update.cost);
  const known = Object.values(solver).reduce((sum, ms) => sum + ms, gradientMs + curvatureMs);
  const otherMs = Math.max(0, performance.now() - began - known);
  const next: StepStart = {
    step: step + 1,
    settings: state.settings,
    parameters: update.parameters,
    optimizer: update.state,
    ...(problemState === undefined ? {} : { problem: problemState }),
    firstLoss: state.firstLoss ?? loss,
  };
  const completed: TakenStep<M, T>['completed'] = async (totals) => {
    const rest = (await update.rest) ?? update;
    const facts: StepFacts = {
      step,
      loss,
      ...measures,
      ...costFacts(rest.cost),
      timing: { gradientMs, curvatureMs, ...solverTiming(rest.cost), otherMs },
    };
    const { testEvery = Infinity } = training;
    const test = next.step % testEvery === 0 ? { test: problem.test(next.parameters, next.step) } : {};
    return {
      record: { ...facts, ...test } as StepRecord<M, T>,
      next: { ...next, optimizer: rest.state, totals: addToTotals(totals, facts) },
    };
  };
  return { next, rest: update.rest, completed };
}

/** The cost fields of a record, without its timing. */
function costFacts({
  uploadBytes,
  boardSeconds,
  ticks,
  overloadRetries,
  repeats,
  clampedCodes,
}: SolverCost): Omit<StepFacts, 'step' | 'loss' | 'timing'> {
  return { uploadBytes, boardSeconds, ticks, overloadRetries, repeats, clampedCodes };
}

/** Throws UNSUPPORTED if the optimizer evaluates trial steps and the problem has no loss for them. */
function refuseWithoutTrial<M extends Figures, T extends Figures>(
  { name, trial }: Problem<M, T>,
  optimizer: Optimizer,
  hasLoss: boolean,
): void {
  const { needsTrial } = optimizer;
  if (needsTrial === undefined || trial !== undefined || (needsTrial === 'step' && hasLoss)) return;
  throw new ThermolinkError(
    'UNSUPPORTED',
    `${optimizer.name} evaluates trial steps, but the problem ${name} has no loss for them.`,
    { hint: 'Choose another optimizer, such as adam; the problem may define `trial`.' },
  );
}

/** The curvature of the layers. Throws UNSUPPORTED for a problem without layers. */
function layersOf({ name }: { readonly name: string }, { layers }: Pick<BegunEvaluation<Figures>, 'layers'>) {
  if (layers !== undefined) return layers;
  throw new ThermolinkError('UNSUPPORTED', `The problem ${name} has no curvature by layers.`, {
    hint: 'Choose another optimizer: this one needs a network of layers.',
  });
}

/**
 * Returns the result of `work`. If `work` fails and the gradient fails too, the error of the gradient is
 * thrown. The error is then the same whether the gradient was computed before `work` began or during it.
 */
async function updateOf<Result, M extends Figures>(
  work: () => Promise<Result>,
  begun: BegunEvaluation<M>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await begun.result();
    throw error;
  }
}

function factsOf<M extends Figures, T extends Figures>(
  { problem, settings }: Training<M, T>,
  { step, totals }: Checkpoint,
  hostMs: number,
): TrainingFacts {
  return {
    iterations: step,
    parameterCount: problem.parameterCount,
    boardSeconds: totals.boardSeconds,
    ticks: totals.ticks,
    uploadBytes: totals.uploadBytes,
    uploadBytesPerStep: totals.uploadBytes / step,
    overloadRetries: totals.overloadRetries,
    repeats: totals.repeats,
    settings,
    timing: {
      hostSeconds: hostMs / 1000,
      breakdown: mapTiming((part) => totals.timing[part] / step),
    },
  };
}

/** Host time of the steps before a resume. */
function millisecondsOf({ totals }: Checkpoint): number {
  return Object.values(totals.timing).reduce((sum, ms) => sum + ms, 0);
}
