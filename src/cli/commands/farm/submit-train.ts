import { type Command, Option } from 'commander';
import { ThermolinkError } from '../../../errors.js';
import { FarmClient, type Job, type JobResult, jobValue, type PartStore } from '../../../farm/index.js';
import { checkTrainingDirectory, type ExistingTraining } from '../../../learning/training-files.js';
import { lockDirectory, writing } from '../../../learning/training-files-lock.js';
import { defineCommand, type LoadedCommand, printReport } from '../../command.js';
import { checkFiles } from '../../input/check-files.js';
import { FARM, FARM_JOB } from '../../options/farm.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { flag, longFlag, type OptionSpecs, type OptionValues } from '../../options/option.js';
import { choice } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { WorkDisplay } from '../../output/work-display.js';
import { VERSION } from '../../version.js';
import { drawCurves, OUTPUT_OPTIONS, storedPlanOf } from '../train/output-options.js';
import { printAndDraw } from '../train/print-and-draw.js';
import { storedText } from '../train/summary-text.js';
import { chosenModel } from './choose-boards.js';
import { withFarm } from './connected-farm.js';
import { queuedReport, withdrawnReport } from './queued-report.js';
import { readShippedFiles, storeFilesOfTraining, summaryOf } from './shipped-training.js';
import { shipData } from './train-data.js';
import { plannedTraining, TRAIN_JOB, type TrainJobRequest, trainJobValueSchema } from './train-job.js';
import {
  refusedOptions,
  TRAIN_TASK_NAMES,
  TRAIN_TASKS,
  type TrainTaskName,
  textsOf,
  trainingOptions,
} from './train-tasks.js';

const { out, overwrite } = OUTPUT_OPTIONS;
const PLACE = {
  ...{ out, overwrite, ...FARM_JOB },
  withdraw: flag('--withdraw', 'take the training out of the queue; a board that does it stops in seconds'),
  ...{ ...FARM, json: JSON_OUTPUT.json },
};
type Place = OptionValues<typeof PLACE>;

/** `thermolink farm submit train TASK` for each task. */
export const submitTrain: LoadedCommand = {
  arguments: [{ name: 'task', help: 'what to train', value: choice(TRAIN_TASK_NAMES) }],
  options: Object.assign({}, ...TRAIN_TASK_NAMES.map((name) => optionsOf(name))),
  describe(parent) {
    for (const name of TRAIN_TASK_NAMES) {
      const summary = `what \`thermolink train ${name}\` trains, on a board of the farm`;
      const command = parent.command(name).description(summary);
      submitTask(name).describe(command);
      refuseOptions(command, name);
    }
  },
};

/** Makes the options of `thermolink train` that do nothing in a farm end in an error. */
function refuseOptions(command: Command, task: TrainTaskName): void {
  for (const spec of refusedOptions(TRAIN_TASKS[task], PLACE)) {
    const option = new Option(spec.flags).hideHelp();
    command.addOption(option);
    command.on(`option:${option.name()}`, () => {
      throw new ThermolinkError('BAD_ARGUMENT', `${longFlag(spec)} does nothing in a farm.`, {
        hint: `It is for a board or files of this machine: leave it out, or use \`thermolink train ${task}\`.`,
      });
    });
  }
}

function optionsOf(name: TrainTaskName): OptionSpecs {
  return { ...trainingOptions(TRAIN_TASKS[name]), ...PLACE };
}

function submitTask(task: TrainTaskName): LoadedCommand {
  const options = optionsOf(task);
  return defineCommand({
    options,
    example: `
Example:
  thermolink farm submit train ${task} --out runs/${task}

The files equal those of \`thermolink train ${task}\` on a board of the model, except for times. Ctrl-C leaves the training
in the farm: the same command gets its result, for a week. Options of \`thermolink train\` for a board of this machine
are refused, and so are --resume and --tensorboard.`,
    async run(values) {
      await checkFiles(options, values);
      await submitAndWait(task, values as Place & { readonly data?: string; readonly label?: string });
    },
  });
}

async function submitAndWait(
  task: TrainTaskName,
  values: Place & { readonly data?: string; readonly label?: string },
): Promise<void> {
  const { model, detach, withdraw, nats, json = false, data, ...access } = values;
  if (detach && withdraw)
    throw new ThermolinkError('BAD_ARGUMENT', '--detach and --withdraw exclude each other.', {
      hint: 'Choose one.',
    });
  const stored = storedPlanOf(values);
  checkOutput(stored.out, stored.existing);
  const { data: _, ...specs } = trainingOptions(TRAIN_TASKS[task]);
  const texts = textsOf(specs, values);
  const training = plannedTraining({ task, options: texts }, data)!;
  const display = new WorkDisplay(training.label, 1, json);
  const jobOf = async (client: FarmClient, signal: AbortSignal): Promise<Omit<Job, 'release'>> => {
    const isTable = values.label !== undefined;
    const request: TrainJobRequest = {
      ...{ task, options: texts, meaning: training.meaning },
      data: data === undefined ? [] : await shipData(data, isTable, client.parts, signal),
    };
    const needs = { ...(training.shape ?? { cells: 0 }), model };
    return { kind: TRAIN_JOB.name, model: await chosenModel(client, needs, signal), request };
  };
  const ended = await withInterrupt((signal) =>
    withFarm(nats, access, { signal }, async (farm) => {
      const client = new FarmClient(farm, VERSION);
      const asked = await jobOf(client, signal);
      if (withdraw) {
        const job = client.named(asked);
        await client.withdraw([job], signal);
        return { report: withdrawnReport(job) };
      }
      const job = await client.submit(asked, signal);
      const report = queuedReport(job);
      if (detach) return { report };
      if (!json) process.stderr.write(report.text);
      try {
        const files = await client.collect(job, (result) => filesOf(result, client.parts, signal), {
          signal,
          onNews: (news) =>
            news.is === 'progress' && display.update(news.share, `${news.text}, ${news.board}`),
        });
        return { files };
      } catch (error) {
        throw signal.aborted ? stillThere(error) : error;
      } finally {
        display.finish();
      }
    }),
  );
  if (ended.files === undefined) return printReport(ended.report, json);
  const summary = summaryOf(ended.files);
  if (stored.out !== undefined) storeFiles(ended.files, stored.out, stored.existing);
  printAndDraw({
    json,
    result: summary,
    text: training.text(summary),
    textAfter: storedText(stored),
    draw: () => drawCurves(stored, (directory) => training.draw(directory, summary)),
  });
}

async function filesOf(result: JobResult, parts: PartStore, signal: AbortSignal) {
  const value = trainJobValueSchema.safeParse(jobValue(result));
  if (!value.success)
    throw new ThermolinkError('BAD_FILE', 'The result of the job is not that of a training.', {
      cause: value.error,
    });
  return readShippedFiles(value.data.files, parts, signal);
}

function checkOutput(directory: string | undefined, existing: ExistingTraining): void {
  if (directory === undefined) return;
  try {
    checkTrainingDirectory(directory, existing);
  } catch (error) {
    if (!(error instanceof ThermolinkError) || error.code !== 'BAD_ARGUMENT') throw error;
    // A training in a farm cannot be resumed.
    throw new ThermolinkError(error.code, error.message, {
      hint: "Replace it by `existing: 'overwrite'`, or name another directory.",
      data: error.data,
    });
  }
}

function storeFiles(
  files: Parameters<typeof storeFilesOfTraining>[0],
  directory: string,
  existing: ExistingTraining,
): void {
  // Another training may have come there while this one was waited for.
  checkOutput(directory, existing);
  const release = lockDirectory(directory);
  try {
    writing(directory, () => storeFilesOfTraining(files, directory));
  } finally {
    release();
  }
}

function stillThere(error: unknown): unknown {
  if (!(error instanceof ThermolinkError)) return error;
  return new ThermolinkError('ABORTED', error.message, {
    cause: error,
    hint: 'The training stays in the farm: the same command gets its result, for a week; with --withdraw it leaves the queue.',
  });
}
