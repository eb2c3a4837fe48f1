import {
  badArgument,
  checkObject,
  checkOptionalFunction,
  checkSeed,
  checkSignal,
  checkWhole,
} from '../argument-checks.js';
import type { Optimizer } from './optimizers/contract.js';
import type { Figures, NoFigures, Problem } from './problem/contract.js';
import type { StepRecord, TrainingSummary } from './record.js';
import { takeAllSteps } from './take-steps.js';
import { checkOutput, type TrainingOutput } from './train-request.js';

/** A request to train a problem: problem, optimizer, number of steps, seed, and directory for the files. */
export interface TrainProblemRequest<Measures extends Figures = NoFigures, Test extends Figures = NoFigures> {
  readonly problem: Problem<Measures, Test>;
  readonly optimizer: Optimizer;
  /** Total number of steps, ≥ 1. */
  readonly steps: number;
  /** Seed of initial parameters and of all random numbers; u32. */
  readonly seed: number;
  /** Number of steps between two tests of the parameters. Default: one test at the end. */
  readonly testEvery?: number;
  /** Further settings that affect the results, such as the profile of the board; JSON data. */
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
  /** Called once, before the first step. `step` > 0 if a training is resumed. */
  readonly onStart?: (step: number, totalSteps: number) => void;
  readonly onStep?: (record: StepRecord<Measures, Test>, totalSteps: number) => void;
  /** Called with a sentence that tells which lines in the files of a resumed training were mended. */
  readonly onMended?: (sentence: string) => void;
  readonly output?: TrainingOutput;
}

/** The result of training a problem. */
export interface TrainProblemResult<Test extends Figures = NoFigures> {
  readonly summary: TrainingSummary<Test>;
  /** The final parameters, length P. */
  readonly parameters: Float64Array;
}

/**
 * Trains any `Problem`. Each step evaluates the problem at the parameters, updates the parameters once and
 * writes one record. Results are a pure function of the settings and the board: n steps, a kill and n resumed
 * steps give the same bits as 2n steps, except in `timing` and `repeats`.
 *
 * An abort or a failure leaves a checkpoint of the last whole step. Errors: BAD_ARGUMENT; DIVERGED when a
 * loss, a gradient or an update is not finite, or when the loss of a step lies more than
 * 10⁶ · max(1, |first loss|) above the loss of the first step; ABORTED; those of the problem, of the
 * optimizer and of `openTrainingDirectory`.
 */
export async function trainProblem<Measures extends Figures, Test extends Figures>(
  request: TrainProblemRequest<Measures, Test>,
): Promise<TrainProblemResult<Test>> {
  checkObject('The request', request, '{ problem, optimizer, steps: 100, seed: 1 }');
  const { problem, optimizer, steps, seed, testEvery } = request;
  checkObject('problem', problem, 'isingChain({ sites: 12 })');
  checkObject('optimizer', optimizer, "createOptimizer('adam')");
  checkWhole('steps', steps, 1, STEPS_MAX);
  checkSeed('seed', seed);
  if (testEvery !== undefined) checkWhole('testEvery', testEvery, 1);
  checkSignal(request.signal);
  for (const name of ['onStart', 'onStep', 'onMended'] as const) checkOptionalFunction(name, request[name]);
  checkProblem(problem);
  const output = checkOutput(request.output);
  return takeAllSteps<Measures, Test>({
    ...request,
    totalSteps: steps,
    settings: problemSettings(request),
    output,
  });
}

/**
 * All settings that affect the results of a training, as JSON data. Its checkpoint and its summary store them
 * in `settings`.
 */
export function problemSettings<Measures extends Figures, Test extends Figures>({
  problem,
  optimizer,
  steps,
  seed,
  environment,
}: Pick<
  TrainProblemRequest<Measures, Test>,
  'problem' | 'optimizer' | 'steps' | 'seed' | 'environment'
>): Readonly<Record<string, unknown>> {
  const settings = {
    problem: problem.settings,
    optimizer: optimizer.settings,
    steps,
    seed,
    ...(environment === undefined ? {} : { environment }),
  };
  return JSON.parse(JSON.stringify(settings));
}

/**
 * Largest number of steps of a training. The step number is a u32, because it selects the noise of the board
 * in that step.
 */
const STEPS_MAX = 2 ** 32;

function checkProblem(problem: Problem): void {
  checkWhole('problem.parameterCount', problem.parameterCount, 1);
  checkWhole('problem.curvatureRows', problem.curvatureRows, 1);
  checkObject('problem.settings', problem.settings, "{ name: 'mine' }");
  for (const method of ['init', 'evaluate', 'test'] as const)
    if (typeof problem[method] !== 'function')
      throw badArgument(`problem.${method}`, problem[method], 'a function');
}
