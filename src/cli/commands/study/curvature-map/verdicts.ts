import { formatNumber } from '../../../../number-text.js';
import { barChart } from '../../../../plot/bar-chart.js';
import type { Chart } from '../../../../plot/chart.js';
import { groupsOf, meanAt, type Spread, spreadOver } from '../table/groups.js';
import type { Claim, TableRun, TextTable } from '../table/table-study.js';
import { LOW_RANK, PROBLEMS } from './problems.js';
import { edgeSentence, searchEdges } from './rate-search.js';
import { PART, TARGET_FACTOR } from './trainings.js';

const USB_BYTES_PER_SECOND = 40e6;
const FAST_BYTES_PER_SECOND = 6.25e9;
/**
 * Two methods tie if their costs differ by at most this factor. Times have the larger factor, since they vary
 * on a shared machine.
 */
const TIE = { steps: 1.5, host: 2, usb: 2, fast: 2 } as const;
const FIRST_ORDER = ['adam', 'momentum'] as const;

/**
 * Steps, and times in seconds, to reach the target error. All are infinite if a seed did not reach the
 * target.
 */
interface ToTarget {
  readonly steps: number;
  readonly host: number;
  /** Host time plus transfer and board time, over USB 2 and over 50 Gb/s. */
  readonly usb: number;
  readonly fast: number;
}

function toTarget(runs: readonly TableRun[], problem: string, method: string): ToTarget {
  const at = { problem, method };
  const [group] = groupsOf(runs, PART, at);
  const steps = (group && spreadOver(group, 'stepsToTarget')?.mean) ?? Number.POSITIVE_INFINITY;
  // For a method that does not reach the target every cost is infinite, even one that would otherwise be
  // zero.
  if (steps === Number.POSITIVE_INFINITY) return { steps, host: steps, usb: steps, fast: steps };
  const of = (figure: string): number => meanAt(runs, PART, at, figure);
  const host = steps * of('hostWorkSeconds');
  const over = (link: number): number => host + steps * (of('uploadBytes') / link + of('boardSeconds'));
  return { steps, host, usb: over(USB_BYTES_PER_SECOND), fast: over(FAST_BYTES_PER_SECOND) };
}

/**
 * The methods that the board is compared with. In each column the better one of the two first-order methods
 * counts.
 */
function rivals(runs: readonly TableRun[], problem: string): readonly (readonly [string, ToTarget])[] {
  const names = Object.keys(PROBLEMS[problem].methods);
  const of = (method: string) => toTarget(runs, problem, method);
  const first = FIRST_ORDER.map(of);
  const least = (figure: keyof ToTarget) => Math.min(...first.map((one) => one[figure]));
  const best = { steps: least('steps'), host: least('host'), usb: least('usb'), fast: least('fast') };
  return [
    ['first order', best],
    [names[1], of(names[1])],
    ['exact', of('exact')],
  ];
}

type Outcome = 'wins' | 'ties' | 'loses';
function outcome(board: ToTarget, rival: ToTarget, figure: keyof ToTarget): Outcome {
  if (rival[figure] > TIE[figure] * board[figure]) return 'wins';
  return board[figure] > TIE[figure] * rival[figure] ? 'loses' : 'ties';
}

const times = (board: ToTarget, rival: ToTarget, figure: keyof ToTarget): string =>
  Number.isFinite(rival[figure])
    ? `${outcome(board, rival, figure)}, × ${formatNumber(rival[figure] / board[figure], 2)}`
    : 'wins, not reached';

const problemsOf = (runs: readonly TableRun[]): string[] => [
  ...new Set(runs.filter(({ part }) => part === PART).map(({ settings }) => String(settings['problem']))),
];

/**
 * A table that compares the board with its rivals on each problem: in steps, in host time, and in modelled
 * time over two links.
 */
export function modelTables(runs: readonly TableRun[]): TextTable[] {
  return [
    {
      title: `The map: what others need to reach ${TARGET_FACTOR} times the board’s error, over what the board needs`,
      header: ['problem', 'against', 'in steps', 'in host time', 'in time, USB 2', 'in time, 50 Gb/s'],
      rows: problemsOf(runs).flatMap((problem) => {
        const board = toTarget(runs, problem, 'board');
        return rivals(runs, problem).map(([name, rival]) => [
          ...[PROBLEMS[problem].title, name],
          ...(['steps', 'host', 'usb', 'fast'] as const).map((figure) => times(board, rival, figure)),
        ]);
      }),
    },
  ];
}

export function claimsOf(runs: readonly TableRun[]): Claim[] {
  const rows = problemsOf(runs).map((problem) => ({
    title: PROBLEMS[problem].title,
    board: toTarget(runs, problem, 'board'),
    rivals: rivals(runs, problem),
  }));
  const count = (rival: number, figure: keyof ToTarget) => {
    const outcomes = rows.map((row) => outcome(row.board, row.rivals[rival][1], figure));
    const named = (wanted: Outcome): string[] =>
      rows.filter((_, index) => outcomes[index] === wanted).map(({ title }) => title);
    return { wins: named('wins'), ties: named('ties'), loses: named('loses') };
  };
  const text = ({ wins, ties, loses }: ReturnType<typeof count>): string =>
    [
      ['wins on', wins],
      ['ties on', ties],
      ['loses on', loses],
    ]
      .flatMap(([word, titles]) =>
        titles.length > 0 ? [`${word as string} ${(titles as string[]).join(', ')}`] : [],
      )
      .join('; ');
  const verdict = ({ wins, loses }: ReturnType<typeof count>): Claim['verdict'] => {
    if (wins.length === rows.length) return 'holds';
    if (loses.length > wins.length) return 'a digital method wins';
    return wins.length > 0 ? 'holds in part' : 'a tie';
  };
  const claim = (sentence: string, rival: number, figure: keyof ToTarget, how: string): Claim => {
    const counted = count(rival, figure);
    return { claim: sentence, paper: '–', ours: `It ${text(counted)}.`, how, verdict: verdict(counted) };
  };
  const edges = searchEdges(runs);
  // If the best rate of a method is the smallest or the largest that was tried, a rate beyond it may be
  // better. Then the claim holds in part at most.
  const overFirstOrder = (one: Claim): Claim =>
    edges.atEdge === 0
      ? one
      : {
          ...one,
          ours: `${one.ours} ${edgeSentence(edges)}`,
          verdict: one.verdict === 'holds' ? 'holds in part' : one.verdict,
        };
  const steps = `steps to twice the board’s final error, measured on an emulated board; a factor below ${TIE.steps} is a tie`;
  const model = `steps as before; host work measured in JavaScript, transfer at 40 MB/s and board time modelled; a factor below ${TIE.usb} is a tie`;
  const fast = 'as before, transfer at 50 Gb/s';
  const digital = 'CG(30), on digits CG(10), or on the equations low rank 64 without a board';
  const digitalSteps = `${steps}; CG with a fixed number of products, not of equal accuracy`;
  const digitalModel = `${model}; CG with a fixed number of products, not of equal accuracy`;
  return [
    overFirstOrder(claim('The board needs fewer steps than Adam and momentum.', 0, 'steps', steps)),
    claim(`The board needs fewer steps than ${digital}.`, 1, 'steps', digitalSteps),
    ...poissonClaim(runs),
    overFirstOrder(claim('The board over USB 2 needs less time than Adam and momentum.', 0, 'usb', model)),
    claim('The board over 50 Gb/s needs less time than an exact solve on the host.', 2, 'fast', fast),
    claim('The board over USB 2 needs less time than an exact solve on the host.', 2, 'usb', model),
    claim(`The board over USB 2 needs less time than ${digital}.`, 1, 'usb', digitalModel),
  ];
}

/**
 * The claim that Poisson's equation in two dimensions needs a board. Low-rank deflation on the host may be
 * enough for it.
 */
function poissonClaim(runs: readonly TableRun[]): Claim[] {
  const [board, low] = ['board', LOW_RANK].map((method) => {
    const [group] = groupsOf(runs, PART, { problem: 'poisson2', method });
    return group && spreadOver(group, 'error');
  });
  if (board === undefined || low === undefined) return [];
  const text = ({ mean, min, max }: Spread): string =>
    `${[mean, min].map((value) => value.toExponential(1)).join(' [')}, ${max.toExponential(1)}]`;
  const isAlike = low.mean <= TIE.steps * board.mean;
  return [
    {
      claim: 'Poisson’s equation in two dimensions needs a board.',
      paper: '–',
      ours: `Low-rank deflation alone (${LOW_RANK}) ends at ${text(low)}, the board at ${text(board)}.`,
      how: `error after as many steps, geometric mean [least, largest] over the seeds, measured on an emulated board; a mean error within × ${TIE.steps} of the board’s does without it`,
      verdict: isAlike ? 'does not hold' : low.min > board.max ? 'holds' : 'not shown',
    },
  ];
}

/**
 * Bars of the problems on which a first-order method reaches the target. The subtitle names the other
 * problems.
 */
export function stepsChart(runs: readonly TableRun[]): Chart {
  const ratios = problemsOf(runs).map((problem) => ({
    problem,
    ratio: rivals(runs, problem)[0][1].steps / toTarget(runs, problem, 'board').steps,
  }));
  const reached = ratios.filter(({ ratio }) => Number.isFinite(ratio));
  const others = ratios.filter(({ ratio }) => !Number.isFinite(ratio)).map(({ problem }) => problem);
  return barChart({
    title: 'Steps of the best first-order method over those of the board',
    subtitle: `to the same error${others.length > 0 ? `; not reached at all on ${others.join(', ')}` : ''}`,
    x: { label: 'ratio' },
    bars: reached.map(({ problem, ratio }) => ({
      name: problem,
      segments: [{ name: 'steps', value: ratio }],
    })),
  });
}
