import { formatNumber } from '../../../number-text.js';
import {
  hostWorkSeconds,
  type MethodResult,
  meanOf,
  type StudyResults,
  type TaskResult,
} from './study-results.js';
import type { Claim, ClaimVerdict } from './table/table-study.js';

/** Methods that know no curvature. */
const FIRST_ORDER: ReadonlySet<string> = new Set(['adam', 'control']);

/** What a study of trainings says, as claims with verdicts. */
export function trainingClaims({ tasks }: StudyResults): Claim[] {
  return tasks.flatMap(claimsOfTask);
}

function claimsOfTask({ title, methods }: TaskResult): Claim[] {
  const [board, ...others] = methods;
  if (board.error === undefined) return [];
  const digital = others.filter(({ role }) => role === 'digital');
  const first = digital.filter(({ name }) => FIRST_ORDER.has(name));
  const curved = digital.filter(({ name }) => !FIRST_ORDER.has(name));
  const without = others.filter(({ role }) => role === 'without-board');
  const how =
    'error in the end, geometric mean [least, largest] over the seeds, measured on an emulated board';
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
    claim('the board’s answer does it: the same host work without it ends farther off.', without),
    timeClaim(title, board, curved),
  ];
}

function errorText({ error }: MethodResult): string {
  if (error === undefined) return 'failed';
  const text = (value: number): string => value.toExponential(1);
  return `${text(error.geometricMean)} [${text(error.min)}, ${text(error.max)}]`;
}

function verdictAgainst(rivals: readonly MethodResult[]): ClaimVerdict {
  const verdicts = rivals.map(({ againstBoard }) => againstBoard?.verdict ?? 'higher');
  if (verdicts.includes('lower')) return 'a digital method wins';
  if (verdicts.every((verdict) => verdict === 'higher')) return 'holds';
  return verdicts.includes('higher') ? 'holds in part' : 'a tie';
}

/** A transfer over USB 2, in bytes a second. */
const USB_BYTES_PER_SECOND = 40e6;

/** A step with a board over USB 2 beside those of the digital methods that end no worse. */
function timeClaim(title: string, board: MethodResult, curved: readonly MethodResult[]): Claim {
  const rivals = curved.filter(({ againstBoard }) => againstBoard && againstBoard.verdict !== 'higher');
  const perStep = (figure: (training: MethodResult['trainings'][number]) => number): number =>
    meanOf(board, figure) / board.steps;
  const transfer = perStep(({ uploadBytes }) => uploadBytes) / USB_BYTES_PER_SECOND;
  const work = meanOf(board, hostWorkSeconds);
  const seconds = work + transfer + perStep(({ boardSeconds }) => boardSeconds);
  const totals = rivals.map((rival) => ({
    name: rival.name,
    ratio: (meanOf(rival, hostWorkSeconds) * rival.steps) / (seconds * board.steps),
  }));
  const best = Math.min(...totals.map(({ ratio }) => ratio));
  return {
    claim: `${title}: with a board over USB 2 the training takes less time than by the digital methods that end no worse.`,
    paper: '–',
    ours:
      totals.length === 0
        ? 'No digital method ends as near.'
        : `Time over that with the board: ${totals.map(({ name, ratio }) => `${name} × ${formatNumber(ratio, 2)}`).join(', ')}.`,
    how: 'host work measured in JavaScript on a busy machine; transfer at 40 MB/s and board time modelled',
    verdict: totals.length === 0 || best > 1.5 ? 'holds' : best < 1 / 1.5 ? 'a digital method wins' : 'a tie',
  };
}
