import { formatNumber } from '../../../../number-text.js';
import { barChart } from '../../../../plot/bar-chart.js';
import type { Chart } from '../../../../plot/chart.js';
import { groupsOf, meanAt, spreadOver } from '../table/groups.js';
import type { Claim, TableRun, TextTable } from '../table/table-study.js';
import { PROBLEMS } from './problems.js';
import { PART, TARGET_FACTOR } from './trainings.js';

const USB_BYTES_PER_SECOND = 40e6;
const FAST_BYTES_PER_SECOND = 6.25e9;
/** Ratios within this factor are a tie. */
const TIE = 1.5;
const FIRST_ORDER = ['adam', 'momentum'] as const;

/** Steps or time to reach the target; infinite if a seed did not reach it. */
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

/** The rivals of the board. Of the two first-order methods, the better figure counts in each column. */
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
function outcome(board: number, rival: number): Outcome {
  if (rival > TIE * board) return 'wins';
  return board > TIE * rival ? 'loses' : 'ties';
}

const times = (board: number, rival: number): string =>
  Number.isFinite(rival)
    ? `${outcome(board, rival)}, × ${formatNumber(rival / board, 2)}`
    : 'wins, not reached';

const problemsOf = (runs: readonly TableRun[]): string[] => [
  ...new Set(runs.filter(({ part }) => part === PART).map(({ settings }) => String(settings['problem']))),
];

/** The winner of each problem: in steps, in host time, and in modelled time over two links. */
export function modelTables(runs: readonly TableRun[]): TextTable[] {
  return [
    {
      title: `The map: what others need to reach ${TARGET_FACTOR} times the board’s error, over what the board needs`,
      header: ['problem', 'against', 'in steps', 'in host time', 'in time, USB 2', 'in time, 50 Gb/s'],
      rows: problemsOf(runs).flatMap((problem) => {
        const board = toTarget(runs, problem, 'board');
        return rivals(runs, problem).map(([name, rival]) => [
          ...[PROBLEMS[problem].title, name, times(board.steps, rival.steps), times(board.host, rival.host)],
          ...[times(board.usb, rival.usb), times(board.fast, rival.fast)],
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
    const outcomes = rows.map((row) => outcome(row.board[figure], row.rivals[rival][1][figure]));
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
  const steps =
    'steps to twice the board’s final error, measured on an emulated board; a factor below 1.5 is a tie';
  const model =
    'steps as before; host work measured in JavaScript, transfer at 40 MB/s and board time modelled';
  const fast = 'as before, transfer at 50 Gb/s';
  return [
    claim('The board needs fewer steps than Adam and momentum.', 0, 'steps', steps),
    claim('The board needs fewer steps than CG, or low rank without a board.', 1, 'steps', steps),
    claim('The board over USB 2 needs less time than Adam and momentum.', 0, 'usb', model),
    claim('The board over 50 Gb/s needs less time than an exact solve on the host.', 2, 'fast', fast),
    claim('The board over USB 2 needs less time than an exact solve on the host.', 2, 'usb', model),
    claim('The board over USB 2 needs less time than CG, or low rank without a board.', 1, 'usb', model),
  ];
}

/** Bars of the problems on which a first-order method gets there; the others are named. */
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
