import type { Command } from 'commander';
import { type InverseResult, invert } from '../../../algorithms/invert.js';
import { checkSystem } from '../../../board/validation.js';
import { ThermolinkError } from '../../../errors.js';
import { readMatrix } from '../../../files/read-array.js';
import { checkOutput, WRITTEN_FORMATS, writeArray } from '../../../files/write-array.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { fittingEmulator } from '../../../serve/emulator-transport.js';
import { deviceUri, withDevice } from '../../device.js';
import { refuseSharedFiles } from '../../input/distinct-files.js';
import { CALIBRATION_OPTION, calibrationFrom } from '../../input/read-calibration.js';
import { addLogOptions, type LogOptions } from '../../logging.js';
import { seed, tolerance } from '../../options.js';
import { boardWarnings, carryNoiseRow } from '../../output/board-warnings.js';
import { formatNumber, formatSeconds } from '../../output/format.js';
import { withInterrupt } from '../../output/interrupt.js';
import { formatTable } from '../../output/table.js';
import { solveText, WorkDisplay } from '../../output/work-display.js';

const EXAMPLE = `
Example:
  printf '4,1\\n1,3\\n' > A.csv
  thermolink invert --matrix A.csv --out inverse.npy`;

interface InvertOptions extends LogOptions {
  readonly matrix: string;
  readonly tolerance: number;
  readonly device?: string;
  readonly calibration?: string;
  readonly seed: number;
  readonly out?: string;
  readonly json?: true;
}

/** Sides up to which the terminal shows the matrix. */
const SHOWN_MAX = 8;

export function addInvertCommand(program: Command): void {
  addLogOptions(program.command('invert'))
    .description('invert a symmetric positive definite matrix on a board, column by column')
    .requiredOption('--matrix <file>', 'A as .csv or .npy')
    .option(
      '--tolerance <r>',
      'bound on the estimated relative error of a column',
      tolerance('--tolerance'),
      1e-2,
    )
    .option('--device <uri>', 'which board (default: the smallest ideal emulated board that fits)')
    .option(...CALIBRATION_OPTION)
    .option('--seed <s>', 'names the noise, 0 to 2³² − 1', seed('--seed'), 0)
    .option('--out <file>', `write the inverse as ${WRITTEN_FORMATS}`)
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (options: InvertOptions) => {
      const { report, result } = await withInterrupt((signal) => run(options, signal));
      if (options.out !== undefined) await writeArray(options.out, result.inverse);
      if (!options.json) process.stderr.write(boardWarnings(report));
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ inverse: rowsOf(result.inverse), standardError: rowsOf(result.standardError), ...report })}\n`
          : reportText(result.inverse, report, options.out),
      );
    });
}

async function run(options: InvertOptions, signal: AbortSignal) {
  await refuseSharedFiles(
    { '--out': options.out, '--log-file': options.logFile },
    { '--matrix': options.matrix, '--calibration': options.calibration },
  );
  if (options.out !== undefined) await checkOutput('--out', options.out);
  const matrix = await readMatrix(options.matrix);
  refuseUnseen(matrix, options);
  const system = { kind: 'dense', matrix } as const;
  checkSystem(system);
  const calibration = await calibrationFrom(options.calibration);
  const uri = deviceUri(options.device, fittingEmulator(matrix.rows));
  const startMs = performance.now();
  const display = new WorkDisplay('invert', matrix.rows, options.json === true);
  try {
    const result = await withDevice(uri, options, signal, (device) =>
      invert(device, {
        system,
        tolerance: options.tolerance,
        address: { seed: options.seed, step: 0, block: 0 },
        ...calibration,
        signal,
        onProgress: (column, progress) =>
          display.update(
            column + progress.fraction,
            `column ${column + 1}: ${solveText(progress, options.tolerance)}`,
          ),
      }),
    );
    const hostSeconds = (performance.now() - startMs) / 1000;
    return { result, report: reportOf(matrix, result, uri, hostSeconds) };
  } finally {
    display.finish();
  }
}

/** Nobody should wait for what is neither shown nor kept. */
function refuseUnseen({ rows, columns }: Matrix, { out, json }: InvertOptions): void {
  if (rows <= SHOWN_MAX || out !== undefined || json) return;
  throw new ThermolinkError('BAD_ARGUMENT', `An inverse of ${rows}×${columns} is too large to be shown.`, {
    hint: 'Name a file for it by --out, or print it by --json.',
    data: { rows, columns },
  });
}

function reportOf(matrix: Matrix, result: InverseResult, device: string, hostSeconds: number) {
  return {
    relativeResidual: relativeResidual(matrix, result.inverse),
    carryNoiseShare: result.carryNoiseShare,
    clampedCodes: result.cost.clampedCodes,
    passes: result.passes,
    samples: result.samples,
    boardSeconds: result.cost.boardSeconds,
    device,
    timing: { hostSeconds },
  };
}

/** ‖A X − I‖_F / √N, in float64. */
function relativeResidual(a: Matrix, x: Matrix): number {
  const size = a.rows;
  let sum = 0;
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      let entry = i === j ? -1 : 0;
      for (let k = 0; k < size; k++) entry += a.data[i * size + k] * x.data[k * size + j];
      sum += entry * entry;
    }
  return Math.sqrt(sum / size);
}

function rowsOf({ rows, columns, data }: Matrix): number[][] {
  return Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);
}

function reportText(inverse: Matrix, report: ReturnType<typeof reportOf>, out: string | undefined): string {
  const facts = [
    ['relative residual ‖AX − I‖/√N', formatNumber(report.relativeResidual)],
    carryNoiseRow(report),
    ['passes', String(report.passes)],
    ['samples', String(report.samples)],
    ['board time (modelled)', formatSeconds(report.boardSeconds)],
    ['host time', formatSeconds(report.timing.hostSeconds)],
    ['device', report.device],
  ];
  const shown =
    inverse.rows <= SHOWN_MAX
      ? formatTable(
          rowsOf(inverse).map((row) => row.map((value) => formatNumber(value, 5))),
          { align: Array.from({ length: inverse.rows }, () => 'right' as const) },
        )
      : `  ${inverse.rows}×${inverse.rows}, written to ${out}\n`;
  return `${shown}\n${formatTable(facts)}`;
}
