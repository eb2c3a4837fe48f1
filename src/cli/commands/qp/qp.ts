import { checkProgram } from '../../../algorithms/qp/check.js';
import type { QpProgress, QpResult, QpStatus } from '../../../algorithms/qp/contract.js';
import { solveQp } from '../../../algorithms/qp/solve-qp.js';
import { PROGRAM_FORMATS, readProgram } from '../../../files/read-program.js';
import { replaceFile } from '../../../files/replace-file.js';
import { writeArray } from '../../../files/write-array.js';
import { matrix } from '../../../linalg/matrix.js';
import { counted, formatBytes, formatCount, formatNumber, formatSeconds } from '../../../number-text.js';
import { figure } from '../../../plot/figure.js';
import { lineChart } from '../../../plot/line-chart.js';
import { boardCommand, type Worked } from '../../board-command.js';
import { readCalibration } from '../../input/read-calibration.js';
import { arrayOutput, CALIBRATION, SEED } from '../../options/groups.js';
import { option } from '../../options/option.js';
import { positiveInteger, tolerance as toleranceValue } from '../../options/values.js';
import { boardWarnings, repeatRows } from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';

/** Longer vectors are not shown on the terminal. */
const SHOWN_MAX = 16;

const STATUS_TEXTS: Readonly<Record<QpStatus, string>> = {
  solved: 'solved: the residuals prove it',
  primalInfeasible: 'primal infeasible: no x meets the constraints',
  dualInfeasible: 'dual infeasible: the objective has no lower bound',
  inaccurate: 'inaccurate: this is the best point that was found',
};

export const command = boardCommand({
  options: {
    problem: option('--problem <file>', `min ½xᵀPx + qᵀx, l ≤ Ax ≤ u, as ${PROGRAM_FORMATS}`, {
      required: true,
      file: 'input',
    }),
    tolerance: option('--tolerance <r>', 'bound on the relative residuals, from 1e-10 to 0.1', {
      value: toleranceValue,
      default: 1e-8,
    }),
    iterationsMax: option('--iterations-max <n>', 'iterations of ADMM at most', {
      value: positiveInteger(1_000_000),
      default: 4000,
    }),
    ...arrayOutput('x'),
    plot: option('--plot <file>', 'draw how the residuals fall, as .svg', { file: 'output' }),
    ...CALIBRATION,
    ...SEED,
  },
  example: `
Example:
  echo '{"P": [[4,1],[1,2]], "q": [1,1], "A": [[1,1],[1,0],[0,1]], "l": [1,0,0], "u": [1,0.7,0.7]}' > p.json
  thermolink qp --problem p.json`,
  async run(options, onBoard) {
    const { problem, tolerance, iterationsMax, out, plot, seed } = options;
    const program = await readProgram(problem);
    checkProgram(program);
    const calibration = await readCalibration(options.calibration);
    const worked = await onBoard(
      (board, { signal, show }) =>
        solveQp(board, program, {
          tolerance,
          iterationsMax,
          calibration,
          signal,
          address: { seed, step: 0, block: 0 },
          onProgress: (progress) => show(digitsOf(progress, tolerance), progressText(progress)),
        }),
      { cells: program.linear.length, total: -Math.log10(tolerance) },
    );
    const { result } = worked;
    if (out !== undefined) await writeArray(out, matrix(result.x.length, 1, result.x));
    if (plot !== undefined) replaceFile(plot, convergenceFigure(problem, result));
    const facts = factsOf(worked);
    return {
      json: { ...facts, x: [...result.x], y: [...result.y], history: result.history },
      text: reportText(result, facts, out, plot),
      warnings: boardWarnings({ carryNoiseShare: 0, clampedCodes: result.cost.clampedCodes, warnings: [] }),
    };
  },
});

function worst({ primal, dual, gap }: QpProgress): number {
  return Math.max(primal, dual, gap);
}

/** Whole decimal digits that the residuals show, up to those that are wanted. */
function digitsOf(progress: QpProgress, tolerance: number): number {
  return Math.max(0, Math.floor(-Math.log10(Math.max(worst(progress), tolerance))));
}

function progressText(progress: QpProgress): string {
  const what = progress.phase === 'admm' ? 'iteration' : 'step of the polish';
  return `${what} ${progress.iteration}, residual ${formatNumber(worst(progress), 2)}`;
}

function factsOf({ result, device, hostSeconds, repeats }: Worked<QpResult>) {
  const {
    status,
    objective,
    primal,
    dual,
    gap,
    iterations,
    polishSteps,
    solves,
    passes,
    uploads,
    certificate,
    cost,
  } = result;
  return {
    status,
    objective,
    ...{ primal, dual, gap, iterations, polishSteps, solves, passes, uploads },
    ...(certificate === undefined
      ? {}
      : { certificate: { ...certificate, direction: [...certificate.direction] } }),
    uploadBytes: cost.uploadBytes,
    boardSeconds: cost.boardSeconds,
    repeats,
    device,
    timing: { hostSeconds },
  };
}

function reportText(
  { x, y, status }: QpResult,
  facts: ReturnType<typeof factsOf>,
  out: string | undefined,
  plot: string | undefined,
): string {
  const isInfeasible = status === 'primalInfeasible' || status === 'dualInfeasible';
  const { certificate } = facts;
  const rows = [
    ['status', STATUS_TEXTS[status]],
    ...(isInfeasible ? [] : [['objective', formatNumber(facts.objective, 8)]]),
    ...(certificate === undefined
      ? [
          ['primal residual', formatNumber(facts.primal, 2)],
          ['dual residual', formatNumber(facts.dual, 2)],
          ['duality gap', formatNumber(facts.gap, 2)],
        ]
      : [
          [
            'certificate',
            `value ${formatNumber(certificate.value, 3)}, violation ${formatNumber(certificate.violation, 2)}`,
          ],
        ]),
    ['iterations of ADMM', formatCount(facts.iterations)],
    ['steps of the polish', formatCount(facts.polishSteps)],
    [
      'board',
      `${counted(facts.solves, 'solve')}, ${counted(facts.passes, 'pass', 'passes')}, ${counted(facts.uploads, 'matrix', 'matrices')}, ${formatBytes(facts.uploadBytes)}`,
    ],
    ['board time (modelled)', formatSeconds(facts.boardSeconds)],
    ...repeatRows(facts),
    ['host time', formatSeconds(facts.timing.hostSeconds)],
    ['device', facts.device],
    ...(out === undefined ? [] : [['x', `written to ${out}`]]),
    ...(plot === undefined ? [] : [['residuals', `drawn in ${plot}`]]),
  ];
  const report = formatTable(rows);
  if (isInfeasible || x.length > SHOWN_MAX) return report;
  const active = y.filter((value) => value !== 0).length;
  const numbers = Array.from(x, (value, i) => [`x[${i}]`, formatNumber(value, 7)]);
  return `${formatTable(numbers)}\n${report}  ${counted(active, 'multiplier')} of ${y.length} not 0 (\`--json\` shows all)\n`;
}

/** The three residuals over the iterations; steps of the polish follow them. */
function convergenceFigure(problem: string, { history, status }: QpResult): string {
  let before = 0;
  let last = 0;
  const at = history.map(({ iteration, phase }, i) => {
    if (i > 0 && history[i - 1].phase === 'admm' && phase === 'polish') before = last;
    last = phase === 'admm' ? iteration : before + iteration;
    return last;
  });
  const curve = (name: string, value: (progress: QpProgress) => number) => ({
    name,
    points: history.map((progress, i) => [at[i], Math.max(value(progress), 1e-17)] as const),
  });
  return figure([
    lineChart({
      title: `Residuals of ${problem.split('/').at(-1)}`,
      subtitle: `${status}; every tenth iteration of ADMM, then each step of the polish`,
      x: { label: 'iteration' },
      y: { label: 'relative residual', scale: 'log' },
      series: [
        curve('primal', ({ primal }) => primal),
        curve('dual', ({ dual }) => dual),
        curve('gap', ({ gap }) => gap),
      ],
    }),
  ]);
}
