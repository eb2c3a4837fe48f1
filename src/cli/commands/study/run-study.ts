import type { Device } from '../../../driver/device.js';
import type { DeviceIdentity } from '../../../driver/device-api.js';
import { type DeviceOptions, withDevices } from '../../device.js';
import { refuseTooLargeShape } from '../train/board-size.js';
import { bestValue, firstValues, needsMore, nextValue, type Tried } from './setting-search.js';
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
  trainOne,
  withValue,
} from './study-training.js';

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

/** The search of one setting of a method, on the seed that is not reported. */
export interface FinishedSearch {
  readonly task: string;
  readonly method: string;
  /** Ascending. */
  readonly tried: readonly Tried[];
}

export interface StudyRun {
  /** With the settings that were found. */
  readonly tasks: readonly StudyTask[];
  /** The board, or the first of several. */
  readonly board: DeviceIdentity;
  readonly searches: readonly FinishedSearch[];
  readonly trainings: readonly StudyTraining[];
}

/**
 * Searches the settings of the methods of a study, as many values for each, and then trains every method with
 * every seed, on one board or several: each has one training at a time.
 * A training that ended before is taken as it is; one that did not goes on from its checkpoint. The results
 * are those of one board, if the boards are alike to the bit. A board that fails leaves its training to the
 * others; the last one ends the study.
 *
 * Errors: those of `connect` and `trainProblem` except DIVERGED and SAMPLER_STUCK, which are a result;
 * BAD_ARGUMENT for boards of different models; TOO_LARGE before anything is trained.
 */
export async function runStudy(request: StudyRequest, signal: AbortSignal): Promise<StudyRun> {
  const { uris, quick, study } = request;
  const options = { ...request, ownThread: uris.length > 1 };
  return withDevices(uris, options, signal, async (devices) => {
    refuseUnlike(devices);
    // The next step of a problem writes over what this one has made, so each board has problems of its own.
    const boards = devices.map((device, at): StudyBoard => {
      const tasks = study.tasksOf(quick);
      for (const { problem } of tasks) refuseTooLargeShape(problem, device.identity);
      return { device, uri: uris[at], tasks };
    });
    const trainings = new StudyTrainings(boards, request, signal);
    const searches = await searched(trainings, request);
    const chosen = boards.map((board) => ({ ...board, tasks: withFound(board.tasks, searches) }));
    const reported = chosen.map(({ tasks }) => plannedTrainings(tasks, request.seeds));
    return {
      tasks: chosen[0].tasks,
      board: devices[0].identity,
      searches,
      trainings: await trainings.train(reported, []),
    };
  });
}

/** A board of a study, and the tasks as it would do them. */
interface StudyBoard {
  readonly device: Device;
  readonly uri: string;
  readonly tasks: readonly StudyTask[];
}

/**
 * Every search of the study. A task whose search has its best value at an edge goes on, for all its methods
 * alike, until no best value is at an edge or the most values are tried.
 */
async function searched(
  trainings: StudyTrainings,
  { quick, seeds }: StudyRequest,
): Promise<readonly FinishedSearch[]> {
  const [{ tasks }] = trainings.boards;
  const later = plannedTrainings(tasks, seeds);
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
    const planned = trainings.boards.map((board) =>
      wanted.map(({ one, task, value }) =>
        plannedSearch(board.tasks[task], board.tasks[task].methods[one.at], value),
      ),
    );
    const done = await trainings.train(planned, later);
    for (const [index, { one, task, value }] of wanted.entries())
      one.tried.push({ value, error: done[index].summary?.[tasks[task].measure] ?? null });
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
      ...{ task: tasks[task].name, method: method.label },
      tried: tried.toSorted((a, b) => a.value - b.value),
    })),
  );
}

/** The tasks with the settings that were found. A method that takes those of another one has its search. */
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
      const { options } = withValue(source, bestOf(source.label)!);
      return { ...method, options };
    });
    return { ...task, methods };
  });
}

/** Does trainings on the boards of a study, one at a time on each, and takes finished ones as they are. */
class StudyTrainings {
  readonly boards: readonly StudyBoard[];
  readonly #request: StudyRequest;
  readonly #signal: AbortSignal;
  /** What steps have taken so far, so that the time left is known at once after a resume. */
  readonly #spent = new Map<string, SpentTime>();

  constructor(boards: readonly StudyBoard[], request: StudyRequest, signal: AbortSignal) {
    this.boards = boards;
    this.#request = request;
    this.#signal = signal;
  }

  /**
   * The trainings of `planned`, which has the same ones for each board. `later` are those that the study is
   * to do after these.
   */
  async train(
    planned: readonly (readonly Planned[])[],
    later: readonly PlannedTraining[],
  ): Promise<StudyTraining[]> {
    const { out, quiet } = this.#request;
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
      ...{ silent: quiet, spent: this.#spent, boards: this.boards.length },
    });
    try {
      await shareOut(
        this.boards.map((_, at) => at),
        missing,
        this.#signal,
        {
          isFor: (index, board) => isFor(planned[board][index], this.boards[board].device, out),
          isOfWorker: isOfBoard,
          leftOut: (board, error, index) =>
            progress.print(
              `${this.boards[board].uri} is left out, and ${first[index].label} goes to another board: ${error.message}`,
            ),
          work: async (index, board, { isAbandoned, ended }) => {
            const place = missing.indexOf(index);
            const one = planned[board][index];
            const { device } = this.boards[board];
            const done = await trainOne(one, { device, signal: ended, out, isAbandoned }, progress, place);
            progress.end(place);
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

  /** A training that one of the boards has finished before. */
  #finished(planned: readonly (readonly Planned[])[], index: number): StudyTraining | undefined {
    for (const [board, { device }] of this.boards.entries()) {
      const finished = finishedTraining(planned[board][index], device, this.#request.out);
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
