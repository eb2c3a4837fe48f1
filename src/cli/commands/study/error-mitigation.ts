import { createAnalogSolver } from '../../../algorithms/board-solver.js';
import { type Matrix, matrix } from '../../../linalg/matrix.js';
import { norm2, subtract } from '../../../linalg/products.js';
import { RANDOM_STREAM, type RandomSource, randomSource } from '../../../linalg/random.js';
import { formatNumber } from '../../../number-text.js';
import { lineChart } from '../../../plot/line-chart.js';
import { randomSystem } from './linear-algebra.js';
import { curvesOf, groupsOf, logSlope, meanAt } from './table/groups.js';
import { tableCommand } from './table/table-command.js';
import type { Claim, Lab, Measured, PlannedRun, Scale, TableRun, TableStudy } from './table/table-study.js';

const CELLS = 8;
/** Condition number of A. With it a matrix that is rounded at random to 4 bits stays positive definite. */
const CONDITION = 2;
/** Tolerance of the solves. It is far below the errors that rounding causes here. */
const TOLERANCE = 1e-4;

const bitsOf = (quick: boolean) => (quick ? [4, 6] : [4, 5, 6]);
const membersOf = (quick: boolean) => (quick ? [1, 256] : [1, 16, 256, 1024]);

function runsOf({ quick, seeds }: Scale): PlannedRun[] {
  return seeds.flatMap((seed) =>
    bitsOf(quick).flatMap((bits) =>
      membersOf(quick).map((members) => ({
        ...{ part: 'ensemble', settings: { bits, members }, seed, cost: members + 3 },
      })),
    ),
  );
}

/**
 * A with every entry rounded to a multiple of 2^(1−bits)·max|A|. With `random` the rounding is random and its
 * mean is A; without it every entry is rounded to the nearest multiple. The result is symmetric.
 */
function rounded(a: Matrix, bits: number, random?: RandomSource): Matrix {
  const { rows: n, data } = a;
  const step = data.reduce((max, value) => Math.max(max, Math.abs(value)), 0) * 2 ** (1 - bits);
  const result = matrix(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const code = Math.floor(data[i * n + j] / step + (random?.uniform() ?? 0.5));
      result.data[i * n + j] = code * step;
      result.data[j * n + i] = code * step;
    }
  return result;
}

async function measure({ settings, seed }: PlannedRun, lab: Lab): Promise<Measured> {
  const [bits, members] = [Number(settings['bits']), Number(settings['members'])];
  const { a, b } = randomSystem(CELLS, CONDITION, seed);
  const solver = createAnalogSolver(await lab.board('ideal-8'));
  let board = 0;
  const solveOf = async (one: Matrix, block: number): Promise<Float64Array> => {
    const { x, cost } = await solver.solve({
      ...{ system: { kind: 'dense', matrix: one }, drive: b, tolerance: TOLERANCE },
      ...{ address: { seed, step: bits, block }, signal: lab.signal },
    });
    board += cost.boardSeconds;
    return x;
  };
  const exact = await solveOf(a, 0);
  board = 0;
  // Every size uses the same random numbers, so a larger ensemble contains the smaller ones.
  const random = randomSource({ seed, stream: RANDOM_STREAM.benchProblem, step: bits });
  const mean = new Float64Array(CELLS);
  let squares = 0;
  for (let member = 0; member < members; member++) {
    const x = await solveOf(rounded(a, bits, random), member + 1);
    for (let i = 0; i < CELLS; i++) mean[i] += x[i] / members;
    squares += norm2(subtract(x, exact)) ** 2 / members;
  }
  const ensembleSeconds = board;
  const nearest = await solveOf(rounded(a, bits), 0);
  // `scatter` is the part of the error of the mean that the scatter of the members explains: √(tr Cov/M).
  const offset = norm2(subtract(mean, exact)) ** 2;
  const scatter = Math.sqrt(Math.max(0, squares - offset) / members) / norm2(exact);
  const errorOf = (x: Float64Array): number => norm2(subtract(x, exact)) / norm2(exact);
  return {
    figures: {
      ...{
        error: errorOf(mean),
        ...(members > 1 ? { scatter } : {}),
        single: Math.sqrt(squares) / norm2(exact),
      },
      ...{ nearestError: errorOf(nearest), boardSeconds: ensembleSeconds },
    },
  };
}

/**
 * The error that remains however large the ensemble is: the square root of the mean square of the errors over
 * the seeds, minus the mean square that the scatter of the members explains.
 */
function remaining(runs: readonly TableRun[], bits: number, members: number): number {
  const [group] = groupsOf(runs, 'ensemble', { bits, members });
  const meanSquare = (figure: string): number =>
    group.runs.reduce((sum, { figures }) => sum + figures[figure] ** 2, 0) / group.runs.length;
  return Math.sqrt(Math.max(0, meanSquare('error') - meanSquare('scatter')));
}

function claimsOf(runs: readonly TableRun[]): Claim[] {
  const most = Math.max(...runs.map(({ settings }) => Number(settings['members'])));
  const bits = [...new Set(runs.map(({ settings }) => Number(settings['bits'])))];
  const pairs = bits.map((one) => {
    const at = { bits: one, members: most };
    return [meanAt(runs, 'ensemble', at, 'single'), remaining(runs, one, most)] as const;
  });
  const slope = logSlope(pairs.filter(([, rest]) => rest > 0));
  const errors = bits.map((one) => meanAt(runs, 'ensemble', { bits: one, members: most }, 'error'));
  const nearest = bits.map((one) => meanAt(runs, 'ensemble', { bits: one, members: most }, 'nearestError'));
  const better = nearest.filter((error, index) => errors[index] < error).length;
  const percents = pairs.map(([single, rest]) => `${percent(single)} → ${percent(rest)}`);
  return [
    {
      claim:
        'A mean over matrices that are rounded at random has the error ε² if a single matrix has the error ε.',
      paper: 'ε → ε² (arXiv 2401.16231)',
      ours: `At ${bits.join(', ')} bits: ${percents.join(', ')}, without the share that the scatter of ${most} members explains. ${
        Number.isFinite(slope)
          ? `The slope of ln error over ln ε is ${formatNumber(slope, 2)}; 1 would be no gain, 2 is the claim.`
          : 'The scatter explains all, so no slope can be told.'
      }`,
      how: 'measured on an emulated board of 8 cells; the host rounds the couplings, the board answers',
      verdict: Number.isNaN(slope)
        ? 'not shown'
        : slope > 1.6
          ? 'holds'
          : slope > 1.2
            ? 'holds in part'
            : 'does not hold',
    },
    {
      claim: 'An ensemble beats one matrix that is rounded to the nearest.',
      paper: '–',
      ours: `With ${most} members it does at ${better} of ${bits.length} widths (${nearest.map((error, index) => `${percent(error)} against ${percent(errors[index])}`).join(', ')}). It takes ${most} times the board time and upload. A refinement on the host takes one or two more solves.`,
      how: 'as above',
      verdict: better === bits.length ? 'holds' : 'holds in part',
    },
  ];
}

const percent = (value: number): string => `${formatNumber(100 * value, 2)} %`;

export const ERROR_MITIGATION: TableStudy = {
  name: 'error-mitigation',
  title: 'Error mitigation: ensembles rounded at random',
  about: [
    'Couplings of few bits are rounded at random, so that their mean is right. The answers of many such boards are averaged.',
    `Solves of ${CELLS} unknowns, condition ${CONDITION}; the error is relative, in the 2-norm.`,
  ],
  settingsFrom: 'Nothing was tuned.',
  modelled: 'Errors are measured on an emulated board. Board time is modelled, ticks × h × τ.',
  alone: 'Its runs open emulated boards of their own.',
  parts: [
    {
      name: 'ensemble',
      title: 'Ensembles',
      columns: [
        { figure: 'error', title: 'error of the mean', format: percent },
        { figure: 'scatter', title: 'of it scatter', format: percent },
        { figure: 'nearestError', title: 'rounded to the nearest', format: percent },
        { figure: 'boardSeconds', title: 'board time', format: (value) => `${formatNumber(value * 1e3)} ms` },
      ],
    },
  ],
  runs: runsOf,
  measure,
  charts: (runs) => [
    lineChart({
      title: 'Error of the mean over the size of the ensemble',
      subtitle: 'strong: mean over the seeds; pale: each seed',
      x: { label: 'members', scale: 'log' },
      y: { label: 'relative error', scale: 'log' },
      series: curvesOf(runs, {
        ...{ part: 'ensemble', x: 'members', y: 'error', nameOf: ({ bits }) => `${bits} bits` },
      }),
      plotHeightPx: 320,
    }),
  ],
  claims: claimsOf,
};

export const command = tableCommand(ERROR_MITIGATION);
