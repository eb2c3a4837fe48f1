import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { ThermolinkError } from '../../../errors.js';
import type { JobKind } from '../../../farm/index.js';
import type { PlannedTraining } from '../train/train-task.js';
import { filesOfTraining, type ShippedFile, shippedFilesSchema } from './shipped-training.js';
import { type DataFile, dataFilesSchema, withData } from './train-data.js';
import {
  type OptionTexts,
  TRAIN_TASK_NAMES,
  TRAIN_TASKS,
  type TrainTaskName,
  trainingOptions,
  valuesOfTexts,
} from './train-tasks.js';

/** A training of `thermolink train`. */
export interface TrainJobRequest {
  readonly task: TrainTaskName;
  /** The options of the training itself, without `data`. */
  readonly options: OptionTexts;
  /** The files that `data` names; empty if the option was left out. */
  readonly data: readonly DataFile[];
  /**
   * Everything except the board that determines the training, as the client's program understands the
   * request.
   */
  readonly meaning: Readonly<Record<string, unknown>>;
}

/** The result of such a training. */
export interface TrainJobValue {
  readonly files: readonly ShippedFile[];
}

const requestSchema: z.ZodType<TrainJobRequest> = z.strictObject({
  task: z.enum(TRAIN_TASK_NAMES),
  options: z.record(z.string().max(100), z.string().max(10_000)),
  data: dataFilesSchema,
  meaning: z.record(z.string(), z.json()),
});

/** The form of the result. */
export const trainJobValueSchema: z.ZodType<TrainJobValue> = z.strictObject({ files: shippedFilesSchema });

/** A training of `thermolink train`, done on one board from its beginning. */
export const TRAIN_JOB: JobKind<TrainJobRequest> = {
  name: 'training',
  request: requestSchema,
  async run(device, request, { signal, show, parts }): Promise<TrainJobValue> {
    const { data, meaning } = request;
    const training = await withData(data, parts, signal, (path) => plannedTraining(request, path));
    if (training === undefined || !isDeepStrictEqual(training.meaning, meaning))
      throw new ThermolinkError(
        'BAD_ARGUMENT',
        `The program of the worker means something else by this training of ${request.task}, or has other data.`,
        { hint: 'Run the same program with the same data packages at the worker and at the client.' },
      );
    const { files } = await filesOfTraining(parts, signal, (output) =>
      training.train(training.shape === undefined ? undefined : device, {
        ...{ signal, output },
        onStart: (_, total) => show(0, `step 1 of ${total}`),
        onStep: ({ step }, total) => show((step + 1) / total, `step ${step + 1} of ${total}`),
      }),
    );
    return { files };
  },
};

/** The training that a request asks for; undefined if its options are unknown. Errors: those of `planOf`. */
export function plannedTraining(
  { task: name, options }: Pick<TrainJobRequest, 'task' | 'options'>,
  data: string | undefined,
): PlannedTraining | undefined {
  const task = TRAIN_TASKS[name];
  const values = valuesOfTexts(trainingOptions(task), options);
  return values && task.planOf({ ...values, retry: true, ...(data === undefined ? {} : { data }) });
}
