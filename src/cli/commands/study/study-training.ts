import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import type { TruncatedSolver } from '../../../algorithms/contract.js';
import { createNoSolver } from '../../../algorithms/truncated.js';
import type { Device } from '../../../driver/device.js';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { ThermolinkError } from '../../../errors.js';
import { readCheckpoint } from '../../../learning/checkpoint.js';
import { createOptimizer } from '../../../learning/optimizers/create.js';
import type { Figures } from '../../../learning/problem/contract.js';
import type { StepRecord, TrainingSummary } from '../../../learning/record.js';
import { problemSettings, type TrainProblemRequest, trainProblem } from '../../../learning/train-problem.js';
import { TRAINING_FILES } from '../../../learning/training-files.js';
import { formatExact, formatNumber, formatSeconds } from '../../../number-text.js';
import { environmentOf, TICKS_MAX } from '../train/run-training.js';
import { readRecords } from '../train/training-figure.js';
import type { StudyMethod, StudyTask } from './studies.js';
import { searchPath, trainingPath } from './study-directory.js';
import type { PlannedTraining } from './study-progress.js';

/** One training of a study. It has a `summary`, or a `failure` that is the fault of its method. */
export interface StudyTraining {
  readonly task: string;
  readonly method: string;
  readonly seed: number;
  /** Path of the training below the directory of the study. */
  readonly directory: string;
  readonly summary?: TrainingSummary<Figures>;
  readonly records: readonly StepRecord<Figures>[];
  readonly failure?: { readonly code: string; readonly message: string };
}

/** Number of times that the parameters are tested in a training. */
const TESTS = 20;
/** Errors that are the fault of the method. The study goes on after them. */
const OF_THE_METHOD: ReadonlySet<string> = new Set(['DIVERGED', 'SAMPLER_STUCK']);

/** A training that is to be done, with all that it needs. */
export interface Planned extends PlannedTraining {
  readonly task: StudyTask;
  readonly method: StudyMethod;
  readonly seed: number;
  readonly directory: string;
}

/** All trainings of a study, seed by seed, so that the time left is known after the first seed. */
export function plannedTrainings(tasks: readonly StudyTask[], seeds: number): Planned[] {
  return Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed) =>
    tasks.flatMap((task) =>
      task.methods.map((method) => ({
        ...plannedOf(task, method, seed),
        label: `${task.name}, ${method.label}, seed ${seed}`,
        directory: trainingPath(task.name, method.label, seed),
      })),
    ),
  );
}

/** The training of a search that tries one value of the setting of a method with one seed. */
export function plannedSearch(task: StudyTask, method: StudyMethod, value: number, seed: number): Planned {
  const setting = `${method.search!.setting} ${formatExact(value)}`;
  return {
    ...plannedOf(task, withValue(method, value), seed),
    label: `${task.name}, ${method.label}, search, ${setting}, seed ${seed}`,
    directory: searchPath(task.name, method.label, `${method.search!.setting}-${value}`, seed),
  };
}

/** A method whose searched setting has this value. */
export function withValue(method: StudyMethod, value: number): StudyMethod {
  return { ...method, found: value, options: { ...method.options, ...method.search!.optionsAt(value) } };
}

/** A training without a place among the files of a study. */
export function plannedOf(task: StudyTask, method: StudyMethod, seed: number) {
  const { steps, stepCost, label } = method;
  return { task, method, seed, steps, stepCost, kind: `${task.name} ${label}` };
}

/** The properties of a board that are part of the settings of a training. */
type BoardFacts = Parameters<typeof environmentOf>[0][number];

/** The settings of an optimizer contain the name of its solver. It is the same for all boards. */
const NAMED_LIKE_A_BOARD: TruncatedSolver = { ...createNoSolver(), name: 'analog' };

/** The request for a training with this solver in place of the board. */
function requestOf({ task, method, steps, seed }: Planned, board: TruncatedSolver, identity: BoardFacts) {
  const { name, options, usesBoard, digitalSolver } = method;
  const optimizer = createOptimizer(name, options, usesBoard ? board : digitalSolver);
  const environment = usesBoard ? { environment: environmentOf([identity]) } : {};
  return { problem: task.problem, optimizer, steps, seed, ...environment };
}

/** Everything that the results of a training on such a board depend on. */
export function settingsOf(one: Planned, identity: BoardFacts): Readonly<Record<string, unknown>> {
  return problemSettings(requestOf(one, NAMED_LIKE_A_BOARD, identity));
}

/** The name of a training in the results. */
export function factsOf({ task, method, seed, directory }: Planned) {
  return { task: task.name, method: method.label, seed, directory };
}

/** Whether a training has not begun, or has begun on a board with this identity. */
export function isFor(one: Planned, identity: DeviceIdentity, out: string): boolean {
  const file = join(out, one.directory, TRAINING_FILES.checkpoint);
  if (!existsSync(file)) return true;
  try {
    return isDeepStrictEqual(readCheckpoint(file).settings, settingsOf(one, identity));
  } catch {
    // The training then reports the fault of the checkpoint.
    return true;
  }
}

/** The result of a training, in a few words. */
export function outcomeText({ task }: Planned, { summary, failure }: StudyTraining): string {
  if (summary === undefined) return `failed, ${failure!.code}`;
  return `error ${formatNumber(summary[task.measure])}, ${formatSeconds(summary.timing.hostSeconds)}`;
}

/** Callbacks of a training in progress. */
export type TrainingWatch = Pick<
  TrainProblemRequest<Figures, Figures>,
  'signal' | 'onStart' | 'onStep' | 'onMended'
>;

/**
 * Does a training on a board, with its files in `directory`. `existing` says whether the training continues
 * from its checkpoint. Errors: those of `trainProblem` except DIVERGED and SAMPLER_STUCK, which are a result.
 */
export async function trainOn(
  one: Planned,
  device: Device,
  output: { readonly directory: string; readonly existing: 'resume' | 'overwrite' },
  watch: TrainingWatch,
): Promise<StudyTraining> {
  const facts = factsOf(one);
  const solver = createAnalogSolver(device, { ticksMax: TICKS_MAX });
  try {
    const { summary } = await trainProblem<Figures, Figures>({
      ...requestOf(one, solver, device.identity),
      testEvery: Math.max(1, Math.floor(one.steps / TESTS)),
      output,
      ...watch,
    });
    return { ...facts, summary, records: readRecords<StepRecord<Figures>>(output.directory) };
  } catch (error) {
    if (!(error instanceof ThermolinkError) || !OF_THE_METHOD.has(error.code)) throw error;
    const { code, message } = error;
    return { ...facts, records: [], failure: { code, message } };
  }
}

/** The stored results of a training that ended; undefined if it did not end, or had other settings. */
export function finishedTraining(
  one: Planned,
  identity: DeviceIdentity,
  out: string,
): StudyTraining | undefined {
  const directory = join(out, one.directory);
  const file = join(directory, TRAINING_FILES.summary);
  if (!existsSync(file)) return undefined;
  let summary: TrainingSummary<Figures>;
  try {
    summary = JSON.parse(readFileSync(file, 'utf8')) as TrainingSummary<Figures>;
  } catch {
    // The checkpoint is complete, and the training writes its summary again.
    return undefined;
  }
  if (!isDeepStrictEqual(summary.settings, settingsOf(one, identity))) return undefined;
  return { ...factsOf(one), summary, records: readRecords<StepRecord<Figures>>(directory) };
}
