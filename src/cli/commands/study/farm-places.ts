import { join } from 'node:path';
import { ThermolinkError } from '../../../errors.js';
import {
  type AnnouncedBoard,
  FarmClient,
  type Job,
  type JobResult,
  jobValue,
  type PartStore,
  type SubmittedJob,
} from '../../../farm/index.js';
import type { Figures } from '../../../learning/problem/contract.js';
import type { StepRecord } from '../../../learning/record.js';
import { chosenModel } from '../farm/choose-boards.js';
import { type FarmAccess, withFarm } from '../farm/connected-farm.js';
import { readShippedFiles, storeFilesOfTraining, summaryOf } from '../farm/shipped-training.js';
import { whileWaiting } from '../farm/wait-for-jobs.js';
import { readRecords } from '../train/training-figure.js';
import {
  type PlaceWork,
  runAtPlaces,
  type StudyPlace,
  type StudyRequest,
  type StudyRun,
} from './run-study.js';
import { firstValues, searchSeeds } from './setting-search.js';
import type { StudyTask } from './studies.js';
import {
  factsOf,
  finishedTraining,
  type Planned,
  plannedSearch,
  plannedTrainings,
  type StudyTraining,
} from './study-training.js';
import {
  settingsWithoutBoard,
  TRAINING_JOB,
  type TrainingRequest,
  trainingValueSchema,
} from './training-job.js';

/** Largest number of trainings of one study that are in the queue at once. */
export const PLACES_MAX = 64;

/** The farm that does a study. */
export interface StudyFarm extends FarmAccess {
  readonly url: string;
  /** Default: the model of the smallest boards that fit. */
  readonly model?: string | undefined;
}

/** A study in a farm, as its client sees it. */
interface FarmStudy {
  readonly client: FarmClient;
  readonly model: string;
  /** The boards of the model. */
  readonly boards: readonly AnnouncedBoard[];
  readonly tasks: readonly StudyTask[];
  /** The job of a training. */
  readonly jobOf: (one: Planned) => Omit<Job, 'release'>;
}

/**
 * Runs a study whose trainings are done by the boards that a farm offers now. Files and results are the same
 * as with boards of this machine. Errors: those of `runAtPlaces`; of the farm; UNSUPPORTED if no board fits.
 * After an error or an abort, unfinished trainings are withdrawn.
 */
export async function runStudyInFarm(
  request: StudyRequest,
  farm: StudyFarm,
  release: string,
  signal: AbortSignal,
): Promise<StudyRun> {
  return inFarm(request, farm, release, signal, async (study) => {
    const { client, boards, tasks } = study;
    const open: SubmittedJob[] = [];
    const [{ uri, identity }] = boards;
    request.begin?.();
    const place: StudyPlace = {
      ...{ name: uri, identity, tasks },
      train: (one, how) => trainInFarm(one, how, study, open),
    };
    const places = Array.from({ length: PLACES_MAX }, () => place);
    const run = await whileWaiting(client, open, signal, () =>
      runAtPlaces(
        places.map((each) => ({ ...each })),
        boards.length,
        request,
        signal,
      ),
    );
    return { ...run, uris: boards.map((board) => board.uri) };
  });
}

/**
 * Queues two kinds of unfinished trainings: those that need no search, and those with which the searches of
 * the study begin. The function does not wait for results. Errors: those of the farm; UNSUPPORTED if no board
 * fits.
 */
export async function queueStudy(
  request: StudyRequest,
  farm: StudyFarm,
  release: string,
  signal: AbortSignal,
): Promise<QueuedStudy> {
  return inFarm(request, farm, release, signal, async ({ client, model, boards, tasks, jobOf }) => {
    const { quick, seeds, out } = request;
    const searches = tasks.flatMap((task) =>
      task.methods.flatMap((method) =>
        method.search === undefined
          ? []
          : firstValues(method.search, quick).flatMap((value) =>
              searchSeeds(quick).map((seed) => plannedSearch(task, method, value, seed)),
            ),
      ),
    );
    const others = plannedTrainings(tasks, seeds).filter(
      ({ method }) => method.search === undefined && method.settingsOf === undefined,
    );
    const jobs: { training: string; job: string }[] = [];
    for (const one of [...searches, ...others]) {
      const isDone = boards.some(({ identity }) => finishedTraining(one, identity, out) !== undefined);
      if (!isDone) jobs.push({ training: one.label, job: (await client.submit(jobOf(one), signal)).key });
    }
    return { model, jobs };
  });
}

/** The jobs that were put into the queue. */
interface QueuedStudy {
  readonly model: string;
  /** The trainings and the keys of their jobs. */
  readonly jobs: readonly { readonly training: string; readonly job: string }[];
}

async function inFarm<T>(
  { study, quick }: StudyRequest,
  { url, model: wanted, ...access }: StudyFarm,
  release: string,
  signal: AbortSignal,
  work: (study: FarmStudy) => Promise<T>,
): Promise<T> {
  return withFarm(url, access, { signal }, async (farm) => {
    const client = new FarmClient(farm, release);
    const tasks = study.tasksOf(quick);
    const largest = (size: (task: StudyTask) => number): number => Math.max(...tasks.map(size));
    const needs = {
      cells: largest(({ problem }) => problem.parameterCount),
      rows: largest(({ problem }) => problem.curvatureRows),
      ...{ isDense: false, model: wanted },
    };
    const model = await chosenModel(client, needs, signal);
    const boards = (await client.ownBoards(signal)).filter(({ identity }) => identity.model === model);
    if (boards.length === 0)
      throw new ThermolinkError('UNSUPPORTED', 'The farm no longer offers its boards.', { retryable: true });
    const jobOf = (one: Planned): Omit<Job, 'release'> => {
      const { task, method, seed } = factsOf(one);
      const request: TrainingRequest = {
        ...{ study: study.name as TrainingRequest['study'], quick, task, method, seed },
        value: one.method.found ?? null,
        settings: settingsWithoutBoard(one),
      };
      return { kind: TRAINING_JOB.name, model, request };
    };
    return work({ client, model, boards, tasks, jobOf });
  });
}

/** Submits one training, waits for it, and stores its files. */
async function trainInFarm(
  one: Planned,
  { signal, out, onStart, onStep }: PlaceWork,
  { client, jobOf }: FarmStudy,
  open: SubmittedJob[],
): Promise<StudyTraining> {
  // A submission that is aborted may reach the queue all the same, so the job is withdrawn then too.
  const job = client.named(jobOf(one));
  open.push(job);
  await client.submit(job.job, signal);
  let steps = -1;
  const training = await client.collect(
    job,
    (result) => storedTraining(one, result, client.parts, out, signal),
    {
      signal,
      onNews: (news) => {
        if (news.is !== 'progress') return;
        const taken = Math.round(news.share * one.steps);
        // If another board has started the training again, it has taken fewer steps than before.
        if (taken < steps || steps < 0) onStart(taken);
        else onStep(taken);
        steps = taken;
      },
    },
  );
  open.splice(open.indexOf(job), 1);
  return training;
}

/** Stores the files of a training that was done. */
async function storedTraining(
  one: Planned,
  result: JobResult,
  parts: PartStore,
  out: string,
  signal: AbortSignal,
): Promise<StudyTraining> {
  const value = trainingValueSchema.safeParse(jobValue(result));
  if (!value.success)
    throw new ThermolinkError('BAD_FILE', `The result of ${one.label} is not that of a training.`, {
      cause: value.error,
    });
  const { files, failure } = value.data;
  const directory = join(out, one.directory);
  const contents = await readShippedFiles(files, parts, signal);
  storeFilesOfTraining(contents, directory);
  const facts = factsOf(one);
  if (failure !== null) return { ...facts, records: [], failure };
  return {
    ...facts,
    summary: summaryOf(contents),
    records: readRecords<StepRecord<Figures>>(directory),
  };
}
