import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import type { Device } from '../../../driver/device.js';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { ThermolinkError } from '../../../errors.js';
import { readCheckpoint } from '../../../learning/checkpoint.js';
import { createOptimizer } from '../../../learning/optimizers/create.js';
import type { Figures } from '../../../learning/problem/contract.js';
import type { StepRecord, TrainingSummary } from '../../../learning/record.js';
import { problemSettings, trainProblem } from '../../../learning/train-problem.js';
import { TRAINING_FILES } from '../../../learning/training-files.js';
import { formatNumber, formatSeconds } from '../../../number-text.js';
import { type DeviceOptions, withDevices } from '../../device.js';
import { refuseTooLargeShape } from '../train/board-size.js';
import { ENDED_FROM_OUTSIDE, environmentOf, TICKS_MAX } from '../train/run-training.js';
import { readRecords } from '../train/training-figure.js';
import { shareOut } from './share-out.js';
import type { Study, StudyMethod, StudyTask } from './studies.js';
import { trainingPath } from './study-directory.js';
import { type PlannedTraining, type SpentTime, StudyProgress } from './study-progress.js';

export interface StudyRequest extends DeviceOptions {
  readonly study: Study;
  readonly quick: boolean;
  /** The seeds are 1 to this number: settings were chosen on seed 0. */
  readonly seeds: number;
  readonly out: string;
  /** One board or more, among which the trainings are shared out. */
  readonly uris: readonly string[];
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
  /** The board, or the first of several. */
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
 * Trains every method of the study with every seed, on one board or several: each has one training at a time.
 * A training that ended before is taken as it is; one that did not goes on from its checkpoint. The results
 * are those of one board, if the boards are alike to the bit. A board that fails leaves its training to the
 * others; the last one ends the study.
 *
 * Errors: those of `connect` and `trainProblem` except DIVERGED and SAMPLER_STUCK, which are a result;
 * BAD_ARGUMENT for boards of different models; TOO_LARGE before anything is trained.
 */
export async function runStudy(request: StudyRequest, signal: AbortSignal): Promise<StudyRun> {
  const { uris, seeds, out, quick, study } = request;
  const options = { ...request, ownThread: uris.length > 1 };
  return withDevices(uris, options, signal, async (devices) => {
    refuseUnlike(devices);
    // The next step of a problem writes over what this one has made, so each board has problems of its own.
    const boards = devices.map((device, at): StudyBoard => {
      const tasks = study.tasksOf(quick);
      for (const { problem } of tasks) refuseTooLargeShape(problem, device.identity);
      return { device, uri: uris[at], tasks, planned: plannedTrainings(tasks, seeds) };
    });
    const [{ planned, tasks, device }] = boards;
    const found = new Map<number, StudyTraining>();
    for (const index of planned.keys()) {
      const finished = firstOf(boards, (board) => finishedTraining(board.planned[index], board.device, out));
      if (finished !== undefined) found.set(index, finished);
    }
    await trainMissing(boards, found, request, signal);
    return { tasks, board: device.identity, trainings: planned.map((_, index) => found.get(index)!) };
  });
}

/** A board of a study, and all trainings as it would do them. */
interface StudyBoard {
  readonly device: Device;
  readonly uri: string;
  readonly tasks: readonly StudyTask[];
  readonly planned: readonly Planned[];
}

function firstOf<Item, Result>(
  items: readonly Item[],
  find: (item: Item) => Result | undefined,
): Result | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Boards of other models would not train the same. Errors: BAD_ARGUMENT. */
function refuseUnlike(devices: readonly Device[]): void {
  const [first] = devices.map(({ identity }) => identity.model);
  const other = devices.find(({ identity }) => identity.model !== first);
  if (other === undefined) return;
  throw new ThermolinkError('BAD_ARGUMENT', `The boards are ${first} and ${other.identity.model}.`, {
    hint: 'Trainings are shared out over boards of one model only: name such boards by `device`.',
  });
}

/** What the steps of finished trainings took, so that the time left is known at once after a resume. */
function spentBefore(
  planned: readonly Planned[],
  found: ReadonlyMap<number, StudyTraining>,
): Map<string, SpentTime> {
  const spent = new Map<string, SpentTime>();
  for (const [index, { summary }] of found) {
    const { kind, stepCost } = planned[index];
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
  boards: readonly StudyBoard[],
  found: Map<number, StudyTraining>,
  { out, quiet }: StudyRequest,
  signal: AbortSignal,
): Promise<void> {
  const [{ planned }] = boards;
  const missing = planned.flatMap((_, index) => (found.has(index) ? [] : [index]));
  const progress = new StudyProgress(
    missing.map((index) => planned[index]),
    { silent: quiet, spent: spentBefore(planned, found), boards: boards.length },
  );
  try {
    await shareOut<StudyBoard>(boards, missing, signal, {
      isFor: (index, board) => isFor(board.planned[index], board.device, out),
      isOfWorker: isOfBoard,
      leftOut: ({ uri }, error, index) =>
        progress.print(
          `${uri} is left out, and ${planned[index].label} goes to another board: ${error.message}`,
        ),
      work: async (index, board, { isAbandoned, ended }) => {
        const place = missing.indexOf(index);
        const one = board.planned[index];
        const done = await trainOne(
          one,
          { device: board.device, signal: ended, out, isAbandoned },
          progress,
          place,
        );
        progress.end(place);
        progress.print(`${one.label}: ${outcomeText(one, done)}`);
        found.set(index, done);
      },
    });
    progress.complete();
  } finally {
    progress.finish();
  }
}

/** An error that says something about one board, and nothing about the training. */
function isOfBoard(error: unknown): error is ThermolinkError {
  return error instanceof ThermolinkError && error.code !== 'ABORTED' && ENDED_FROM_OUTSIDE.has(error.code);
}

/** Whether a training has not begun, or has begun on a board with this identity. */
function isFor(one: Planned, device: Device, out: string): boolean {
  const file = join(out, one.directory, TRAINING_FILES.checkpoint);
  if (!existsSync(file)) return true;
  try {
    return isDeepStrictEqual(readCheckpoint(file).settings, problemSettings(requestOf(one, device)));
  } catch {
    // The training tells what is wrong with it.
    return true;
  }
}

function outcomeText({ task }: Planned, { summary, failure }: StudyTraining): string {
  if (summary === undefined) return `failed, ${failure!.code}`;
  return `error ${formatNumber(summary[task.measure])}, ${formatSeconds(summary.timing.hostSeconds)}`;
}

async function trainOne(
  one: Planned,
  {
    device,
    signal,
    out,
    isAbandoned,
  }: { device: Device; signal: AbortSignal; out: string; isAbandoned: boolean },
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
