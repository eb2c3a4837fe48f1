import { ThermolinkError } from '../../../../errors.js';
import { FarmClient, type Job, jobValue, type SubmittedJob } from '../../../../farm/index.js';
import { chosenModel } from '../../farm/choose-boards.js';
import { withFarm } from '../../farm/connected-farm.js';
import { whileWaiting } from '../../farm/wait-for-jobs.js';
import { PLACES_MAX, type StudyFarm } from '../farm-places.js';
import { namesOf } from '../study-results.js';
import {
  labelOf,
  refuseAlone,
  runTableAt,
  StudyRuns,
  type TablePlace,
  type TableRequest,
} from './run-table.js';
import { RUN_JOB_NAME, runOfValue, runRequest } from './table-job.js';
import type { PlannedRun, TableRun } from './table-study.js';

/** A study that is tables of runs, for a farm. */
export type FarmTableRequest = Pick<TableRequest, 'study' | 'scale' | 'out' | 'quiet'>;

/** A study in a farm, as its client sees it. */
interface FarmTable {
  readonly client: FarmClient;
  readonly model: string;
  /** The URIs of the boards of the model. */
  readonly uris: readonly string[];
  /** The job of a run that may see `done`. */
  readonly jobOf: (run: PlannedRun, done: readonly TableRun[]) => Omit<Job, 'release'>;
}

/** The runs of a study that a farm did. */
export interface FarmRuns {
  readonly runs: readonly TableRun[];
  /** The names of the boards that the farm offered when the study began. */
  readonly board: string;
}

/**
 * A study whose runs are done by a farm. Files and results are those of boards of this machine; the boards
 * are those that the farm offers now. `claim` is called with a name for the boards when it is known, and its
 * `begin` when they are known to fit. Errors: those of `runTable`; those of the farm; UNSUPPORTED if no board
 * fits; BAD_ARGUMENT for a study that takes one board. When it fails, also by an abort, runs that are not
 * done are withdrawn.
 */
export async function runTableInFarm(
  request: FarmTableRequest,
  farm: StudyFarm,
  release: string,
  signal: AbortSignal,
  claim: (board: string) => { readonly begin: () => void },
): Promise<FarmRuns> {
  return inFarm(request, farm, release, signal, async (table) => {
    const { client, model, uris } = table;
    const { begin } = claim(`boards ${model} of a farm`);
    const runs = new StudyRuns(request);
    begin();
    const open: SubmittedJob[] = [];
    const places = Array.from(
      { length: PLACES_MAX },
      (): TablePlace => ({
        uri: uris[0],
        run: async (run, { signal: ended, done, onStart }) => {
          // A submission that is aborted may reach the queue all the same, so the job is withdrawn then too.
          const job = client.named(table.jobOf(run, done));
          open.push(job);
          await client.submit(job.job, ended);
          const result = await client.collect(job, async (stored) => runOfValue(run, jobValue(stored)), {
            signal: ended,
            onNews: ({ is }) => is === 'progress' && onStart(),
          });
          open.splice(open.indexOf(job), 1);
          return result;
        },
      }),
    );
    const done = await whileWaiting(client, open, signal, () =>
      runTableAt(places, uris.length, { ...request, runs }, signal),
    );
    return { runs: done, board: namesOf(uris) };
  });
}

/**
 * Puts runs of a study that are not done into the queue, and does not wait for them. These are the runs of
 * the first part. If the first part is done, they are the other runs. Errors: those of the farm; UNSUPPORTED
 * if no board fits; BAD_FILE; BAD_ARGUMENT for a study that takes one board.
 */
export async function queueTable(
  request: FarmTableRequest,
  farm: StudyFarm,
  release: string,
  signal: AbortSignal,
): Promise<{
  readonly model: string;
  readonly jobs: readonly { readonly run: string; readonly job: string }[];
}> {
  return inFarm(request, farm, release, signal, async ({ client, model, jobOf }) => {
    const runs = new StudyRuns(request);
    const jobs: { run: string; job: string }[] = [];
    for (const index of runs.phases.find((phase) => phase.length > 0) ?? []) {
      const run = runs.planned[index];
      jobs.push({ run: labelOf(run), job: (await client.submit(jobOf(run, runs.seen), signal)).key });
    }
    return { model, jobs };
  });
}

async function inFarm<T>(
  { study, scale }: FarmTableRequest,
  { url, model: wanted, ...access }: StudyFarm,
  release: string,
  signal: AbortSignal,
  work: (table: FarmTable) => Promise<T>,
): Promise<T> {
  refuseAlone(study);
  const needs = { ...study.sharing!.needs(), isDense: false, model: wanted };
  return withFarm(url, access, { signal }, async (farm) => {
    const client = new FarmClient(farm, release);
    const model = await chosenModel(client, needs, signal);
    const boards = (await client.ownBoards(signal)).filter(({ identity }) => identity.model === model);
    if (boards.length === 0)
      throw new ThermolinkError('UNSUPPORTED', 'The boards of the farm have just gone.', { retryable: true });
    return work({
      ...{ client, model, uris: boards.map(({ uri }) => uri) },
      jobOf: (run, done) => ({
        ...{ kind: RUN_JOB_NAME, model },
        request: runRequest(study, scale.quick, run, done),
      }),
    });
  });
}
