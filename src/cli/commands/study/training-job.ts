import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { ThermolinkError } from '../../../errors.js';
import type { JobKind } from '../../../farm/index.js';
import { filesOfTraining, type ShippedFile, shippedFilesSchema } from '../farm/shipped-training.js';
import { refuseTooLargeShape } from '../train/board-size.js';
import { STUDIES } from './studies.js';
import { type Planned, plannedOf, settingsOf, trainOn, withValue } from './study-training.js';

/** One training of a study, by the names that the study has for it. */
export interface TrainingRequest {
  readonly study: keyof typeof STUDIES;
  readonly quick: boolean;
  readonly task: string;
  readonly method: string;
  readonly seed: number;
  /** The value of the searched setting; null if no setting was searched. */
  readonly value: number | null;
  /** The settings of the training at the client, except for the board. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** The result of a training: the files of its directory. The summary is the last one. */
export interface TrainingValue {
  readonly files: readonly ShippedFile[];
  readonly failure: { readonly code: string; readonly message: string } | null;
}

const requestSchema: z.ZodType<TrainingRequest> = z.strictObject({
  study: z.enum(Object.keys(STUDIES) as (keyof typeof STUDIES)[]),
  quick: z.boolean(),
  task: z.string().max(100),
  method: z.string().max(100),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
  value: z.number().nullable(),
  settings: z.record(z.string(), z.json()),
});

/** The schema of the result of a training. */
export const trainingValueSchema: z.ZodType<TrainingValue> = z.strictObject({
  files: shippedFilesSchema,
  failure: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
});

/** The settings of a training without those of its board, as JSON holds them. */
export function settingsWithoutBoard(one: Planned): Readonly<Record<string, unknown>> {
  const nowhere = { model: '', serialNumber: '', firmwareVersion: '' };
  const { environment: _, ...settings } = settingsOf(one, nowhere);
  return settings;
}

/** A training of a study, done on one board from its beginning, as `thermolink study` does it. */
export const TRAINING_JOB: JobKind<TrainingRequest> = {
  name: 'training of a study',
  request: requestSchema,
  async run(device, request, { signal, show, parts }): Promise<TrainingValue> {
    const one = requestedTraining(request);
    refuseTooLargeShape(one.task.problem, device.identity);
    const { files, result } = await filesOfTraining(parts, signal, (output) =>
      trainOn(one, device, output, {
        signal,
        onStart: () => show(0, 'step 1'),
        onStep: ({ step }) => show((step + 1) / one.steps, `step ${step + 1}`),
      }),
    );
    return { files, failure: result.failure ?? null };
  },
};

/**
 * The training that a request names. Errors: BAD_ARGUMENT if this program understands another training by the
 * request.
 */
function requestedTraining(request: TrainingRequest): Planned {
  const { study, quick, task: name, method: label, seed, value, settings } = request;
  const task = STUDIES[study].tasksOf(quick).find((one) => one.name === name);
  const method = task?.methods.find((one) => one.label === label);
  // A method without a search may take the setting that was found for another method.
  const searched = method?.search === undefined ? method?.settingsOf : label;
  const source = task?.methods.find((one) => one.label === searched);
  if (task !== undefined && method !== undefined && (value === null || source?.search !== undefined)) {
    const how = value === null ? method : { ...method, options: withValue(source!, value).options };
    const one = { ...plannedOf(task, how, seed), label, directory: '' };
    if (isDeepStrictEqual(settingsWithoutBoard(one), settings)) return one;
  }
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `The program of the worker has another meaning or none for ${study}, ${name}, ${label}.`,
    { hint: 'Run the same program at the worker and at the client.' },
  );
}
