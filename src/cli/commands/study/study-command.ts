import { join } from 'node:path';
import { ThermolinkError } from '../../../errors.js';
import { replaceFile } from '../../../files/replace-file.js';
import { counted } from '../../../number-text.js';
import { defineCommand, type LoadedCommand } from '../../command.js';
import { deviceUris } from '../../device.js';
import { FARM_ACCESS } from '../../options/farm.js';
import { devicesOption, JSON_OUTPUT, LOG, RETRY } from '../../options/groups.js';
import { flag, option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { VERSION } from '../../version.js';
import type { FarmAccess } from '../farm/connected-farm.js';
import { printAndDraw } from '../train/print-and-draw.js';
import { TRAINING_DEVICE } from '../train/run-training.js';
import { COLUMNS, findingsOf, rowsOf, searchSentences } from './findings.js';
import { jsonText } from './json-text.js';
import { reportHtml } from './report-html.js';
import { runStudy, type StudyRequest } from './run-study.js';
import { SEEDS_MAX } from './setting-search.js';
import type { Study } from './studies.js';
import { claimStudyDirectory, STUDY_FILES } from './study-directory.js';
import { taskFigure } from './study-figure.js';
import { namesOf, resultsOf, type StudyResults } from './study-results.js';

export const SEEDS = { full: 3, quick: 2 } as const;

/** Options for the size of a study. */
export const STUDY_SIZE = {
  quick: flag('--quick', 'small problems and few steps, to see within seconds that the study runs'),
  seeds: option('--seeds <n>', `train with the seeds 1 to n (default: ${SEEDS.full}, quick ${SEEDS.quick})`, {
    value: positiveInteger(SEEDS_MAX),
  }),
};

/** What is printed at Ctrl-C, if a farm does the work. */
export const LEAVING_FARM = 'taking unfinished jobs out of the queue';

/** Options for the farm of a study. */
export const STUDY_FARM = {
  farm: option('--farm <url>', 'let the farm of this NATS server do the work: nats://HOST:PORT'),
  model: option('--model <name>', 'model of the boards of the farm (default: the smallest that fits)'),
  ...FARM_ACCESS,
};

/** `thermolink study NAME`: trains, stores, compares. */
export function studyCommand(study: Study, notes: string): LoadedCommand {
  const options = {
    ...STUDY_SIZE,
    out: option('--out <dir>', 'where trainings, data, pictures and report are stored', {
      default: `runs/study-${study.name}`,
      file: 'own',
    }),
    resume: flag('--resume', 'continue the study in --out; its finished trainings are kept'),
    ...devicesOption(TRAINING_DEVICE),
    ...STUDY_FARM,
    ...JSON_OUTPUT,
    ...RETRY,
    ...LOG,
  };
  return defineCommand({
    options,
    example: `
Examples:
  thermolink study ${study.name} --quick --out runs/quick
  thermolink study ${study.name} --seeds 5 --resume
  thermolink study ${study.name} --device serial:/dev/ttyACM0 --device serial:/dev/ttyACM1

${notes}

Ctrl-C loses nothing: --resume continues at the step where the study stopped. It also adds seeds to a finished study.
Give --device several times to use several boards of one model. Each board has one training at a time. If a board
fails, another one takes its training. Several emulated boards compute in threads of their own.
With --farm boards of other machines do the trainings (docs/how-to/run-a-farm.md). Files and results are the same.`,
    async run({
      quick = false,
      seeds = quick ? SEEDS.quick : SEEDS.full,
      out,
      resume = false,
      json,
      devices,
      farm,
      model,
      ...rest
    }) {
      refuseInertFarm(farm, { model, ...rest }, devices);
      const uris = farm === undefined ? deviceUris(devices, TRAINING_DEVICE) : [farm];
      const claimed = claimStudyDirectory(out, { study: study.name, quick }, resume, {
        ...{ seeds, device: namesOf(uris), thermolink: VERSION },
        tasks: study.tasksOf(quick).map(({ name, problem, methods }) => ({
          ...{ name, problem: problem.settings },
          methods: methods.map(({ label, name: optimizer, options, steps, search }) => ({
            ...{ label, optimizer, options, steps, search },
          })),
        })),
      });
      const { begin } = claimed;
      const request: StudyRequest = { study, quick, seeds, out, uris, quiet: json === true, begin, ...rest };
      try {
        const run = await withInterrupt(
          async (signal) => {
            if (farm === undefined) return runStudy(request, signal);
            const { runStudyInFarm } = await import('./farm-places.js');
            return runStudyInFarm(request, { ...rest, url: farm, model }, VERSION, signal);
          },
          {
            onInterrupt: () =>
              process.stderr.write(`\n${farm === undefined ? 'stopping after this step' : LEAVING_FARM} …\n`),
          },
        ).catch((error: unknown) => {
          throw claimed.hasBegun() ? withWayOn(error, out) : error;
        });
        const results = resultsOf(request, run);
        replaceFile(join(out, STUDY_FILES.results), jsonText(results, 'trainings'));
        printAndDraw({
          json: json === true,
          result: results,
          text: studyText(results),
          textAfter: `Stored in ${out}: ${STUDY_FILES.report}, ${STUDY_FILES.results}, a picture for each problem, the trainings.\n`,
          draw: () => draw(request, results),
        });
      } finally {
        claimed.release();
      }
    },
  });
}

/**
 * Refuses options of a board together with a farm, which has boards of its own, and options of a farm without
 * one. Errors: BAD_ARGUMENT.
 */
export function refuseInertFarm(
  farm: string | undefined,
  options: FarmAccess & { readonly model?: string | undefined },
  devices: readonly string[] | undefined,
): void {
  const { model, tokenFile, creds, tlsCa, tlsCert, tlsKey } = options;
  const given = Object.entries({ model, tokenFile, creds, tlsCa, tlsCert, tlsKey }).find(
    ([, value]) => value !== undefined,
  );
  if (farm !== undefined && devices !== undefined)
    throw new ThermolinkError('BAD_ARGUMENT', '`farm` and `devices` exclude each other.', {
      hint: 'A farm has its own boards. Offer this board to the farm by `thermolink farm worker`.',
    });
  if (farm === undefined && given !== undefined)
    throw new ThermolinkError('BAD_ARGUMENT', `\`${given[0]}\` does nothing without \`farm\`.`, {
      hint: 'Leave it out.',
    });
}

function draw({ study, quick, seeds, out }: StudyRequest, results: StudyResults): void {
  const pictures = results.tasks.map((task) => {
    const svg = taskFigure(task, study.logSteps);
    replaceFile(join(out, `${task.name}.svg`), svg);
    return svg;
  });
  const command = `thermolink study ${study.name}${quick ? ' --quick' : ''} --seeds ${seeds}`;
  replaceFile(join(out, STUDY_FILES.report), reportHtml(results, pictures, command));
}

/** The tables and findings of all tasks. */
function studyText({ tasks, seeds }: StudyResults): string {
  const parts = tasks.map((task) => {
    const align = COLUMNS.map((_, column) => (column === 0 || column === 3 ? 'left' : 'right'));
    const table = formatTable(rowsOf(task), { header: COLUMNS, align });
    const findings = [...findingsOf(task), ...searchSentences(task)].map((line) => `  ${line}\n`);
    return `${task.title}, ${counted(seeds.length, 'seed')}\n${table}\n${findings.join('')}\n`;
  });
  return parts.join('');
}

/** Adds to an error how to resume the study, because finished work remains after any error. */
export function withWayOn(error: unknown, out: string): unknown {
  if (!(error instanceof ThermolinkError)) return error;
  const wayOn = `${out} holds the work done so far. To continue, give the same command with --resume.`;
  return new ThermolinkError(error.code, error.message, {
    cause: error.cause,
    retryable: error.retryable,
    hint: error.hint === undefined ? wayOn : `${error.hint} ${wayOn}`,
    data: error.data,
  });
}
