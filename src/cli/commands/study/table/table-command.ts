import { join } from 'node:path';
import { ThermolinkError } from '../../../../errors.js';
import { replaceFile } from '../../../../files/replace-file.js';
import { defineCommand, type LoadedCommand } from '../../../command.js';
import { deviceUris } from '../../../device.js';
import { devicesOption, JSON_OUTPUT } from '../../../options/groups.js';
import { flag, type OptionSpecs, option, repeatedOption } from '../../../options/option.js';
import { positiveInteger } from '../../../options/values.js';
import { withInterrupt } from '../../../output/interrupt.js';
import { VERSION } from '../../../version.js';
import { printAndDraw } from '../../train/print-and-draw.js';
import { jsonText } from '../json-text.js';
import { LEAVING_FARM, refuseInertFarm, STUDY_FARM, withWayOn } from '../study-command.js';
import { type ClaimedDirectory, claimStudyDirectory, STUDY_FILES } from '../study-directory.js';
import { namesOf } from '../study-results.js';
import { refuseAlone, runTable } from './run-table.js';
import { tableHtml, tablePicture, tableResults, tableText } from './table-report.js';
import type { StudyOptions, TableRun, TableStudy } from './table-study.js';

const SEEDS_MAX = 1000;
const SEEDS = { full: 3, quick: 2 } as const;

/** Every study knows the option, so that a study that takes one board can give the reason. */
const NO_FARM = { farm: option('--farm <url>', 'not for this study: its error says why') };

/** `thermolink study NAME` for a study that is tables of runs. */
export function tableCommand(study: TableStudy): LoadedCommand {
  const { name, about, device: ownDevice, sharing, options: own = {} } = study;
  const options = {
    quick: flag('--quick', 'few runs of small sizes, to see within seconds that the study runs'),
    seeds: option('--seeds <n>', `run with the seeds 1 to n (default: ${SEEDS.full}, quick ${SEEDS.quick})`, {
      value: positiveInteger(SEEDS_MAX),
    }),
    out: option('--out <dir>', 'where runs, data, picture and report are stored', {
      default: `runs/study-${name}`,
      file: 'own',
    }),
    resume: flag('--resume', 'continue the study in --out; its finished runs are kept'),
    ...JSON_OUTPUT,
  };
  const all: OptionSpecs = {
    ...options,
    ...deviceOption(study),
    ...(sharing === undefined ? NO_FARM : STUDY_FARM),
    ...own,
  };
  return defineCommand({
    options: all as typeof options & typeof STUDY_FARM & { devices?: ReturnType<typeof repeatedOption> },
    example: `
Examples:
  thermolink study ${name} --quick --out runs/quick
  thermolink study ${name} --seeds 5 --resume

${about.join('\n')}

Ctrl-C loses only the current run: --resume does the missing runs. It also adds seeds.${
      sharing === undefined
        ? ''
        : `
Give --device several times to use several boards of one model. Each board has one run at a time. If a board fails,
another one takes its run. Several emulated boards compute in threads of their own.
--farm lets boards of other machines do the runs (docs/how-to/run-a-farm.md): files and results are the same.`
    }`,
    async run(values) {
      const { quick = false, out, resume = false, json, devices, farm, model } = values;
      const { tokenFile, creds, tlsCa, tlsCert, tlsKey } = values;
      const access = { tokenFile, creds, tlsCa, tlsCert, tlsKey };
      const { seeds: count = quick ? SEEDS.quick : SEEDS.full } = values;
      const seeds = Array.from({ length: count }, (_, i) => i + 1);
      const scale = { quick, seeds };
      const ownOptions = ownValues(own, values);
      if (farm !== undefined) refuseAlone(study);
      refuseInertFarm(farm, { model, ...access }, devices);
      const uris = ownDevice === undefined ? [''] : deviceUris(devices, ownDevice);
      if (uris.length > 1 && sharing === undefined)
        throw new ThermolinkError('BAD_ARGUMENT', `The study ${name} takes one board.`, {
          hint: 'Its runs measure times, and runs on another board at the same time would lengthen them.',
        });
      const settings = { seeds, options: ownOptions, thermolink: VERSION };
      let claimed: ClaimedDirectory | undefined;
      const claim = (board: string | undefined): ClaimedDirectory => {
        const mark = { study: name, quick, ...(board === undefined ? {} : { board }) };
        return (claimed = claimStudyDirectory(out, mark, resume, settings));
      };
      try {
        const request = { study, scale, out, quiet: json === true };
        const { runs, board } = await withInterrupt(
          async (signal): Promise<{ runs: readonly TableRun[]; board: string | undefined }> => {
            if (farm !== undefined) {
              const { runTableInFarm } = await import('./table-farm.js');
              return runTableInFarm(request, { ...access, url: farm, model }, VERSION, signal, claim);
            }
            const here = ownDevice === undefined ? undefined : namesOf(uris);
            const { begin } = claim(here);
            return { runs: await runTable({ ...request, uris, begin }, signal), board: here };
          },
          {
            onInterrupt: () =>
              process.stderr.write(`\n${farm === undefined ? 'stopping after this run' : LEAVING_FARM} …\n`),
          },
        ).catch((error: unknown) => {
          throw claimed?.hasBegun() ? withWayOn(error, out) : error;
        });
        const facts = { runs, options: ownOptions, ...(board === undefined ? {} : { board }) };
        const results = tableResults(study, scale, facts);
        replaceFile(join(out, STUDY_FILES.results), jsonText(results, 'runs'));
        printAndDraw({
          json: json === true,
          result: results,
          text: tableText(study, results),
          textAfter: `Stored in ${out}: ${STUDY_FILES.report}, ${STUDY_FILES.results}, ${name}.svg.\n`,
          draw: () => {
            const svg = tablePicture(study, results);
            replaceFile(join(out, `${name}.svg`), svg);
            const command = `thermolink study ${name}${quick ? ' --quick' : ''} --seeds ${count}`;
            replaceFile(join(out, STUDY_FILES.report), tableHtml(study, results, svg, command));
          },
        });
      } finally {
        claimed?.release();
      }
    },
  });
}

/** --device, if the board can be chosen. */
function deviceOption({ device, sharing }: TableStudy): OptionSpecs {
  if (device === undefined) return {};
  if (sharing !== undefined) return devicesOption(device);
  return { devices: repeatedOption('--device <uri>', `which board (default: ${device})`) };
}

/** The values of the options of the study itself. */
function ownValues(own: OptionSpecs, values: object): StudyOptions {
  const given = values as Readonly<Record<string, number>>;
  return Object.fromEntries(Object.keys(own).map((name) => [name, given[name]]));
}
