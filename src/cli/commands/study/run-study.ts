import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import type { Device } from '../../../driver/device.js';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { ThermolinkError } from '../../../errors.js';
import { createOptimizer } from '../../../learning/optimizers/create.js';
import type { Figures } from '../../../learning/problem/contract.js';
import type { StepRecord, TrainingSummary } from '../../../learning/record.js';
import { problemSettings, trainProblem } from '../../../learning/train-problem.js';
import { TRAINING_FILES } from '../../../learning/training-files.js';
import { formatNumber, formatSeconds } from '../../../number-text.js';
import { type DeviceOptions, withDevice } from '../../device.js';
import { refuseTooLargeShape } from '../train/board-size.js';
import { environmentOf, TICKS_MAX } from '../train/run-training.js';
import { readRecords } from '../train/training-figure.js';
import type { Study, StudyMethod, StudyTask } from './studies.js';
import { trainingPath } from './study-directory.js';
import { type PlannedTraining, type SpentTime, StudyProgress } from './study-progress.js';

export interface StudyRequest extends DeviceOptions {
  readonly study: Study;
  readonly quick: boolean;
  /** The seeds are 1 to this number: settings were chosen on seed 0. */
  readonly seeds: number;
  readonly out: string;
  readonly uri: string;
  readonly quiet: boolean;
}

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

export interface StudyRun {
  readonly tasks: readonly StudyTask[];
  readonly board: DeviceIdentity;
  readonly trainings: readonly StudyTraining[];
}

/** The parameters are tested so many times in a training. */
const TESTS = 20;
/** Errors that say something about the method; the study goes on after them. */
const OF_THE_METHOD: ReadonlySet<string> = new Set(['DIVERGED', 'SAMPLER_STUCK']);

/** A training that is to be done, with all that it needs. */
interface Planned extends PlannedTraining {
  readonly task: StudyTask;
  readonly method: StudyMethod;
  readonly seed: number;
  readonly directory: string;
}

/**
 * Trains every method of the study with every seed on one board. A training that ended before is taken as it
 * is; one that did not goes on from its checkpoint.
 *
 * Errors: those of `connect` and `trainProblem` except DIVERGED and SAMPLER_STUCK, which are a result;
 * TOO_LARGE before anything is trained.
 */
export async function runStudy(request: StudyRequest, signal: AbortSignal): Promise<StudyRun> {
  const tasks = request.study.tasksOf(request.quick);
  return withDevice(request.uri, request, signal, async (device) => {
    for (const { problem } of tasks) refuseTooLargeShape(problem, device.identity);
    const planned = plannedTrainings(tasks, request.seeds);
    const found = new Map<Planned, StudyTraining>();
    for (const one of planned) {
      const finished = finishedTraining(one, device, request.out);
      if (finished !== undefined) found.set(one, finished);
    }
    await trainMissing(
      planned.filter((one) => !found.has(one)),
      (one, done) => found.set(one, done),
      { request, device, signal, spent: spentBefore(found) },
    );
    return { tasks, board: device.identity, trainings: planned.map((one) => found.get(one)!) };
  });
}

/** What the steps of finished trainings took, so that the time left is known at once after a resume. */
function spentBefore(found: ReadonlyMap<Planned, StudyTraining>): Map<string, SpentTime> {
  const spent = new Map<string, SpentTime>();
  for (const [{ kind, stepCost }, { summary }] of found) {
    if (summary === undefined) continue;
    const before = spent.get(kind) ?? { ms: 0, steps: 0, cost: stepCost };
    const ms = before.ms + 1000 * summary.timing.hostSeconds;
    spent.set(kind, { ...before, ms, steps: before.steps + summary.iterations });
  }
  return spent;
}

/** Seed by seed, so that the time left is known after the first seed. */
function plannedTrainings(tasks: readonly StudyTask[], seeds: number): Planned[] {
  return Array.from({ length: seeds }, (_, i) => i + 1).flatMap((seed) =>
    tasks.flatMap((task) =>
      task.methods.map((method) => ({
        ...{ task, method, seed, steps: method.steps, stepCost: method.stepCost },
        kind: `${task.name} ${method.label}`,
        label: `${task.name}, ${method.label}, seed ${seed}`,
        directory: trainingPath(task.name, method.label, seed),
      })),
    ),
  );
}

async function trainMissing(
  missing: readonly Planned[],
  onDone: (one: Planned, done: StudyTraining) => void,
  facts: {
    readonly request: StudyRequest;
    readonly device: Device;
    readonly signal: AbortSignal;
    readonly spent: ReadonlyMap<string, SpentTime>;
  },
): Promise<void> {
  const { request, device, signal, spent } = facts;
  const progress = new StudyProgress(missing, { silent: request.quiet, spent });
  try {
    for (const [index, one] of missing.entries()) {
      const done = await trainOne(one, { device, signal, out: request.out }, progress, index);
      progress.print(`${one.label}: ${outcomeText(one, done)}`);
      onDone(one, done);
    }
    progress.complete();
  } finally {
    progress.finish();
  }
}

function outcomeText({ task }: Planned, { summary, failure }: StudyTraining): string {
  if (summary === undefined) return `failed, ${failure!.code}`;
  return `error ${formatNumber(summary[task.measure])}, ${formatSeconds(summary.timing.hostSeconds)}`;
}

async function trainOne(
  one: Planned,
  { device, signal, out }: { device: Device; signal: AbortSignal; out: string },
  progress: StudyProgress,
  index: number,
): Promise<StudyTraining> {
  const directory = join(out, one.directory);
  const { task, method, seed, steps } = one;
  const facts = { task: task.name, method: method.label, seed, directory: one.directory };
  // A training that was killed before its first checkpoint leaves nothing to go on with.
  const isBegun = existsSync(join(directory, TRAINING_FILES.checkpoint));
  try {
    const { summary } = await trainProblem<Figures, Figures>({
      ...requestOf(one, device),
      testEvery: Math.max(1, Math.floor(steps / TESTS)),
      signal,
      output: { directory, existing: isBegun ? 'resume' : 'overwrite' },
      onMended: (sentence) => progress.print(sentence),
      onStart: (step) => progress.begin(index, step),
      onStep: ({ step }) => progress.step(step + 1),
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
  const environment = usesBoard ? { environment: environmentOf(device.identity) } : {};
  return { problem: task.problem, optimizer, steps, seed, ...environment };
}

/** What is stored of a training that ended; undefined where it did not, or had other settings. */
function finishedTraining(one: Planned, device: Device, out: string): StudyTraining | undefined {
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
