import type { Command } from 'commander';
import { checkDrawCount, drawSamples } from '../../../algorithms/sample.js';
import { checkSystem } from '../../../board/validation.js';
import { readMatrix } from '../../../files/read-array.js';
import { checkOutput, WRITTEN_FORMATS, writeArray } from '../../../files/write-array.js';
import { fittingEmulator } from '../../../serve/emulator-transport.js';
import { deviceUri, withDevice } from '../../device.js';
import { refuseSharedFiles } from '../../input/distinct-files.js';
import { CALIBRATION_OPTION, calibrationFrom } from '../../input/read-calibration.js';
import { addLogOptions, type LogOptions } from '../../logging.js';
import { positiveInteger, seed } from '../../options.js';
import { boardWarnings, carryNoiseRow, UNCALIBRATED_BOARD } from '../../output/board-warnings.js';
import { formatPercent, formatSeconds } from '../../output/format.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { WorkDisplay } from '../../output/work-display.js';

const EXAMPLE = `
Example:
  printf '4,1\\n1,3\\n' > P.csv
  thermolink sample --matrix P.csv --count 1000 --out x.npy`;

interface SampleOptions extends LogOptions {
  readonly matrix: string;
  readonly count: number;
  readonly out: string;
  readonly device?: string;
  readonly calibration?: string;
  readonly seed: number;
  readonly json?: true;
}

export function addSampleCommand(program: Command): void {
  addLogOptions(program.command('sample'))
    .description('draw from N(0, P⁻¹): the noise of an undriven board')
    .requiredOption('--matrix <file>', 'the precision matrix P as .csv or .npy')
    .requiredOption('--count <n>', 'how many draws', positiveInteger('--count', 10_000_000))
    .requiredOption('--out <file>', `write the draws, count × N, as ${WRITTEN_FORMATS}`)
    .option('--device <uri>', 'which board (default: the smallest ideal emulated board that fits)')
    .option(...CALIBRATION_OPTION)
    .option('--seed <s>', 'names the noise, 0 to 2³² − 1', seed('--seed'), 0)
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (options: SampleOptions) => {
      const report = await withInterrupt((signal) => sample(options, signal));
      if (!options.json) process.stderr.write(boardWarnings(report));
      process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : reportText(report));
    });
}

async function sample(options: SampleOptions, signal: AbortSignal) {
  const { count } = options;
  await refuseSharedFiles(
    { '--out': options.out, '--log-file': options.logFile },
    { '--matrix': options.matrix, '--calibration': options.calibration },
  );
  await checkOutput('--out', options.out);
  const precision = { kind: 'dense', matrix: await readMatrix(options.matrix) } as const;
  checkSystem(precision);
  checkDrawCount(count, precision.matrix.rows);
  const calibration = await calibrationFrom(options.calibration);
  const uri = deviceUri(options.device, fittingEmulator(precision.matrix.rows));
  const startMs = performance.now();
  const display = new WorkDisplay('sample', count, options.json === true);
  try {
    const { draws, correlationMax, carryNoiseShare, isCovarianceKnown, cost } = await withDevice(
      uri,
      options,
      signal,
      (device) =>
        drawSamples(device, {
          precision,
          count,
          address: { seed: options.seed, step: 0, block: 0 },
          ...calibration,
          signal,
          onProgress: (done) => display.update(done, 'draws'),
        }),
    );
    await writeArray(options.out, draws);
    return {
      out: options.out,
      count: draws.rows,
      cells: draws.columns,
      correlationMax,
      carryNoiseShare,
      clampedCodes: cost.clampedCodes,
      warnings: isCovarianceKnown ? [] : [UNCALIBRATED_BOARD],
      boardSeconds: cost.boardSeconds,
      device: uri,
      timing: { hostSeconds: (performance.now() - startMs) / 1000 },
    };
  } finally {
    display.finish();
  }
}

function reportText(report: Awaited<ReturnType<typeof sample>>): string {
  return formatTable([
    ['draws', `${report.count} of ${report.cells} cells, written to ${report.out}`],
    ['correlation of neighbours', `at most ${formatPercent(report.correlationMax, 0)}, in the slowest mode`],
    carryNoiseRow(report),
    ['board time (modelled)', formatSeconds(report.boardSeconds)],
    ['host time', formatSeconds(report.timing.hostSeconds)],
    ['device', report.device],
  ]);
}
