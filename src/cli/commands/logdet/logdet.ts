import type { LogDeterminantResult } from '../../../algorithms/logdet/contract.js';
import { logDeterminant } from '../../../algorithms/logdet/log-determinant.js';
import { type CheckedSystem, checkSystem } from '../../../board/checked-system.js';
import { READ_FORMATS, readSquareMatrix } from '../../../files/read-array.js';
import { replaceFile } from '../../../files/replace-file.js';
import { cholesky, logDeterminantOf } from '../../../linalg/cholesky.js';
import type { Matrix } from '../../../linalg/matrix.js';
import { symmetricEigen } from '../../../linalg/symmetric-eigen.js';
import { counted, formatBytes, formatMeasured, formatNumber, formatSeconds } from '../../../number-text.js';
import { figure } from '../../../plot/figure.js';
import { lineChart } from '../../../plot/line-chart.js';
import type { Series } from '../../../plot/series.js';
import { boardCommand, type Worked } from '../../board-command.js';
import { readCalibration } from '../../input/read-calibration.js';
import { CALIBRATION, SEED } from '../../options/groups.js';
import { flag, option, printedAs } from '../../options/option.js';
import { positiveInteger } from '../../options/values.js';
import {
  boardWarnings,
  carryNoiseRows,
  repeatRows,
  UNCALIBRATED_BOARD,
} from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';

export const command = boardCommand({
  options: {
    matrix: option('--matrix <file>', `A as ${READ_FORMATS}`, { required: true, file: 'input' }),
    readings: option('--readings <n>', 'readings of all cells, over all settings of the damping', {
      value: positiveInteger(100_000_000),
      default: 16_384,
    }),
    exact: flag('--exact', 'factor A on the host too (Cholesky), and print its value and time'),
    plot: option('--plot <file>', 'draw the integrand with error bars, as .svg', {
      file: 'output',
      dash: printedAs('.svg'),
    }),
    ...CALIBRATION,
    ...SEED,
  },
  example: `
Example:
  printf '4,1\\n1,3\\n' > A.csv
  thermolink logdet --matrix A.csv --exact

A Cholesky factorisation is exact and takes less than 0.1 ms for 64 unknowns: use it if you only need the number.`,
  async run(
    { matrix: matrixFile, readings, exact, plot, calibration: calibrationFile, seed, device },
    onBoard,
  ) {
    const matrix = await readSquareMatrix(matrixFile);
    const system = checkSystem({ kind: 'dense', matrix });
    const calibration = await readCalibration(calibrationFile, device);
    const worked = await onBoard(
      (board, { signal, show }) =>
        logDeterminant(board, {
          system,
          readings,
          calibration,
          signal,
          address: { seed, step: 0, block: 0 },
          onProgress: (done, total) => show(done / total, `${counted(done, 'reading')} of ${total}`),
        }),
      { cells: matrix.rows },
    );
    const baseline = exact === true ? exactly(matrix) : undefined;
    if (plot !== undefined) replaceFile(plot, integrandFigure(worked.result, baseline && system));
    const { cost, carryNoiseShare, isCovarianceKnown } = worked.result;
    const facts = {
      carryNoiseShare,
      clampedCodes: cost.clampedCodes,
      warnings: isCovarianceKnown ? [] : [UNCALIBRATED_BOARD],
    };
    return {
      json: jsonOf(worked, facts, baseline),
      text: reportText(worked, baseline, plot),
      warnings: boardWarnings(facts),
    };
  },
});

/** The result of a Cholesky factorisation on the host. */
interface Baseline {
  readonly logDeterminant: number;
  readonly hostSeconds: number;
}

/**
 * The time of the faster of two factorisations, because the code of the first one is compiled while it runs.
 */
function exactly(matrix: Matrix): Baseline | undefined {
  let baseline: Baseline | undefined;
  for (let k = 0; k < 2; k++) {
    const start = performance.now();
    const outcome = cholesky(matrix);
    const hostSeconds = (performance.now() - start) / 1000;
    if (outcome.ok && !(baseline && baseline.hostSeconds < hostSeconds))
      baseline = { logDeterminant: logDeterminantOf(outcome.factor), hostSeconds };
  }
  return baseline;
}

function jsonOf(
  { result, device, hostSeconds, repeats }: Worked<LogDeterminantResult>,
  facts: Record<string, unknown>,
  baseline: Baseline | undefined,
) {
  const { logDeterminant, standardError, bennett, remainder, roundingCorrection, nodes, cost } = result;
  return {
    ...{ logDeterminant, standardError, bennett, remainder, roundingCorrection, nodes },
    readings: result.readings,
    ...(baseline && { exact: { logDeterminant: baseline.logDeterminant } }),
    ...facts,
    boardSeconds: cost.boardSeconds,
    uploadBytes: cost.uploadBytes,
    repeats,
    device,
    timing: { hostSeconds, ...(baseline && { choleskySeconds: baseline.hostSeconds }) },
  };
}

function reportText(
  { result, device, hostSeconds, repeats }: Worked<LogDeterminantResult>,
  baseline: Baseline | undefined,
  plot: string | undefined,
): string {
  const traces = formatMeasured(result.logDeterminant, result.standardError);
  const bennett = formatMeasured(result.bennett.value, result.bennett.standardError);
  return formatTable([
    ['ln det A, by traces', `${traces.value} ± ${traces.error}`],
    ['ln det A, by Bennett’s ratio', `${bennett.value} ± ${bennett.error} (the same readings)`],
    ...(baseline === undefined
      ? []
      : [
          ['ln det A, by Cholesky', `${formatNumber(baseline.logDeterminant, 9)}, exact`],
          ['  host time of Cholesky', formatSeconds(baseline.hostSeconds)],
        ]),
    ['left out at the upper end', `≤ ${formatNumber(result.remainder, 2)}`],
    ['settings of the damping', `${result.nodes.length}, ${counted(result.readings, 'reading')}`],
    ...carryNoiseRows(result),
    ['uploaded', formatBytes(result.cost.uploadBytes)],
    ['board time (modelled)', formatSeconds(result.cost.boardSeconds)],
    ...repeatRows({ repeats }),
    ['host time', formatSeconds(hostSeconds)],
    ['device', device],
    ...(plot === undefined ? [] : [['integrand', `drawn in ${plot}`]]),
  ]);
}

/**
 * Draws s·tr(Â + sI)⁻¹ over ln s. The area below the curve is subtracted from ln det(Â + cI). If the exact
 * curve is given, a second panel shows the readings minus the exact values.
 */
function integrandFigure({ nodes }: LogDeterminantResult, exact: CheckedSystem | undefined): string {
  const shown = nodes.filter(({ damping }) => damping > 0);
  const read = shown.map(
    ({ damping: s, trace }): Bar => ({ s, value: s * trace.value, reach: 2 * s * trace.standardError }),
  );
  const x = { label: 'damping s, in units of Â', scale: 'log' } as const;
  const integrand = exact && exactIntegrand(exact);
  const curve = integrand === undefined ? [] : [exactCurve(integrand, read[0].s, read[read.length - 1].s)];
  const whole = lineChart({
    title: 'What is integrated for ln det A',
    subtitle: 's·tr(Â + sI)⁻¹ over ln s; Â is the matrix that the board holds; bars: ± 2 standard errors',
    x,
    y: { label: 's·tr(Â + sI)⁻¹' },
    series: [...curve, bars(read)],
  });
  if (integrand === undefined) return figure([whole]);
  const errors = lineChart({
    title: 'What was read, less the exact values',
    x,
    y: { label: 'error' },
    series: [bars(read.map((bar) => ({ ...bar, value: bar.value - integrand(bar.s) })))],
    annotations: [{ axis: 'y', at: 0, label: 'exact' }],
  });
  return figure([whole, errors]);
}

interface Bar {
  readonly s: number;
  readonly value: number;
  readonly reach: number;
}

/** Vertical error bars as one series. A gap after each bar keeps the bars from being joined. */
function bars(read: readonly Bar[]): Series {
  return {
    name: 'read',
    points: read.flatMap(({ s, value, reach }) => [
      [s, value - reach],
      [s, value + reach],
      [s, Number.NaN],
    ]),
  };
}

function exactIntegrand({ evened }: CheckedSystem): (s: number) => number {
  const { system } = evened.checked;
  const values = system.kind === 'dense' ? symmetricEigen(system.matrix).values : new Float64Array();
  return (s) => values.reduce((total, value) => total + s / (value + s), 0);
}

const CURVE_POINTS = 200;

function exactCurve(integrand: (s: number) => number, first: number, last: number): Series {
  return {
    name: 'exact',
    points: Array.from({ length: CURVE_POINTS }, (_, k) => {
      const s = first * (last / first) ** (k / (CURVE_POINTS - 1));
      return [s, integrand(s)] as const;
    }),
  };
}
