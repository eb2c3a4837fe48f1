import type { DeviceIdentity } from '../../../driver/device-api.js';
import type { OptimizerOptions } from '../../../learning/optimizers/registry.js';
import type { StepTiming } from '../../../learning/record.js';
import { VERSION } from '../../version.js';
import type { FinishedSearch, StudyRequest, StudyRun } from './run-study.js';
import { isAtEdge, type Tried } from './setting-search.js';
import type { StudyMethod, StudyTask } from './studies.js';
import type { StudyTraining } from './study-training.js';

/** The result of one training in results.json. */
export interface TrainingResult {
  readonly seed: number;
  /** Path below the directory of the study. */
  readonly directory: string;
  /** The error at the end; null if the training failed. */
  readonly error: number | null;
  readonly failure?: { readonly code: string; readonly message: string };
  /** [steps taken, error] for each test of the parameters. */
  readonly curve: readonly (readonly [step: number, error: number])[];
  /** Everything that depends on the clock. */
  readonly timing?: {
    readonly hostSeconds: number;
    /** Host time of a step in milliseconds, by part. */
    readonly breakdown: StepTiming;
  };
  readonly ticks: number;
  /** Modelled: ticks × h × τ. */
  readonly boardSeconds: number;
  readonly uploadBytes: number;
}

export interface Spread {
  readonly geometricMean: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Comparison of the errors of a method with those of the board: `lower` if its largest error is below the
 * least of the board, `higher` if its least error is above the largest of the board, `overlap` otherwise and
 * if the mean errors are equal to two digits.
 */
export type Verdict = 'lower' | 'overlap' | 'higher';

/** How a setting was found. */
export interface SearchResult {
  readonly setting: string;
  /** The seeds of the search. They are not reported. */
  readonly seeds: readonly number[];
  /** All values that were tried, ascending. */
  readonly tried: readonly Tried[];
  /** Whether the best value is the smallest or the largest, so that one beyond may be better. */
  readonly isAtEdge: boolean;
}

export interface MethodResult {
  readonly name: string;
  readonly meaning: string;
  readonly role: StudyMethod['role'];
  readonly optimizer: string;
  readonly options: OptimizerOptions;
  readonly steps: number;
  /** Left out if no setting was searched. */
  readonly search?: SearchResult;
  readonly trainings: readonly TrainingResult[];
  /** The final errors. Absent if a training failed. */
  readonly error?: Spread;
  /** Left out for the board itself, and if a training failed. */
  readonly againstBoard?: { readonly factor: number; readonly verdict: Verdict };
}

export interface TaskResult {
  readonly name: string;
  readonly title: string;
  readonly measure: string;
  readonly problem: Readonly<Record<string, unknown>>;
  readonly parameterCount: number;
  readonly curvatureRows: number;
  /** The methods; the first one uses the board. */
  readonly methods: readonly MethodResult[];
}

/** The content of results.json. */
export interface StudyResults {
  readonly study: string;
  readonly title: string;
  readonly error: string;
  readonly settingsFrom: string;
  readonly quick: boolean;
  readonly seeds: readonly number[];
  readonly versions: { readonly thermolink: string; readonly node: string; readonly platform: string };
  readonly board: DeviceIdentity & { readonly uri: string };
  readonly tasks: readonly TaskResult[];
}

/** The boards of a study as one text. A name that several boards have occurs once. */
export function namesOf(uris: readonly string[]): string {
  return [...new Set(uris)].join(', ');
}

/** The results of a study, as data. */
export function resultsOf(
  { study, quick, seeds, uris: asked }: StudyRequest,
  { tasks, board, searches, trainings, uris = asked }: StudyRun,
): StudyResults {
  const { name, title, error, settingsFrom } = study;
  return {
    ...{ study: name, title, error, settingsFrom, quick },
    seeds: Array.from({ length: seeds }, (_, i) => i + 1),
    versions: {
      thermolink: VERSION,
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
    },
    board: { uri: namesOf(uris), ...board },
    tasks: tasks.map((task) =>
      taskResult(
        task,
        trainings.filter((one) => one.task === task.name),
        searches.filter((one) => one.task === task.name),
      ),
    ),
  };
}

function taskResult(
  task: StudyTask,
  trainings: readonly StudyTraining[],
  searches: readonly FinishedSearch[],
): TaskResult {
  const { name, title, measure, problem } = task;
  const methods = task.methods.map((method) =>
    methodResult(
      method,
      measure,
      trainings.filter((one) => one.method === method.label),
      searches.find((one) => one.method === method.label),
    ),
  );
  const board = methods[0].error;
  return {
    ...{ name, title, measure, problem: problem.settings },
    parameterCount: problem.parameterCount,
    curvatureRows: problem.curvatureRows,
    methods: methods.map((method, index) => {
      if (index === 0 || board === undefined || method.error === undefined) return method;
      const factor = method.error.geometricMean / board.geometricMean;
      return { ...method, againstBoard: { factor, verdict: verdictOf(method.error, board, factor) } };
    }),
  };
}

function methodResult(
  { label, meaning, role, name, options, steps, search }: StudyMethod,
  measure: string,
  trainings: readonly StudyTraining[],
  found: FinishedSearch | undefined,
): MethodResult {
  const results = trainings.map((one) => trainingResult(one, measure));
  const errors = results.flatMap(({ error }) => (error === null ? [] : [error]));
  const isComplete = errors.length === results.length;
  return {
    ...{ name: label, meaning, role, optimizer: name, options: finiteOptions(options), steps },
    ...(search === undefined || found === undefined
      ? {}
      : {
          search: {
            ...{ setting: search.setting, seeds: found.seeds, tried: found.tried },
            isAtEdge: isAtEdge(found.tried),
          },
        }),
    trainings: results,
    ...(isComplete ? { error: spreadOf(errors) } : {}),
  };
}

/** JSON has no Infinity, but an optimizer without a clip has the clip Infinity. */
function finiteOptions(options: OptimizerOptions): OptimizerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== Infinity));
}

function trainingResult(
  { seed, directory, summary, records, failure }: StudyTraining,
  measure: string,
): TrainingResult {
  if (summary === undefined)
    return { seed, directory, error: null, failure, curve: [], ticks: 0, boardSeconds: 0, uploadBytes: 0 };
  const tested = records.flatMap(({ step, test }) => {
    const error = test?.[measure];
    return error === undefined ? [] : [[step + 1, error] as const];
  });
  const { ticks, boardSeconds, uploadBytes, iterations } = summary;
  const error = summary[measure];
  const isTestedLast = tested.at(-1)?.[0] === iterations;
  const curve = isTestedLast ? tested : [...tested, [iterations, error] as const];
  return { seed, directory, error, curve, timing: summary.timing, ticks, boardSeconds, uploadBytes };
}

/** Geometric mean, least and largest of errors above 0. */
export function spreadOf(errors: readonly number[]): Spread {
  return {
    geometricMean: Math.exp(errors.reduce((sum, error) => sum + Math.log(error), 0) / errors.length),
    min: Math.min(...errors),
    max: Math.max(...errors),
  };
}

/** Compares the errors of a method with those of the board. `factor` is the ratio of their means. */
export function verdictOf(errors: Spread, board: Spread, factor: number): Verdict {
  // A factor that is printed as × 1.0 shows no difference.
  if (Number(factor.toPrecision(2)) === 1) return 'overlap';
  if (errors.max < board.min) return 'lower';
  return errors.min > board.max ? 'higher' : 'overlap';
}

/** Mean over the trainings of a method. None of them may have failed. */
export function meanOf({ trainings }: MethodResult, figure: (training: TrainingResult) => number): number {
  return trainings.reduce((sum, one) => sum + figure(one), 0) / trainings.length;
}

/** Host time of a step, without the parts in which it waits for a board or talks to it. */
export function hostWorkSeconds({ timing }: TrainingResult): number {
  const { gradientMs, curvatureMs, mapMs, otherMs } = timing!.breakdown;
  return (gradientMs + curvatureMs + mapMs + otherMs) / 1000;
}
