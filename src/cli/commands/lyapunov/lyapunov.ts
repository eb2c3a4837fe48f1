import type { LyapunovResult } from '../../../algorithms/lyapunov/contract.js';
import { checkEquation, solveLyapunov } from '../../../algorithms/lyapunov/solve-lyapunov.js';
import { READ_FORMATS, readSquareMatrix } from '../../../files/read-array.js';
import { writeArray } from '../../../files/write-array.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { eigenvaluesOf, solveContinuousLyapunov } from '../../../linalg/matrix-equations.js';
import { norm2, subtract } from '../../../linalg/products.js';
import {
  counted,
  formatBytes,
  formatMeasured,
  formatNumber,
  formatPercent,
  formatSeconds,
} from '../../../number-text.js';
import { boardCommand, type Worked } from '../../board-command.js';
import { readCalibration } from '../../input/read-calibration.js';
import { arrayOutput, CALIBRATION, SEED } from '../../options/groups.js';
import { flag, option } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import { boardWarnings, repeatRows, UNCALIBRATED_BOARD } from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';

/** Rows of X that the terminal shows. */
const SHOWN_MAX = 6;

export const command = boardCommand({
  options: {
    matrix: option('--matrix <file>', `A as ${READ_FORMATS}`, { required: true, file: 'input' }),
    rhs: option('--rhs <file>', `S as ${READ_FORMATS}`, { required: true, file: 'input' }),
    readings: option('--readings <n>', 'readings of all cells, from 1,536', {
      value: positiveInteger(100_000_000),
      default: 24_576,
    }),
    exact: flag('--exact', 'solve it on the host too (by doubling), and print the error and the time'),
    ...arrayOutput('X'),
    ...CALIBRATION,
    ...SEED,
  },
  example: `
Example:
  printf '2,-1\\n0.5,1\\n' > A.csv; printf '1,0\\n0,1\\n' > S.csv
  thermolink lyapunov --matrix A.csv --rhs S.csv --exact

A X + X Aᵀ = S, where all eigenvalues of A have real parts above 0 and S is symmetric positive definite. The host solves
32 unknowns exactly in some milliseconds: use the board if it holds the matrix already.`,
  async run(options, onBoard) {
    const { matrix: matrixFile, rhs, readings, exact, out, seed } = options;
    const a = await readSquareMatrix(matrixFile);
    const s = await readSquareMatrix(rhs);
    checkEquation(a, s);
    const calibration = await readCalibration(options.calibration, options.device);
    const worked = await onBoard(
      (board, { signal, show }) =>
        solveLyapunov(board, {
          matrix: a,
          rhs: s,
          readings,
          calibration,
          signal,
          address: { seed, step: 0, block: 0 },
          onProgress: (done, total) => show(done / total, `${counted(done, 'reading')} of ${total}`),
        }),
      { cells: a.rows },
    );
    const { x, isCovarianceKnown, cost } = worked.result;
    if (out !== undefined) await writeArray(out, x);
    const baseline = exact === true ? exactly(a, s, x) : undefined;
    const facts = {
      clampedCodes: cost.clampedCodes,
      warnings: isCovarianceKnown ? [] : [UNCALIBRATED_BOARD],
    };
    return {
      json: jsonOf(worked, facts, baseline),
      text: reportText(worked, baseline, out),
      warnings: boardWarnings(facts),
    };
  },
});

/** The result of the doubling method on the host. */
interface Baseline {
  readonly x: Matrix;
  readonly relativeError: number;
  readonly hostSeconds: number;
}

function exactly(a: Matrix, s: Matrix, found: Matrix): Baseline {
  const start = performance.now();
  const { real, imaginary } = eigenvaluesOf(a);
  const sizes = real.map((value, k) => Math.hypot(value, imaginary[k]));
  const x = solveContinuousLyapunov(a, s, Math.sqrt(Math.min(...sizes) * Math.max(...sizes)));
  const hostSeconds = (performance.now() - start) / 1000;
  return { x, relativeError: norm2(subtract(found.data, x.data)) / norm2(x.data), hostSeconds };
}

const rowsOf = ({ rows, columns, data }: Matrix): number[][] =>
  Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);

function jsonOf(
  { result, device, hostSeconds, repeats }: Worked<LyapunovResult>,
  facts: Record<string, unknown>,
  baseline: Baseline | undefined,
) {
  const { x, standardError, cost, ...rest } = result;
  return {
    x: rowsOf(x),
    standardError: rowsOf(standardError),
    ...rest,
    ...(baseline && { exact: { x: rowsOf(baseline.x), relativeError: baseline.relativeError } }),
    ...facts,
    boardSeconds: cost.boardSeconds,
    uploadBytes: cost.uploadBytes,
    repeats,
    device,
    timing: { hostSeconds, ...(baseline && { exactSeconds: baseline.hostSeconds }) },
  };
}

function reportText(
  { result, device, hostSeconds, repeats }: Worked<LyapunovResult>,
  baseline: Baseline | undefined,
  out: string | undefined,
): string {
  const { x, standardError } = result;
  const shown = Math.min(SHOWN_MAX, x.rows);
  const entries = Array.from({ length: shown }, (_, i) => {
    const { value, error } = formatMeasured(x.data[i * x.rows + i], standardError.data[i * x.rows + i]);
    return [`X[${i},${i}]`, value, `± ${error}`];
  });
  const facts = [
    ['relative standard error', formatPercent(result.relativeStandardError, 2)],
    ...(baseline === undefined
      ? []
      : [
          ['error against the host’s X', formatPercent(baseline.relativeError, 2)],
          ['  host time of that', formatSeconds(baseline.hostSeconds)],
        ]),
    ['first stage, with the error of its step', `${formatPercent(result.firstStageDifference, 2)} away`],
    ['rounding to device codes', `${formatNumber(result.roundingResidual, 2)} of ‖S‖`],
    ['readings of the last stage', counted(result.readings, 'reading')],
    ['uploaded', formatBytes(result.cost.uploadBytes)],
    ['board time (modelled)', formatSeconds(result.cost.boardSeconds)],
    ...repeatRows({ repeats }),
    ['host time', formatSeconds(hostSeconds)],
    ['device', device],
    ...(out === undefined ? [] : [['X', `written to ${out}`]]),
  ];
  const place = out === undefined ? '--out FILE or --json keeps all' : `all are in ${out}`;
  const more = x.rows > 1 ? `  … of ${x.rows}×${x.rows} entries; ${place}\n` : '';
  return `${formatTable(entries, { align: ['left', 'point', 'left'] })}${more}\n${formatTable(facts)}`;
}
