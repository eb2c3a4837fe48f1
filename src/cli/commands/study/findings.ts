import { formatBytes, formatExact, formatNumber, formatSeconds } from '../../../number-text.js';
import { bestValue } from './setting-search.js';
import {
  hostWorkSeconds,
  type MethodResult,
  meanOf,
  type StudyResults,
  type TaskResult,
  type Verdict,
} from './study-results.js';

/** The columns of the table of a task. */
export const COLUMNS = [
  'method',
  'error',
  'least to largest',
  'against the board',
  'steps',
  'host time',
  'host work a step',
  'board a step',
  'upload a step',
] as const;

const VERDICTS: Readonly<Record<Verdict, string>> = {
  lower: 'lower',
  overlap: 'no difference shown',
  higher: 'higher',
};

/** One row for each method of a task, in the order of `COLUMNS`. A dash stands for a missing value. */
export function rowsOf({ methods }: TaskResult): string[][] {
  return methods.map((method) => {
    const { name, error, againstBoard, steps } = method;
    if (error === undefined) return [name, 'failed', failures(method), '', String(steps)];
    const usesBoard = method.role === 'board';
    const perStep = (total: number): number => total / steps;
    return [
      name,
      error.geometricMean.toExponential(1),
      method.trainings.length === 1 ? '–' : `${error.min.toExponential(1)} to ${error.max.toExponential(1)}`,
      againstBoard === undefined
        ? ''
        : `× ${formatNumber(againstBoard.factor, 2)}, ${VERDICTS[againstBoard.verdict]}`,
      String(steps),
      formatSeconds(meanOf(method, ({ timing }) => timing!.hostSeconds)),
      formatSeconds(meanOf(method, hostWorkSeconds)),
      usesBoard ? formatSeconds(perStep(meanOf(method, ({ boardSeconds }) => boardSeconds))) : '–',
      usesBoard ? formatBytes(perStep(meanOf(method, ({ uploadBytes }) => uploadBytes))) : '–',
    ];
  });
}

function failures({ trainings }: MethodResult): string {
  return trainings
    .flatMap(({ seed, failure }) => (failure === undefined ? [] : [`seed ${seed}: ${failure.code}`]))
    .join(', ');
}

/** The findings of a task, one sentence each. */
export function findingsOf(task: TaskResult): string[] {
  const [board, ...others] = task.methods;
  if (board.error === undefined) return ['A training with the board failed, so nothing can be compared.'];
  const digital = others.filter(({ role }) => role === 'digital');
  const having = (verdict: Verdict): MethodResult[] =>
    digital.filter(({ againstBoard }) => againstBoard?.verdict === verdict);
  const withFactors = (methods: readonly MethodResult[]): string =>
    listed(
      methods.map(({ name, againstBoard }) => `${name} (error × ${formatNumber(againstBoard!.factor, 2)})`),
    );
  const [higher, overlap, lower] = [having('higher'), having('overlap'), having('lower')];
  const failed = digital.filter(({ error }) => error === undefined);
  const everySeed = board.trainings.length === 1 ? 'on the one seed that was run' : 'on every seed';
  const least = digital.filter(({ againstBoard }) => againstBoard?.verdict !== 'higher' && againstBoard);
  return [
    higher.length > 0
      ? `The board ends with a smaller error than ${withFactors(higher)} ${everySeed}.`
      : 'The board beats none of the digital methods.',
    ...(overlap.length > 0
      ? [
          `No difference is shown to ${withFactors(overlap)}: the ranges over the seeds overlap, or the errors are equal to two digits.`,
        ]
      : []),
    lower.length > 0
      ? `A digital method wins: ${withFactors(lower)} ${lower.length === 1 ? 'ends' : 'end'} with a smaller error than the board ${everySeed}.`
      : `No digital method ends with a smaller error than the board ${everySeed}.`,
    ...(failed.length > 0 ? [`Failed: ${listed(failed.map(({ name }) => name))}.`] : []),
    ...others.filter(({ role }) => role === 'without-board').flatMap(withoutBoard),
    ...timeSentences(board, least),
  ];
}

function withoutBoard({ name, againstBoard }: MethodResult): string[] {
  if (againstBoard === undefined) return [];
  const { factor, verdict } = againstBoard;
  return [
    verdict === 'higher'
      ? `The answer of the board is the cause: without it the same host work (${name}) ends with ${formatNumber(factor, 2)} times the error.`
      : `The answer of the board makes no difference here: without it the same host work (${name}) does as well.`,
  ];
}

/** The cost of a step with a board, compared with the digital methods whose final error is not larger. */
function timeSentences(board: MethodResult, rivals: readonly MethodResult[]): string[] {
  const perStep = (total: number): number => total / board.steps;
  const modelled = perStep(meanOf(board, ({ boardSeconds }) => boardSeconds));
  const upload = perStep(meanOf(board, ({ uploadBytes }) => uploadBytes));
  const work = formatSeconds(meanOf(board, hostWorkSeconds));
  const steps = rivals.map(
    (method) => `${name(method)} ${formatSeconds(meanOf(method, hostWorkSeconds))}, ${method.steps} steps`,
  );
  return [
    `A step with a real board would take ${work} of host work (measured), ${formatSeconds(modelled)} of the board (modelled) and the transfer of ${formatBytes(upload)}.` +
      (steps.length > 0 ? ` A step of the digital methods that end no worse: ${steps.join('; ')}.` : ''),
  ];
}

const name = ({ name: text }: MethodResult): string => text;

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** The seeds of a search in words, such as “the seeds 0, 1001 and 1002”. */
export function seedsText(seeds: readonly number[]): string {
  return seeds.length === 1 ? `seed ${seeds[0]}` : `the seeds ${listed(seeds.map(String))}`;
}

/** Sentences that say how the settings were found. Empty if no setting was searched. */
export function searchSentences({ methods }: TaskResult): string[] {
  const searched = methods.flatMap(({ name: method, search }) => (search ? [{ method, ...search }] : []));
  if (searched.length === 0) return [];
  const [{ tried, seeds }] = searched;
  const found = searched.map((one) => `${one.method} ${one.setting} ${formatExact(bestValue(one.tried))}`);
  const atEdge = searched.filter((one) => one.isAtEdge).map(({ method }) => method);
  return [
    `Settings were searched on ${seedsText(seeds)}, ${tried.length} values for each method: ${found.join(', ')}.`,
    // With only two values, each value is at an edge.
    ...(atEdge.length > 0 && tried.length > 2
      ? [
          `The best value is the smallest or the largest that was tried for ${listed(atEdge)}, so one beyond may be better.`,
        ]
      : []),
  ];
}

/** The search of a task as rows: method, setting, every value with its error, and the chosen value. */
export function searchRows({ methods }: TaskResult): string[][] {
  return methods.flatMap(({ name: method, search }) => {
    if (search === undefined) return [];
    const tried = search.tried.map(
      ({ value, error }) => `${formatExact(value)}: ${error?.toExponential(1) ?? 'failed'}`,
    );
    return [[method, search.setting, tried.join(', '), formatExact(bestValue(search.tried))]];
  });
}

/** Notes: which figures are measured, which are modelled, and the meaning of the words in the table. */
export function methodNotes({ seeds, quick, board, tasks }: StudyResults): string[] {
  const [first] = tasks;
  const several = `Error: the geometric mean over the seeds ${seeds.join(', ')}, with the least and the largest.`;
  return [
    `${several} Settings were never chosen on these seeds.`,
    '“Lower” and “higher” mean that the ranges over the seeds do not overlap and that the errors differ in two digits. ' +
      (seeds.length < 3 ? `With ${seeds.length === 1 ? 'one seed' : 'two seeds'} that says little.` : ''),
    `Measured: errors, steps, uploaded bytes and host times on the machine that ran the study${board.uri.startsWith('emulator:') ? '. The emulated board computes in host time, so the host time of its trainings says nothing of a real board' : ''}. Host work leaves out waiting for the board and talking to it.`,
    'Modelled: the time of the board, ticks × h × τ. The time of the link is not modelled; the uploaded bytes are given.',
    ...(quick
      ? [
          `This is the quick study: small problems (${first.title}), few steps, and a search of two values. It shows that the study runs, not who wins.`,
        ]
      : []),
  ].map((line) => line.trim());
}
