import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../../../driver/device.js';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { TRAINING_FILES } from '../../../learning/training-files.js';
import { type DeviceOptions, withDevices } from '../../device.js';
import { refuseTooLargeShape } from '../train/board-size.js';
import {
  bestValue,
  firstValues,
  largestError,
  needsMore,
  nextValue,
  searchSeeds,
  type Tried,
} from './setting-search.js';
import { isOfBoard, refuseUnlike } from './several-boards.js';
import { shareOut } from './share-out.js';
import type { Study, StudyTask } from './studies.js';
import { type PlannedTraining, type SpentTime, StudyProgress } from './study-progress.js';
import {
  finishedTraining,
  isFor,
  outcomeText,
  type Planned,
  plannedSearch,
  plannedTrainings,
  type StudyTraining,
  trainOn,
  withValue,
} from './study-training.js';

export interface StudyRequest extends DeviceOptions {
  readonly study: Study;
  readonly quick: boolean;
  /** The reported seeds are 1 to this number. Settings are chosen on other seeds. */
  readonly seeds: number;
  readonly out: string;
  /** One board or more, among which the trainings are shared out. */
  readonly uris: readonly string[];
  readonly quiet: boolean;
  /** Called when the boards are known to fit, before anything is trained. */
  readonly begin?: () => void;
}

/** The search of one setting of a method, on seeds that are not reported. */
export interface FinishedSearch {
  readonly task: string;
  readonly method: string;
  readonly seeds: readonly number[];
  /** In ascending order of the values. */
  readonly tried: readonly Tried[];
}

export interface StudyRun {
  /** The tasks, whose methods have the settings that were found. */
  readonly tasks: readonly StudyTask[];
  /** The board, or the first of several. */
  readonly board: DeviceIdentity;
  /** The URIs of the boards of a farm. Absent if the boards are those of the request. */
  readonly uris?: readonly string[];
  readonly searches: readonly FinishedSearch[];
  readonly trainings: readonly StudyTraining[];
}

/**
 * Searches the settings of the methods of a study, with equally many values for each method. Then it trains
 * every method with every seed, on one board or several. A board has one training at a time. A training that
 * ended before is used without change. A training that did not end continues from its checkpoint. Several
 * boards give the results of one board if they are alike to the bit. If a board fails, another board does its
 * training. If the last board fails, the study fails.
 *
 * Errors: those of `connect` and `trainProblem` except DIVERGED and SAMPLER_STUCK, which are a result;
 * BAD_ARGUMENT for boards of different models; TOO_LARGE before anything is trained.
 */
export async function runStudy(request: StudyRequest, signal: AbortSignal): Promise<StudyRun> {
  const { uris, quick, study } = request;
  const options = { ...request, ownThread: uris.length > 1 };
  return withDevices(uris, options, signal, async (devices) => {
    refuseUnlike(devices);
    // A problem uses the same memory in all steps, so each board has problems of its own.
    const places = devices.map((device, at): StudyPlace => {
      const tasks = study.tasksOf(quick);
      for (const { problem } of tasks) refuseTooLargeShape(problem, device.identity);
      const { identity } = device;
      return { name: uris[at], identity, tasks, train: (one, how) => trainHere(one, device, how) };
    });
    request.begin?.();
    return runAtPlaces(places, places.length, request, signal);
  });
}

/** The parts of a request that do not say where its trainings are done. */
export type StudyPlan = Pick<StudyRequest, 'quick' | 'seeds' | 'out' | 'quiet'>;

/**
 * Runs a study at the given places. `boards` is the number of boards of all places together. Errors: those of
 * `StudyPlace.train`.
 */
export async function runAtPlaces(
  places: readonly StudyPlace[],
  boards: number,
  plan: StudyPlan,
  signal: AbortSignal,
): Promise<StudyRun> {
  const trainings = new StudyTrainings(places, boards, plan, signal);
  const searches = await searched(trainings, plan);
  const chosen = places.map((place) => withFound(place.tasks, searches));
  const reported = chosen.map((tasks) => plannedTrainings(tasks, plan.seeds));
  return {
    tasks: chosen[0],
    board: places[0].identity,
    searches,
    trainings: await trainings.train(reported, []),
  };
}

/**
 * A place at which trainings of a study are done, one at a time: a board of this process, or a place in a
 * farm.
 */
export interface StudyPlace {
  /** The URI of the board. */
  readonly name: string;
  readonly identity: DeviceIdentity;
  /** The tasks of the study, with the problems that belong to this place. */
  readonly tasks: readonly StudyTask[];
  /** Does one training of these tasks. Errors: those of `trainOn`. */
  readonly train: (one: Planned, how: PlaceWork) => Promise<StudyTraining>;
}

/** The directory and callbacks of one training at a place. */
export interface PlaceWork {
  readonly signal: AbortSignal;
  /** The directory of the study. */
  readonly out: string;
  /** Whether another place began this training and failed. */
  readonly isAbandoned: boolean;
  /** Called when the training begins, with the number of steps that are already done. */
  readonly onStart: (steps: number) => void;
  /** Called after a step, with the number of steps so far. */
  readonly onStep: (steps: number) => void;
  readonly onMended: (sentence: string) => void;
}

/** Does one training, or the missing part of it, on a board of this process. */
async function trainHere(
  one: Planned,
  device: Device,
  { signal, out, isAbandoned, onStart, onStep, onMended }: PlaceWork,
): Promise<StudyTraining> {
  const directory = join(out, one.directory);
  // A training that was killed before its first checkpoint can't be continued.
  const hasBegun = existsSync(join(directory, TRAINING_FILES.checkpoint));
  // This board continues the training of a failed board if the settings of both boards are equal.
  const isBegun = hasBegun && (!isAbandoned || isFor(one, device.identity, out));
  const output = { directory, existing: isBegun ? 'resume' : 'overwrite' } as const;
  const watch = { signal, onStart, onMended, onStep: ({ step }: { step: number }) => onStep(step + 1) };
  return trainOn(one, device, output, watch);
}

/**
 * Searches the settings of all methods. If the best value of a method is the smallest or the largest that was
 * tried, every searched method of the task gets another value. This is repeated until no best value is at
 * such an edge, or until the largest number of values is tried.
 */
async function searched(
  trainings: StudyTrainings,
  { quick, seeds }: StudyPlan,
): Promise<readonly FinishedSearch[]> {
  const [{ tasks }] = trainings.places;
  const later = plannedTrainings(tasks, seeds);
  const triedSeeds = searchSeeds(quick);
  const found = tasks.map((task) =>
    task.methods.flatMap((method, at) => {
      if (method.search === undefined) return [];
      const tried: Tried[] = [];
      return [{ method, at, search: method.search, tried, values: firstValues(method.search, quick) }];
    }),
  );
  for (;;) {
    const wanted = found.flatMap((searches, task) =>
      searches.flatMap((one) => one.values.map((value) => ({ one, task, value }))),
    );
    if (wanted.length === 0) break;
    const planned = trainings.places.map((place) =>
      wanted.flatMap(({ one, task, value }) =>
        triedSeeds.map((seed) =>
          plannedSearch(place.tasks[task], place.tasks[task].methods[one.at], value, seed),
        ),
      ),
    );
    const done = await trainings.train(planned, later);
    for (const [index, { one, task, value }] of wanted.entries()) {
      const ofValue = done.slice(index * triedSeeds.length, (index + 1) * triedSeeds.length);
      const errors = ofValue.map(({ summary }) => summary?.[tasks[task].measure] ?? null);
      one.tried.push({ value, error: largestError(errors) });
    }
    for (const searches of found) {
      const goesOn = needsMore(
        searches.map(({ tried }) => tried),
        quick,
      );
      for (const one of searches) one.values = goesOn ? [nextValue(one.tried, one.search)] : [];
    }
  }
  return found.flatMap((searches, task) =>
    searches.map(({ method, tried }) => ({
      ...{ task: tasks[task].name, method: method.label, seeds: triedSeeds },
      tried: tried.toSorted((a, b) => a.value - b.value),
    })),
  );
}

/**
 * The tasks with the found settings. A method with `settingsOf` gets the found settings of that other method.
 */
function withFound(tasks: readonly StudyTask[], searches: readonly FinishedSearch[]): StudyTask[] {
  return tasks.map((task) => {
    const bestOf = (label: string): number | undefined => {
      const search = searches.find((one) => one.task === task.name && one.method === label);
      return search && bestValue(search.tried);
    };
    const methods = task.methods.map((method) => {
      const value = bestOf(method.label);
      if (value !== undefined) return withValue(method, value);
      const source = task.methods.find(({ label }) => label === method.settingsOf);
      if (source === undefined) return method;
      const { found, options } = withValue(source, bestOf(source.label)!);
      return { ...method, found, options };
    });
    return { ...task, methods };
  });
}

/**
 * Does trainings at the places of a study, one at a time at each place. Finished trainings are used without
 * change.
 */
class StudyTrainings {
  readonly places: readonly StudyPlace[];
  readonly #boards: number;
  readonly #plan: StudyPlan;
  readonly #signal: AbortSignal;
  /** The host times of the finished trainings. They give the remaining time as soon as a study is resumed. */
  readonly #spent = new Map<string, SpentTime>();

  constructor(places: readonly StudyPlace[], boards: number, plan: StudyPlan, signal: AbortSignal) {
    this.places = places;
    this.#boards = boards;
    this.#plan = plan;
    this.#signal = signal;
  }

  /**
   * Does the trainings of `planned`, which has a list for each place. All lists have the same trainings.
   * `later` are trainings of a later call, which count in the time left.
   */
  async train(
    planned: readonly (readonly Planned[])[],
    later: readonly PlannedTraining[],
  ): Promise<StudyTraining[]> {
    const { out, quiet } = this.#plan;
    const [first] = planned;
    const found = new Map<number, StudyTraining>();
    const keep = (index: number, done: StudyTraining): void => {
      found.set(index, done);
      this.#countTime(first[index], done);
    };
    for (const index of first.keys()) {
      const finished = this.#finished(planned, index);
      if (finished !== undefined) keep(index, finished);
    }
    const missing = [...first.keys()].filter((index) => !found.has(index));
    const progress = new StudyProgress([...missing.map((index) => first[index]), ...later], {
      ...{ silent: quiet, spent: this.#spent, boards: this.#boards },
    });
    try {
      await shareOut(
        this.places.map((_, at) => at),
        missing,
        this.#signal,
        {
          isFor: (index, place) => isFor(planned[place][index], this.places[place].identity, out),
          isOfWorker: isOfBoard,
          leftOut: (place, error, index) =>
            progress.print(
              `${this.places[place].name} is left out, and ${first[index].label} goes to another board: ${error.message}`,
            ),
          work: async (index, place, { isAbandoned, ended }) => {
            const position = missing.indexOf(index);
            const one = planned[place][index];
            const done = await this.places[place].train(one, {
              ...{ signal: ended, out, isAbandoned },
              onStart: (steps) => progress.begin(position, steps),
              onStep: (steps) => progress.step(position, steps),
              onMended: (sentence) => progress.print(sentence),
            });
            progress.end(position);
            progress.print(`${one.label}: ${outcomeText(one, done)}`);
            keep(index, done);
          },
        },
      );
      if (later.length === 0) progress.complete();
    } finally {
      progress.finish();
    }
    return first.map((_, index) => found.get(index)!);
  }

  /** The stored result of a training that was finished earlier. */
  #finished(planned: readonly (readonly Planned[])[], index: number): StudyTraining | undefined {
    for (const [place, { identity }] of this.places.entries()) {
      const finished = finishedTraining(planned[place][index], identity, this.#plan.out);
      if (finished !== undefined) return finished;
    }
    return undefined;
  }

  #countTime({ kind, stepCost }: Planned, { summary }: StudyTraining): void {
    if (summary === undefined) return;
    const before = this.#spent.get(kind) ?? { ms: 0, steps: 0, cost: stepCost };
    const ms = before.ms + 1000 * summary.timing.hostSeconds;
    this.#spent.set(kind, { ...before, ms, steps: before.steps + summary.iterations });
  }
}
