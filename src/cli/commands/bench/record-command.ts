import { formatPercent, formatSeconds } from '../../../number-text.js';
import { defineCommand, printReport } from '../../command.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { WorkDisplay } from '../../output/work-display.js';
import { benchRecord, type RecordingCost } from './record.js';

/** The board computes in this process, so that the processor time of both ends counts. */
const DEVICE = 'emulator:ideal-crossbar';

export const command = defineCommand({
  options: { ...JSON_OUTPUT },
  example: `
Example:
  thermolink bench record

The processor times are those of the thread that host and board share, and of the thread that records beside it,
in turns with and without a recording. The full rate is left where the recording thread has a processor to itself.`,
  async run({ json }) {
    const display = new WorkDisplay('bench record', 1, json === true);
    const result = await withInterrupt((signal) =>
      benchRecord(DEVICE, signal, { onProgress: (share) => display.update(share, '') }),
    ).finally(() => display.finish());
    const rows = [
      ...costRows('first upload', result.upload),
      ...costRows('upload again', result.again),
      ...costRows('samples', result.download),
      ['bytes of the file per code byte', result.fileOverCodes.toFixed(3)],
    ];
    printReport({ json: { device: DEVICE, timing: result }, text: formatTable(rows) }, json === true);
  },
});

function costRows(what: string, cost: RecordingCost): string[][] {
  const { plainSecondsPerMegabyte, recordedSecondsPerMegabyte, recorderSecondsPerMegabyte } = cost;
  const seconds = [plainSecondsPerMegabyte, recordedSecondsPerMegabyte, recorderSecondsPerMegabyte];
  return [
    [`${what}, 1 MB plain, recorded, recording thread`, seconds.map(formatSeconds).join(', ')],
    [`${what}, left of the full rate`, formatPercent(cost.fullRateLeft, 0)],
    [`${what}, the same by the clock, now`, formatPercent(cost.clockRateLeft, 0)],
    [`${what}, share of a processor at 1 MB/s`, formatPercent(cost.shareAtOneMegabyte, 2)],
  ];
}
