import { formatNumber } from '../../../number-text.js';
import { seedsText } from './findings.js';
import type { MethodResult, StudyResults, TaskResult } from './study-results.js';
import type { Claim, ClaimVerdict } from './table/table-study.js';

/** Methods that know no curvature. */
const FIRST_ORDER: ReadonlySet<string> = new Set(['adam', 'control']);

/** The claims of a study of trainings, with verdicts. */
export function trainingClaims({ tasks, seeds, quick }: StudyResults): Claim[] {
  const bars = quick ? [] : tasks.flatMap(barClaim);
  const claims = tasks.flatMap(claimsOfTask);
  // The results of one seed have no range, so they decide nothing.
  const shown =
    seeds.length > 1 ? claims : claims.map((claim) => ({ ...claim, verdict: 'not shown' as const }));
  return [...bars, ...shown];
}

/** Number of seeds that the bars are meant for. */
const BAR_SEEDS = 3;
/** The expected results of the full sizes, written down before any of them was trained. */
const BARS: Readonly<Record<string, { readonly error: number; readonly adamFactor: number }>> = {
  ising: { error: 2e-4, adamFactor: 8 },
  poisson: { error: 1.5e-3, adamFactor: 20 },
};

function barClaim(task: TaskResult): Claim[] {
  const { name, title, methods } = task;
  const bar = BARS[name];
  const [board] = methods;
  const adam = methods.find((method) => method.name === 'adam');
  if (bar === undefined || board.error === undefined || adam?.error === undefined) return [];
  const { error, adamFactor } = bar;
  const factor = adam.error.geometricMean / board.error.geometricMean;
  const isMet = board.error.max <= error && factor >= adamFactor;
  return [
    {
      claim: `${title}: the board’s error is at most ${error.toExponential(1)}, that of Adam at least ${adamFactor} times the board’s.`,
      paper: '–',
      ours: `Largest error with the board ${board.error.max.toExponential(1)}; Adam × ${formatNumber(factor, 2)} after ${formatNumber(adam.steps)} steps where the board took ${board.steps}. ${board.trainings.length === 1 ? 'One seed.' : `${board.trainings.length} seeds.`}`,
      how: `measured on an emulated board${searchText(task)}`,
      verdict: isMet ? (board.trainings.length < BAR_SEEDS ? 'holds in part' : 'holds') : 'does not hold',
    },
  ];
}

/** Says where the settings come from if they were searched. Empty otherwise. */
function searchText({ methods }: TaskResult): string {
  const [board] = methods;
  if (board.search === undefined) return '';
  return `; settings of ${seedsText(board.search.seeds)}, ${board.search.tried.length} values for each method`;
}

function claimsOfTask(task: TaskResult): Claim[] {
  const { title, methods } = task;
  const [board, ...others] = methods;
  if (board.error === undefined) return [];
  const digital = others.filter(({ role }) => role === 'digital');
  const first = digital.filter(({ name }) => FIRST_ORDER.has(name));
  const curved = digital.filter(({ name }) => !FIRST_ORDER.has(name));
  const without = others.filter(({ role }) => role === 'without-board');
  const how = `error in the end, geometric mean [least, largest] over the seeds, measured on an emulated board${searchText(task)}`;
  const claim = (sentence: string, rivals: readonly MethodResult[]): Claim => ({
    claim: `${title}: ${sentence}`,
    paper: '–',
    ours: `Board ${errorText(board)} after ${board.steps} steps; ${rivals.map((rival) => `${rival.name} ${errorText(rival)}${rival.steps === board.steps ? '' : ` after ${formatNumber(rival.steps)}`}`).join(', ')}.`,
    how,
    verdict: verdictAgainst(rivals),
  });
  return [
    claim('the board ends nearer than Adam and momentum.', first),
    claim('the board ends nearer than digital methods with curvature.', curved),
    claim('the board’s answer is the cause: the same host work without it ends farther off.', without),
  ];
}

function errorText({ error, trainings }: MethodResult): string {
  if (error === undefined) return 'failed';
  if (trainings.length === 1) return error.min.toExponential(1);
  const text = (value: number): string => value.toExponential(1);
  return `${text(error.geometricMean)} [${text(error.min)}, ${text(error.max)}]`;
}

function verdictAgainst(rivals: readonly MethodResult[]): ClaimVerdict {
  const verdicts = rivals.map(({ againstBoard }) => againstBoard?.verdict ?? 'higher');
  if (verdicts.includes('lower')) return 'a digital method wins';
  if (verdicts.every((verdict) => verdict === 'higher')) return 'holds';
  return verdicts.includes('higher') ? 'holds in part' : 'a tie';
}
