import { counted } from '../../../number-text.js';
import { defineCommand, printReport } from '../../command.js';
import { FARM } from '../../options/farm.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { option } from '../../options/option.js';
import { choice } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { VERSION } from '../../version.js';
import { queueStudy } from '../study/farm-places.js';
import { STUDY_NAMES, TABLE_STUDIES } from '../study/results-page.js';
import { STUDIES } from '../study/studies.js';
import { SEEDS, STUDY_SIZE } from '../study/study-command.js';
import { queueTable } from '../study/table/table-farm.js';

/**
 * Studies whose work a farm can do. The other studies are listed too, so that their refusal states the
 * reason.
 */
const NAMES = [
  ...Object.keys(STUDIES),
  ...TABLE_STUDIES.filter(({ sharing }) => sharing !== undefined).map(({ name }) => name),
];

/** The work that was put into the queue, with the keys of its jobs. */
interface QueuedWork {
  readonly model: string;
  readonly jobs: readonly { readonly training?: string; readonly run?: string; readonly job: string }[];
}

/** `thermolink farm submit study`. */
export const submitStudy = defineCommand({
  arguments: [{ name: 'study', help: `one of ${NAMES.join(', ')}`, value: choice(STUDY_NAMES) }],
  options: {
    ...STUDY_SIZE,
    out: option('--out <dir>', 'finished work in this directory is not queued (default: runs/study-STUDY)', {
      file: 'own',
    }),
    model: option('--model <name>', 'model of the boards (default: the smallest that is offered and fits)'),
    ...FARM,
    json: JSON_OUTPUT.json,
  },
  example: `
Example:
  thermolink farm submit study quantum --quick
  thermolink study quantum --quick --farm nats://127.0.0.1:4222

The first command queues the work. The second one waits for it and writes the report; it may be given hours
later. Results are kept for a week.`,
  async run({ quick = false, seeds, out, model, nats, json = false, ...access }, _, [name]) {
    const table = TABLE_STUDIES.find((study) => study.name === name);
    const count = seeds ?? SEEDS[quick ? 'quick' : 'full'];
    const where = { out: out ?? `runs/study-${name}`, quiet: true };
    const farm = { ...access, url: nats, model };
    const queued = await withInterrupt(async (signal): Promise<QueuedWork> => {
      if (table === undefined) {
        const study = STUDIES[name as keyof typeof STUDIES];
        const request = { ...{ study, quick, seeds: count, uris: [nats] }, ...where };
        return queueStudy(request, farm, VERSION, signal);
      }
      const scale = { quick, seeds: Array.from({ length: count }, (_, i) => i + 1) };
      return queueTable({ study: table, scale, ...where }, farm, VERSION, signal);
    });
    const lines = queued.jobs.map((one) => `${one.job.slice(0, 12)}  ${one.training ?? one.run}\n`);
    const noun = table === undefined ? 'training' : 'run';
    printReport(
      {
        json: queued,
        text: `${lines.join('')}${counted(lines.length, noun)} for boards of the model ${queued.model}\n`,
      },
      json,
    );
  },
});
