import type { SolveProgress, SolveResult } from '../../../algorithms/contract.js';
import { READ_FORMATS, readRightHandSide, readSquareMatrix } from '../../../files/read-array.js';
import { writeArray } from '../../../files/write-array.js';
import { formatCount, formatMeasured, formatNumber, formatSeconds } from '../../../number-text.js';
import { type BoardUse, boardCommand, type Worked } from '../../board-command.js';
import type { Report } from '../../command.js';
import { readCalibration } from '../../input/read-calibration.js';
import { arrayOutput, CALIBRATION, SEED, toleranceOption } from '../../options/groups.js';
import { option } from '../../options/option.js';
import { boardWarnings, carryNoiseRows, repeatRows } from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';
import { solveText } from '../../output/work-display.js';

/** The terminal shows at most this many entries of a solution. */
const SHOWN_MAX = 20;

export const command = boardCommand({
  options: {
    matrix: option('--matrix <file>', `A as ${READ_FORMATS}`, { required: true, file: 'input' }),
    rhs: option('--rhs <file>', `b as ${READ_FORMATS}`, { required: true, file: 'input' }),
    ...toleranceOption('‖x̂ − x‖₂/‖x‖₂'),
    ...arrayOutput('x'),
    ...CALIBRATION,
    ...SEED,
  },
  example: `
Example:
  printf '4,1\\n1,3\\n' > A.csv; printf '1\\n2\\n' > b.csv
  thermolink solve --matrix A.csv --rhs b.csv --tolerance 1e-3

The board's voltages settle around A⁻¹b; the host averages readings until their relative standard error is half the
tolerance, and lets the board correct what is left of the residual.`,
  async run(
    { matrix: matrixFile, rhs, tolerance, out, calibration: calibrationFile, seed, device },
    onBoard,
    onLucidac,
  ) {
    // `--help` does not need these modules.
    const { solve } = await import('../../../algorithms/solve/solve.js');
    const { matrix, system, drive } = await readSolveInputs(matrixFile, rhs);
    // A LUCIDAC takes no calibration; connecting to it reports that error.
    const calibration = onLucidac ? undefined : await readCalibration(calibrationFile, device);
    const request = { system, drive, tolerance, address: { seed, step: 0, block: 0 } };
    const watched = ({ signal, show }: BoardUse) => ({
      signal,
      onProgress: (progress: SolveProgress): void => show(progress.fraction, solveText(progress, tolerance)),
    });
    const worked = onLucidac
      ? await onLucidac(async (lucidac, use) => {
          const { createLucidacSolver } = await import('../../../lucidac/lucidac-solver.js');
          return createLucidacSolver(lucidac).solve({ ...request, ...watched(use) });
        })
      : await onBoard((board, use) => solve(board, { ...request, calibration, ...watched(use) }), {
          cells: matrix.rows,
        });
    return solveReport(worked, out, onLucidac ? 'board time (as asked for)' : 'board time (modelled)');
  },
});

/** A and b of two files, checked. Errors: BAD_FILE, BAD_MATRIX, NOT_POSITIVE_DEFINITE. */
export async function readSolveInputs(matrixFile: string, rhs: string) {
  const { checkSystem, checkVector } = await import('../../../board/checked-system.js');
  const matrix = await readSquareMatrix(matrixFile);
  const drive = await readRightHandSide(rhs, matrixFile, matrix.rows);
  const system = checkSystem({ kind: 'dense', matrix });
  checkVector(drive, system, 'right-hand side');
  return { matrix, system, drive };
}

/** Writes the solution if a file is named, and returns the text to be printed. */
export async function solveReport(
  worked: Worked<SolveResult>,
  out: string | undefined,
  boardTime: string,
): Promise<Report> {
  if (out !== undefined) await writeArray(out, worked.result.x);
  return {
    json: jsonOf(worked),
    text: reportText(worked, out, boardTime),
    warnings: boardWarnings(factsOf(worked.result)),
  };
}

function factsOf({ carryNoiseShare, cost }: SolveResult) {
  return { carryNoiseShare, clampedCodes: cost.clampedCodes };
}

function jsonOf({ result, device, hostSeconds, repeats }: Worked<SolveResult>) {
  return {
    solution: [...result.x],
    standardError: [...result.standardError],
    quantizationError: result.quantizationError,
    ...factsOf(result),
    relativeResidual: result.relativeResidual,
    passes: result.passes,
    samples: result.samples,
    ...(result.combined && { combined: result.combined }),
    boardSeconds: result.cost.boardSeconds,
    uploadBytes: result.cost.uploadBytes,
    repeats,
    device,
    timing: { hostSeconds },
  };
}

/** Rows about combined readings. There are no such rows if the board had the system itself. */
function combinedRows({ combined }: SolveResult): string[][] {
  if (combined === undefined) return [];
  const { refinedResidual, relativeDamping, products } = combined;
  return [
    ['  without the last noise', formatNumber(refinedResidual)],
    ['damping on the board', `${formatNumber(relativeDamping)} of λ_max`],
    ['products with A on the host', formatCount(products)],
  ];
}

function reportText(
  { result, device, hostSeconds, repeats }: Worked<SolveResult>,
  out: string | undefined,
  boardTime: string,
): string {
  const { x, standardError } = result;
  const entries = Array.from(x.subarray(0, SHOWN_MAX), (entry, i) => {
    const { value, error } = formatMeasured(entry, standardError[i]);
    return [`x[${i}]`, value, `± ${error}`];
  });
  const place = out === undefined ? '--out FILE or --json keeps all' : `all are in ${out}`;
  const more = x.length > SHOWN_MAX ? `  … ${x.length - SHOWN_MAX} more; ${place}\n` : '';
  const facts = [
    ['relative residual', formatNumber(result.relativeResidual)],
    ...combinedRows(result),
    ['rounding to device codes', `≤ ${formatNumber(result.quantizationError)} of ‖x‖`],
    ...carryNoiseRows(result),
    ['passes', formatCount(result.passes)],
    ['samples', formatCount(result.samples)],
    [boardTime, formatSeconds(result.cost.boardSeconds)],
    ...repeatRows({ repeats }),
    ['host time', formatSeconds(hostSeconds)],
    ['device', device],
  ];
  return `${formatTable(entries, { align: ['left', 'point', 'left'] })}${more}\n${formatTable(facts)}`;
}
