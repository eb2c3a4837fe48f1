import { counted } from '../../../number-text.js';
import { defineCommand, printReport } from '../../command.js';
import { FARM } from '../../options/farm.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { option } from '../../options/option.js';
import { choice } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { VERSION } from '../../version.js';
import { queueStudy } from '../study/farm-places.js';
import { STUDIES } from '../study/studies.js';
import { SEEDS, STUDY_SIZE } from '../study/study-command.js';

const NAMES = Object.keys(STUDIES) as (keyof typeof STUDIES)[];

/** `thermolink farm submit study`. */
export const submitStudy = defineCommand({
  arguments: [{ name: 'study', help: `one of ${NAMES.join(', ')}`, value: choice(NAMES) }],
  options: {
    ...STUDY_SIZE,
    out: option(
      '--out <dir>',
      'directory of the study; its finished trainings are not queued (default: runs/study-STUDY)',
      {
        file: 'own',
      },
    ),
    model: option('--model <name>', 'model of the boards (default: the smallest that is offered and fits)'),
    ...FARM,
    json: JSON_OUTPUT.json,
  },
  example: `
Example:
  thermolink farm submit study quantum --quick
  thermolink study quantum --quick --farm nats://127.0.0.1:4222

The first command queues the trainings. The second one waits for them and writes the report; it may be given hours
later. Results are kept for a week.`,
  async run({ quick = false, seeds, out, model, nats, json = false, ...access }, _, [name]) {
    const study = STUDIES[name as keyof typeof STUDIES];
    const request = {
      ...{ study, quick, seeds: seeds ?? SEEDS[quick ? 'quick' : 'full'], uris: [nats], quiet: true },
      out: out ?? `runs/study-${study.name}`,
    };
    const queued = await withInterrupt((signal) =>
      queueStudy(request, { ...access, url: nats, model }, VERSION, signal),
    );
    const lines = queued.jobs.map(({ training, job }) => `${job.slice(0, 12)}  ${training}\n`);
    printReport(
      {
        json: queued,
        text: `${lines.join('')}${counted(lines.length, 'training')} for boards of the model ${queued.model}\n`,
      },
      json,
    );
  },
});
