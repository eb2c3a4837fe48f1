import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { assert, ThermolinkError } from '../../../../errors.js';
import type { JobKind } from '../../../../farm/index.js';
import { measureOne } from './run-table.js';
import type { Lab, PlannedRun, Settings, TableRun, TableStudy } from './table-study.js';

/** One run of a study that is tables of runs. */
export interface RunRequest {
  readonly study: string;
  readonly quick: boolean;
  readonly part: string;
  readonly settings: Settings;
  readonly seed: number;
  /** The runs that this run may see, without their times. */
  readonly done: readonly TableRun[];
  /** Everything except the board on which the figures depend, as the client understands it. */
  readonly meant: Readonly<Record<string, unknown>>;
}

/** The name of the kind of job. */
export const RUN_JOB_NAME = 'run of a study';

const settingsSchema = z.record(z.string(), z.union([z.string(), z.number()]));
// JSON has null for a figure that is not finite, in the stored runs too.
const figuresSchema = z.record(z.string(), z.number().nullable());
const seedSchema = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);

const runSchema = z.strictObject({
  part: z.string().max(100),
  settings: settingsSchema,
  seed: seedSchema,
  figures: figuresSchema,
  timing: figuresSchema.optional(),
  failure: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});

const requestSchema = z.strictObject({
  study: z.string().max(100),
  quick: z.boolean(),
  part: z.string().max(100),
  settings: settingsSchema,
  seed: seedSchema,
  done: z.array(runSchema),
  meant: z.record(z.string(), z.json()),
});

/** The request for a run. `done` are the runs that it may see. */
export function runRequest(
  study: TableStudy,
  quick: boolean,
  run: PlannedRun,
  done: readonly TableRun[],
): RunRequest {
  const { part, settings, seed } = run;
  return {
    ...{ study: study.name, quick, part, settings, seed },
    // Times are left out: they differ from study to study, and equal runs have to be equal jobs.
    done: done.map((one) => ({ ...one, timing: undefined })),
    meant: meantBy(study, run, done, quick),
  };
}

/** The result of a run in the value of its job. Errors: BAD_FILE. */
export function runOfValue({ part, settings, seed }: PlannedRun, value: unknown): TableRun {
  const read = runSchema.safeParse(value);
  const isOfRun =
    read.success &&
    isDeepStrictEqual([read.data.part, read.data.settings, read.data.seed], [part, settings, seed]);
  if (!isOfRun)
    throw new ThermolinkError(
      'BAD_FILE',
      `The result of a job is not that of the run ${part}, seed ${seed}.`,
      {
        cause: read.error,
      },
    );
  const { figures, timing, failure } = read.data as TableRun;
  return {
    ...{ part, settings, seed, figures },
    ...(timing === undefined ? {} : { timing }),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** A run of one of these studies, done on one board as `thermolink study` does it. */
export function runJob(studies: readonly TableStudy[]): JobKind<RunRequest> {
  return {
    name: RUN_JOB_NAME,
    request: requestSchema as unknown as z.ZodType<RunRequest>,
    async run(device, request, { signal, show }): Promise<TableRun> {
      const { study, run } = requestedRun(studies, request);
      const lab: Lab = {
        signal,
        done: request.done,
        board: async (wanted) => {
          assert(wanted === undefined, 'a run that is shared out uses the board of the study');
          return device;
        },
      };
      show(0, `${run.part}, seed ${run.seed}`);
      return measureOne(study, run, lab, { quick: request.quick, seeds: [run.seed] });
    },
  };
}

/**
 * The run that a request names. Errors: BAD_ARGUMENT if this program understands another run by the request.
 */
function requestedRun(studies: readonly TableStudy[], request: RunRequest) {
  const { quick, part, settings, seed, done, meant } = request;
  const study = studies.find(({ name, sharing }) => name === request.study && sharing !== undefined);
  const run = study
    ?.runs({ quick, seeds: [seed] })
    .find((one) => isDeepStrictEqual([one.part, one.settings, one.seed], [part, settings, seed]));
  if (study !== undefined && run !== undefined && isDeepStrictEqual(meantBy(study, run, done, quick), meant))
    return { study, run };
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `The program or the data of the worker mean something else by ${request.study}, ${part}, seed ${seed}, or nothing.`,
    { hint: 'Run the same program with the same data at the worker and at the client.' },
  );
}

/** The settings of a run as JSON holds them. */
function meantBy(
  { sharing }: TableStudy,
  run: PlannedRun,
  done: readonly TableRun[],
  quick: boolean,
): Readonly<Record<string, unknown>> {
  assert(sharing !== undefined, 'only a study whose runs are shared out goes to a farm');
  return JSON.parse(JSON.stringify(sharing.settingsOf(run, done, quick))) as Record<string, unknown>;
}
