import { formatBytes, formatPercent, formatSeconds } from '../../../number-text.js';
import { defineCommand, printReport } from '../../command.js';
import { JSON_OUTPUT } from '../../options/groups.js';
import { option } from '../../options/option.js';
import { choice, positiveInteger } from '../../options/values.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { WorkDisplay } from '../../output/work-display.js';
import { benchRecord, type LineCost, type RecordingCost, STREAM_BYTES } from './record.js';
import { BENCH_PORTS } from './record-port.js';

/** The board computes in this process, so that the processor time of both ends counts. */
const PROFILE = 'ideal-crossbar';

export const command = defineCommand({
  options: {
    port: option('--port <port>', `how host and board are connected: ${BENCH_PORTS.join(', ')}`, {
      value: choice(BENCH_PORTS),
      default: 'memory' as (typeof BENCH_PORTS)[number],
    }),
    pairs: option('--pairs <n>', 'measured pairs of turns with and without a recording', {
      value: positiveInteger(100),
      default: 5,
    }),
    megabytes: option('--megabytes <n>', 'MB that each work sends in a turn at full rate', {
      value: positiveInteger(10_000),
      default: STREAM_BYTES / 1e6,
    }),
    ...JSON_OUTPUT,
  },
  example: `
Examples:
  thermolink bench record
  thermolink bench record --port tcp --pairs 9
  thermolink bench record --megabytes 800

Host and board share one thread; a second thread records. The table shows the processor times of both threads as
medians over pairs of turns: one turn with a recording, one without. The share of the full rate that is left holds
only if the recording thread has a processor of its own. The full rate is that of this machine; the last rows have the
rates of real lines, 1 MB/s and 40 MB/s (USB at high speed). In a turn of 100 MB the recording thread still compiles
its code; a longer turn shows the cost of a long session.`,
  async run({ port, pairs, megabytes, json }) {
    const display = new WorkDisplay('bench record', 1, json === true);
    const result = await withInterrupt((signal) =>
      benchRecord(PROFILE, signal, {
        port,
        rounds: pairs,
        streamBytes: megabytes * 1e6,
        onProgress: (share) => display.update(share, ''),
      }),
    ).finally(() => display.finish());
    const rows = [
      ...costRows('first upload', result.upload),
      ...costRows('upload again', result.again),
      ...costRows('samples', result.download),
      ...result.lines.flatMap(lineRows),
      ['bytes of the file per code byte', result.fileOverCodes.toFixed(3)],
      ...(result.endedEarly > 0
        ? [['pairs measured again, because their recording ended early', String(result.endedEarly)]]
        : []),
    ];
    const about = { device: `emulator:${PROFILE}`, port, pairs, megabytes };
    printReport({ json: { ...about, timing: result }, text: formatTable(rows) }, json === true);
  },
});

function lineRows({
  bytesPerSecond,
  direction,
  plainBytesPerSecond,
  clockRateLeft,
  processorShare,
}: LineCost): string[][] {
  const line = `${direction === 'upload' ? 'upload' : 'samples'} at ${formatBytes(bytesPerSecond)}/s`;
  return [
    [
      `${line}, left by the clock`,
      `${formatPercent(clockRateLeft, 1)} of ${formatBytes(plainBytesPerSecond)}/s`,
    ],
    [`${line}, share of a processor`, formatPercent(processorShare, 1)],
  ];
}

function costRows(what: string, cost: RecordingCost): string[][] {
  const { plainSecondsPerMegabyte, recordedSecondsPerMegabyte, recorderSecondsPerMegabyte } = cost;
  const seconds = [plainSecondsPerMegabyte, recordedSecondsPerMegabyte, recorderSecondsPerMegabyte];
  const limit = cost.limit === 'host' ? 'host and board' : 'the recording thread';
  return [
    [
      `${what}, rate by the clock without a recording`,
      `${formatBytes(1e6 / cost.plainClockSecondsPerMegabyte)}/s`,
    ],
    [`${what}, 1 MB plain, recorded, recording thread`, seconds.map(formatSeconds).join(', ')],
    [`${what}, left of the full rate`, `${formatPercent(cost.fullRateLeft, 0)}, limited by ${limit}`],
    [`${what}, left of the rate by the clock`, formatPercent(cost.clockRateLeft, 0)],
    [
      `${what}, 1 MB by the clock, plain, recorded`,
      [cost.plainClockSecondsPerMegabyte, cost.recordedClockSecondsPerMegabyte].map(formatSeconds).join(', '),
    ],
    [
      `${what}, the part of these times without a processor`,
      [cost.plainWaitSecondsPerMegabyte, cost.recordedWaitSecondsPerMegabyte].map(formatSeconds).join(', '),
    ],
  ];
}
