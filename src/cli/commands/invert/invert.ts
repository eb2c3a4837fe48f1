import type { InverseResult } from '../../../algorithms/invert.js';
import { ThermolinkError } from '../../../errors.js';
import { READ_FORMATS, readSquareMatrix } from '../../../files/read-array.js';
import { writeArray } from '../../../files/write-array.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { formatCount, formatMeasured, formatNumber, formatSeconds } from '../../../number-text.js';
import { boardCommand, type Worked } from '../../board-command.js';
import { readCalibration } from '../../input/read-calibration.js';
import { arrayOutput, CALIBRATION, SEED, toleranceOption } from '../../options/groups.js';
import { option } from '../../options/option.js';
import { boardWarnings, carryNoiseRows, repeatRows } from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';
import { solveText } from '../../output/work-display.js';

/** Larger matrices are not shown on the terminal. */
const SHOWN_MAX = 8;

export const command = boardCommand({
  options: {
    matrix: option('--matrix <file>', `A as ${READ_FORMATS}`, { required: true, file: 'input' }),
    ...toleranceOption('of a column'),
    ...arrayOutput('the inverse'),
    ...CALIBRATION,
    ...SEED,
  },
  example: `
Example:
  printf '4,1\\n1,3\\n' > A.csv
  thermolink invert --matrix A.csv --out inverse.npy`,
  async run(
    { matrix: matrixFile, tolerance, out, calibration: calibrationFile, seed, json, device },
    onBoard,
  ) {
    // `--help` does not need these modules.
    const [{ invert }, { checkSystem }] = await Promise.all([
      import('../../../algorithms/invert.js'),
      import('../../../board/checked-system.js'),
    ]);
    const matrix = await readSquareMatrix(matrixFile);
    if (out === undefined && !json) refuseUnseen(matrix);
    const system = checkSystem({ kind: 'dense', matrix });
    const calibration = await readCalibration(calibrationFile, device);
    const worked = await onBoard(
      (board, { signal, show }) =>
        invert(board, {
          system,
          tolerance,
          address: { seed, step: 0, block: 0 },
          calibration,
          signal,
          onProgress: (column, progress) =>
            show(column + progress.fraction, `column ${column + 1}: ${solveText(progress, tolerance)}`),
        }),
      { cells: matrix.rows, total: matrix.rows },
    );
    const { inverse, standardError } = worked.result;
    if (out !== undefined) await writeArray(out, inverse);
    const facts = factsOf(matrix, worked);
    return {
      json: { inverse: rowsOf(inverse), standardError: rowsOf(standardError), ...facts },
      text: reportText(worked.result, facts, out),
      warnings: boardWarnings(facts),
    };
  },
});

/** Refuses to compute an inverse that would be neither shown nor stored. */
function refuseUnseen({ rows, columns }: Matrix): void {
  if (rows <= SHOWN_MAX) return;
  throw new ThermolinkError('BAD_ARGUMENT', `An inverse of ${rows}×${columns} is too large to be shown.`, {
    hint: 'Name a file for it by --out, or print it by --json.',
    data: { rows, columns },
  });
}

function factsOf(matrix: Matrix, { result, device, hostSeconds, repeats }: Worked<InverseResult>) {
  return {
    relativeResidual: relativeResidual(matrix, result.inverse),
    carryNoiseShare: result.carryNoiseShare,
    clampedCodes: result.cost.clampedCodes,
    passes: result.passes,
    samples: result.samples,
    boardSeconds: result.cost.boardSeconds,
    repeats,
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

function reportText(
  { inverse, standardError }: InverseResult,
  facts: ReturnType<typeof factsOf>,
  out: string | undefined,
): string {
  const rows = [
    ['relative residual ‖AX − I‖/√N', formatNumber(facts.relativeResidual)],
    ...carryNoiseRows(facts),
    ['passes', formatCount(facts.passes)],
    ['samples', formatCount(facts.samples)],
    ['board time (modelled)', formatSeconds(facts.boardSeconds)],
    ...repeatRows(facts),
    ['host time', formatSeconds(facts.timing.hostSeconds)],
    ['device', facts.device],
  ];
  const shown =
    inverse.rows <= SHOWN_MAX
      ? formatTable(
          rowsOf(inverse).map((row, i) =>
            row.map((value, j) => formatMeasured(value, standardError.data[i * inverse.columns + j]).value),
          ),
          { align: Array.from({ length: inverse.rows }, () => 'point' as const) },
        )
      : `  ${inverse.rows}×${inverse.rows}, written to ${out}\n`;
  return `${shown}\n${formatTable(rows)}`;
}
