import { formatPercent, formatSeconds } from '../../../number-text.js';
import { defineCommand, printReport } from '../../command.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { benchRecord, type RecordingCost } from './record.js';

/** The board computes in this process, so that the processor time of both ends counts. */
const DEVICE = 'emulator:ideal-crossbar';

export const command = defineCommand({
  options: { ...JSON_OUTPUT },
  example: `
Example:
  thermolink bench record

The figures are processor times of host, board and recording in this process, in turns with and without a recording.`,
  async run({ json }) {
    const result = await withInterrupt((signal) => benchRecord(DEVICE, signal));
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
  const { plainSecondsPerMegabyte, recordedSecondsPerMegabyte, fullRateLeft, shareAtOneMegabyte } = cost;
  return [
    [
      `${what}, 1 MB plain, recorded`,
      `${formatSeconds(plainSecondsPerMegabyte)}, ${formatSeconds(recordedSecondsPerMegabyte)}`,
    ],
    [`${what}, left of the full rate`, formatPercent(fullRateLeft, 0)],
    [`${what}, share of a processor at 1 MB/s`, formatPercent(shareAtOneMegabyte, 2)],
  ];
}
