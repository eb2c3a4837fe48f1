import type { Command } from 'commander';
import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import type { SolveResult } from '../../../algorithms/contract.js';
import { checkSystem, checkVector } from '../../../board/validation.js';
import { readMatrix, readVector } from '../../../files/read-array.js';
import { checkOutput, WRITTEN_FORMATS, writeArray } from '../../../files/write-array.js';
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
  printf '4,1\\n1,3\\n' > A.csv; printf '1\\n2\\n' > b.csv
  thermolink solve --matrix A.csv --rhs b.csv --tolerance 1e-3

The board's voltages settle around A⁻¹b; the host averages readings until their relative standard error is half the
tolerance, and lets the board correct what is left of the residual.`;

interface SolveOptions extends LogOptions {
  readonly matrix: string;
  readonly rhs: string;
  readonly tolerance: number;
  readonly device?: string;
  readonly calibration?: string;
  readonly seed: number;
  readonly out?: string;
  readonly json?: true;
}

const TOLERANCE_DEFAULT = 1e-2;
/** Entries of a solution that the terminal shows. */
const SHOWN_MAX = 20;

export function addSolveCommand(program: Command): void {
  addLogOptions(program.command('solve'))
    .description('solve A x = b, A symmetric positive definite, on a board')
    .requiredOption('--matrix <file>', 'A as .csv or .npy')
    .requiredOption('--rhs <file>', 'b as .csv or .npy')
    .option(
      '--tolerance <r>',
      'bound on the estimated relative error ‖x̂ − x‖₂/‖x‖₂',
      tolerance('--tolerance'),
      TOLERANCE_DEFAULT,
    )
    .option('--device <uri>', 'which board (default: the smallest ideal emulated board that fits)')
    .option(...CALIBRATION_OPTION)
    .option('--seed <s>', 'names the noise, 0 to 2³² − 1', seed('--seed'), 0)
    .option('--out <file>', `write x as ${WRITTEN_FORMATS}`)
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLE)
    .action(async (options: SolveOptions) => {
      const result = await withInterrupt((signal) => solve(options, signal));
      if (options.out !== undefined) await writeArray(options.out, result.x);
      if (!options.json) process.stderr.write(boardWarnings(factsOf(result)));
      process.stdout.write(
        options.json ? `${JSON.stringify(jsonOf(result))}\n` : reportText(result, options.out),
      );
    });
}

interface Solved extends SolveResult {
  readonly hostSeconds: number;
  readonly uri: string;
}

async function solve(options: SolveOptions, signal: AbortSignal): Promise<Solved> {
  await refuseSharedFiles(
    { '--out': options.out, '--log-file': options.logFile },
    { '--matrix': options.matrix, '--rhs': options.rhs, '--calibration': options.calibration },
  );
  if (options.out !== undefined) await checkOutput('--out', options.out);
  const matrix = await readMatrix(options.matrix);
  const drive = await readVector(options.rhs);
  const system = { kind: 'dense', matrix } as const;
  checkSystem(system);
  checkVector(drive, system, 'right-hand side');
  const calibration = await calibrationFrom(options.calibration);
  const uri = deviceUri(options.device, fittingEmulator(matrix.rows));
  const startMs = performance.now();
  const display = new WorkDisplay('solve', 1, options.json === true);
  try {
    const result = await withDevice(uri, options, signal, (device) =>
      createAnalogSolver(device, calibration).solve({
        system,
        drive,
        tolerance: options.tolerance,
        address: { seed: options.seed, step: 0, block: 0 },
        signal,
        onProgress: (progress) => display.update(progress.fraction, solveText(progress, options.tolerance)),
      }),
    );
    return { ...result, uri, hostSeconds: (performance.now() - startMs) / 1000 };
  } finally {
    display.finish();
  }
}

function factsOf({ carryNoiseShare, cost }: Solved) {
  return { carryNoiseShare, clampedCodes: cost.clampedCodes };
}

function jsonOf(result: Solved) {
  return {
    solution: [...result.x],
    standardError: [...result.standardError],
    quantizationError: result.quantizationError,
    ...factsOf(result),
    relativeResidual: result.relativeResidual,
    passes: result.passes,
    samples: result.samples,
    boardSeconds: result.cost.boardSeconds,
    uploadBytes: result.cost.uploadBytes,
    device: result.uri,
    timing: { hostSeconds: result.hostSeconds },
  };
}

function reportText(result: Solved, out: string | undefined): string {
  const { x, standardError } = result;
  const entries = [...x.subarray(0, SHOWN_MAX)].map((value, i) => [
    `x[${i}]`,
    formatNumber(value, 6),
    `± ${formatNumber(standardError[i], 2)}`,
  ]);
  const place = out === undefined ? '--out FILE or --json keeps all' : `all are in ${out}`;
  const more = x.length > SHOWN_MAX ? `  … ${x.length - SHOWN_MAX} more; ${place}\n` : '';
  const facts = [
    ['relative residual', formatNumber(result.relativeResidual)],
    ['rounding to device codes', `≤ ${formatNumber(result.quantizationError)} of ‖x‖`],
    carryNoiseRow(result),
    ['passes', String(result.passes)],
    ['samples', String(result.samples)],
    ['board time (modelled)', formatSeconds(result.cost.boardSeconds)],
    ['host time', formatSeconds(result.hostSeconds)],
    ['device', result.uri],
  ];
  return `${formatTable(entries, { align: ['left', 'right', 'left'] })}${more}\n${formatTable(facts)}`;
}
