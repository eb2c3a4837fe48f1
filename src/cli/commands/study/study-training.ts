import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import type { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';
import { readCheckpoint } from '../../../learning/checkpoint.js';
import { createOptimizer } from '../../../learning/optimizers/create.js';
import type { Figures } from '../../../learning/problem/contract.js';
import type { StepRecord, TrainingSummary } from '../../../learning/record.js';
import { problemSettings, trainProblem } from '../../../learning/train-problem.js';
import { TRAINING_FILES } from '../../../learning/training-files.js';
import { formatExact, formatNumber, formatSeconds } from '../../../number-text.js';
import { environmentOf, TICKS_MAX } from '../train/run-training.js';
import { readRecords } from '../train/training-figure.js';
import { SEARCH_SEED } from './setting-search.js';
import type { StudyMethod, StudyTask } from './studies.js';
import { searchPath, trainingPath } from './study-directory.js';
import type { PlannedTraining, StudyProgress } from './study-progress.js';

/** One training of a study. Either it ended, or it failed in a way that belongs to its method. */
export interface StudyTraining {
  readonly task: string;
  readonly method: string;
  readonly seed: number;
  /** Where it is stored, below the directory of the study. */
  readonly directory: string;
  readonly summary?: TrainingSummary<Figures>;
  readonly records: readonly StepRecord<Figures>[];
  readonly failure?: { readonly code: string; readonly message: string };
}

/** The parameters are tested so many times in a training. */
const TESTS = 20;
/** Errors that say something about the method; the study goes on after them. */
const OF_THE_METHOD: ReadonlySet<string> = new Set(['DIVERGED', 'SAMPLER_STUCK']);

/** A training that is to be done, with all that it needs. */
export interface Planned extends PlannedTraining {
  readonly task: StudyTask;
  readonly method: StudyMethod;
  readonly seed: number;
  readonly directory: string;
}

/** Seed by seed, so that the time left is known after the first seed. */
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

/** The training of a search that tries one value of the setting of a method. */
export function plannedSearch(task: StudyTask, method: StudyMethod, value: number): Planned {
  const setting = `${method.search!.setting} ${formatExact(value)}`;
  return {
    ...plannedOf(task, withValue(method, value), SEARCH_SEED),
    label: `${task.name}, ${method.label}, search, ${setting}`,
    directory: searchPath(task.name, method.label, `${method.search!.setting}-${value}`),
  };
}

/** A method whose searched setting has this value. */
export function withValue(method: StudyMethod, value: number): StudyMethod {
  return { ...method, options: { ...method.options, ...method.search!.optionsAt(value) } };
}

function plannedOf(task: StudyTask, method: StudyMethod, seed: number) {
  const { steps, stepCost, label } = method;
  return { task, method, seed, steps, stepCost, kind: `${task.name} ${label}` };
}

/** Whether a training has not begun, or has begun on a board with this identity. */
export function isFor(one: Planned, device: Device, out: string): boolean {
  const file = join(out, one.directory, TRAINING_FILES.checkpoint);
  if (!existsSync(file)) return true;
  try {
    return isDeepStrictEqual(readCheckpoint(file).settings, problemSettings(requestOf(one, device)));
  } catch {
    // The training tells what is wrong with it.
    return true;
  }
}

/** What came of a training, in a few words. */
export function outcomeText({ task }: Planned, { summary, failure }: StudyTraining): string {
  if (summary === undefined) return `failed, ${failure!.code}`;
  return `error ${formatNumber(summary[task.measure])}, ${formatSeconds(summary.timing.hostSeconds)}`;
}

/** Where a training is done, and what it is told. */
export interface TrainingUse {
  readonly device: Device;
  readonly signal: AbortSignal;
  /** The directory of the study. */
  readonly out: string;
  /** Whether another board had begun it and failed. */
  readonly isAbandoned: boolean;
}

/**
 * Does one training, or what is missing of it. Errors: those of `trainProblem` except DIVERGED and
 * SAMPLER_STUCK, which are a result.
 */
export async function trainOne(
  one: Planned,
  { device, signal, out, isAbandoned }: TrainingUse,
  progress: StudyProgress,
  index: number,
): Promise<StudyTraining> {
  const directory = join(out, one.directory);
  const { task, method, seed, steps } = one;
  const facts = { task: task.name, method: method.label, seed, directory: one.directory };
  // A training that was killed before its first checkpoint leaves nothing to go on with.
  const hasBegun = existsSync(join(directory, TRAINING_FILES.checkpoint));
  // What a board has begun that failed goes on where its settings are those of this one.
  const isBegun = hasBegun && (!isAbandoned || isFor(one, device, out));
  try {
    const { summary } = await trainProblem<Figures, Figures>({
      ...requestOf(one, device),
      testEvery: Math.max(1, Math.floor(steps / TESTS)),
      signal,
      output: { directory, existing: isBegun ? 'resume' : 'overwrite' },
      onMended: (sentence) => progress.print(sentence),
      onStart: (step) => progress.begin(index, step),
      onStep: ({ step }) => progress.step(index, step + 1),
    });
    return { ...facts, summary, records: readRecords<StepRecord<Figures>>(directory) };
  } catch (error) {
    if (!(error instanceof ThermolinkError) || !OF_THE_METHOD.has(error.code)) throw error;
    const { code, message } = error;
    return { ...facts, records: [], failure: { code, message } };
  }
}

/** What is trained and how; the settings of the files follow from it. */
function requestOf({ task, method, steps, seed }: Planned, device: Device) {
  const { name, options, usesBoard, digitalSolver } = method;
  const solver = usesBoard ? createAnalogSolver(device, { ticksMax: TICKS_MAX }) : digitalSolver;
  const optimizer = createOptimizer(name, options, solver);
  const environment = usesBoard ? { environment: environmentOf([device.identity]) } : {};
  return { problem: task.problem, optimizer, steps, seed, ...environment };
}

/** What is stored of a training that ended; undefined where it did not, or had other settings. */
export function finishedTraining(one: Planned, device: Device, out: string): StudyTraining | undefined {
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
  if (!isDeepStrictEqual(summary.settings, problemSettings(requestOf(one, device)))) return undefined;
  const { task, method, seed } = one;
  const records = readRecords<StepRecord<Figures>>(directory);
  return { task: task.name, method: method.label, seed, directory: one.directory, summary, records };
}
