import { checkProgram } from '../../../algorithms/qp/check.js';
import {
  QP_METHODS,
  type QpProgress,
  type QpResult,
  type QpStatus,
} from '../../../algorithms/qp/contract.js';
import { solveQp } from '../../../algorithms/qp/solve-qp.js';
import { PROGRAM_FORMATS, readProgram } from '../../../files/read-program.js';
import { replaceFile } from '../../../files/replace-file.js';
import { writeArray } from '../../../files/write-array.js';
import { matrix } from '../../../linalg/matrix.js';
import { counted, formatBytes, formatCount, formatNumber, formatSeconds } from '../../../number-text.js';
import { boardCommand, type Worked } from '../../board-command.js';
import { readCalibration } from '../../input/read-calibration.js';
import { arrayOutput, CALIBRATION, SEED } from '../../options/groups.js';
import { flag, option, printedAs } from '../../options/option.js';
import { choice, positiveInteger, tolerance as toleranceValue } from '../../options/values.js';
import { boardWarnings, repeatRows } from '../../output/board-warnings.js';
import { formatTable } from '../../output/table.js';
import { type Baseline, quadprogBaseline } from './baseline.js';
import { convergenceFigure } from './convergence-figure.js';

/** Longer vectors are not shown on the terminal. */
const SHOWN_MAX = 16;

const STATUS_TEXTS: Readonly<Record<QpStatus, string>> = {
  solved: 'solved: the residuals prove it',
  primalInfeasible: 'primal infeasible: no x meets the constraints',
  dualInfeasible: 'dual infeasible: the objective has no lower bound',
  inaccurate: 'inaccurate: this is the best point found',
};

const PHASE_TEXTS: Readonly<Record<QpProgress['phase'], string>> = {
  box: 'box level',
  admm: 'ADMM iteration',
  ipm: 'interior-point iteration',
  polish: 'polish step',
};
const ITERATION_TEXTS: Readonly<Record<QpResult['method'], string>> = {
  box: 'box levels',
  admm: 'ADMM iterations',
  ipm: 'interior-point iterations',
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
    method: option(
      '--method <name>',
      `${QP_METHODS.join(', ')}; auto: box if the problem has only bounds, otherwise admm`,
      {
        value: choice(QP_METHODS),
        default: QP_METHODS[0],
      },
    ),
    iterationsMax: option(
      '--iterations-max <n>',
      'largest number of iterations (default: 4000 for admm, 60 for ipm)',
      {
        value: positiveInteger(1_000_000),
      },
    ),
    ...arrayOutput('x'),
    baseline: flag('--baseline', 'also solve it on the host by the package quadprog, and print the time'),
    plot: option('--plot <file>', 'draw the residuals over the iterations, as .svg', {
      file: 'output',
      dash: printedAs('.svg'),
    }),
    ...CALIBRATION,
    ...SEED,
  },
  example: `
Example:
  echo '{"P": [[4,1],[1,2]], "q": [1,1], "A": [[1,1],[1,0],[0,1]], "l": [1,0,0], "u": [1,0.7,0.7]}' > p.json
  thermolink qp --problem p.json`,
  async run(options, onBoard) {
    const { problem, tolerance, method, iterationsMax, out, plot, seed } = options;
    const program = await readProgram(problem);
    checkProgram(program);
    const calibration = await readCalibration(options.calibration, options.device);
    const worked = await onBoard(
      (board, { signal, show }) =>
        solveQp(board, program, {
          method,
          tolerance,
          ...(iterationsMax === undefined ? {} : { iterationsMax }),
          calibration,
          signal,
          address: { seed, step: 0, block: 0 },
          onProgress: (progress) => show(digitsOf(progress, tolerance), progressText(progress)),
        }),
      { cells: program.linear.length, total: -Math.log10(tolerance) },
    );
    const { result } = worked;
    const baseline = options.baseline ? await quadprogBaseline(program) : undefined;
    if (out !== undefined) await writeArray(out, matrix(result.x.length, 1, result.x));
    if (plot !== undefined) replaceFile(plot, convergenceFigure(problem, result));
    const facts = factsOf(worked, baseline);
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

/**
 * Returns how many whole decimal digits the worst residual shows, at most the number that `tolerance` asks
 * for.
 */
function digitsOf(progress: QpProgress, tolerance: number): number {
  return Math.max(0, Math.floor(-Math.log10(Math.max(worst(progress), tolerance))));
}

function progressText(progress: QpProgress): string {
  return `${PHASE_TEXTS[progress.phase]} ${progress.iteration}, residual ${formatNumber(worst(progress), 2)}`;
}

function factsOf({ result, device, hostSeconds, repeats }: Worked<QpResult>, baseline: Baseline | undefined) {
  const {
    status,
    method,
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
    method,
    objective,
    ...{ primal, dual, gap, iterations, polishSteps, solves, passes, uploads },
    ...(certificate === undefined
      ? {}
      : { certificate: { ...certificate, direction: [...certificate.direction] } }),
    uploadBytes: cost.uploadBytes,
    boardSeconds: cost.boardSeconds,
    repeats,
    device,
    ...(baseline === undefined ? {} : { baseline }),
    timing: { hostSeconds },
  };
}

/** Makes the row about the rails if another method had to continue. Otherwise there is no row. */
function railRows(history: QpResult['history'], method: QpResult['method']): string[][] {
  const levels = history.filter(({ phase }) => phase === 'box');
  if (levels.length === 0 || levels.length === history.length) return [];
  const residual = formatNumber(Math.min(...levels.map(worst)), 2);
  const next = method === 'box' ? 'the polish' : 'the polish and ADMM';
  return [
    [
      'rails',
      `stopped after ${counted(levels.length, 'level')} at a residual of ${residual}; ${next} continued`,
    ],
  ];
}

function baselineText({ message, objective, primal, seconds }: Baseline): string {
  const found =
    message === ''
      ? `objective ${formatNumber(objective, 8)}, primal residual ${formatNumber(primal, 2)}`
      : `no solution (${message})`;
  return `${found}, ${formatSeconds(seconds)}`;
}

function reportText(
  { x, y, status, history }: QpResult,
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
    ...railRows(history, facts.method),
    [ITERATION_TEXTS[facts.method], formatCount(facts.iterations)],
    ['polish steps', formatCount(facts.polishSteps)],
    [
      'board',
      `${counted(facts.solves, 'solve')}, ${counted(facts.passes, 'pass', 'passes')}, ${counted(facts.uploads, 'matrix', 'matrices')}, ${formatBytes(facts.uploadBytes)}`,
    ],
    ['board time (modelled)', formatSeconds(facts.boardSeconds)],
    ...repeatRows(facts),
    ['host time', formatSeconds(facts.timing.hostSeconds)],
    ['device', facts.device],
    ...(facts.baseline === undefined ? [] : [['quadprog on the host', baselineText(facts.baseline)]]),
    ...(out === undefined ? [] : [['x', `written to ${out}`]]),
    ...(plot === undefined ? [] : [['residuals', `drawn in ${plot}`]]),
  ];
  const report = formatTable(rows);
  if (isInfeasible || x.length > SHOWN_MAX) return report;
  const active = y.filter((value) => value !== 0).length;
  const numbers = Array.from(x, (value, i) => [`x[${i}]`, formatNumber(value, 7)]);
  return `${formatTable(numbers)}\n${report}  ${formatCount(active)} of ${counted(y.length, 'multiplier')} ${active === 1 ? 'is' : 'are'} not 0 (\`--json\` shows all)\n`;
}
