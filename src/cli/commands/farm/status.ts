import { type AnnouncedBoard, FarmClient, type FarmStatus } from '../../../farm/index.js';
import { counted, formatCount, formatNumber } from '../../../number-text.js';
import { defineCommand, printReport } from '../../command.js';
import { FARM } from '../../options/farm.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { VERSION } from '../../version.js';
import { withFarm } from './connected-farm.js';

const HEADER = ['model', 'serial', 'cells', 'calibrated', 'state', 'done', 'load', 'board', 'host'];

export const command = defineCommand({
  options: { ...FARM, json: JSON_OUTPUT.json },
  example: `
Example:
  thermolink farm status --nats nats://127.0.0.1:4222

Shows the boards that are offered, the jobs without a result, and how many results the farm keeps (for a
week).`,
  async run({ nats, json, ...access }) {
    const status = await withInterrupt((signal) =>
      withFarm(nats, access, { signal }, (farm) => new FarmClient(farm, VERSION).status(signal)),
    );
    printReport({ json: status, text: statusText(status) }, json === true);
  },
});

function statusText({ boards, queue, results, malformed }: FarmStatus): string {
  const table =
    boards.length === 0
      ? 'No board is offered: start `thermolink farm worker`.\n'
      : formatTable(boards.map(boardRow), { header: HEADER });
  const waiting = queue.map(
    ({ boards: which, jobs, isOffered }) =>
      `${counted(jobs, 'job')} without a result for ${which}${isOffered ? '' : '; no such board is offered'}\n`,
  );
  const unread = malformed === 0 ? '' : `${counted(malformed, 'entry', 'entries')} of another form\n`;
  return `${table}\n${waiting.join('')}${unread}${counted(results, 'result')} kept\n`;
}

function boardRow({
  identity,
  calibratedAt,
  state,
  job,
  jobsDone,
  load,
  uri,
  host,
}: AnnouncedBoard): string[] {
  const { model, serialNumber, cells } = identity;
  return [
    ...[model, serialNumber, formatCount(cells), calibratedAt?.slice(0, 10) ?? '–'],
    ...[
      job === null ? state : `${state} ${job.slice(0, 8)}`,
      formatCount(jobsDone),
      formatNumber(load),
      uri,
      host,
    ],
  ];
}
