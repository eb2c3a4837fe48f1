import type { TruncatedSolver } from '../../../algorithms/contract.js';
import { createOptimizer } from '../../../learning/optimizers/create.js';
import type { OptimizerName, OptimizerOptions } from '../../../learning/optimizers/registry.js';
import type { Figures, Problem } from '../../../learning/problem/contract.js';
import type { StepRecord } from '../../../learning/record.js';
import { trainProblem } from '../../../learning/train-problem.js';
import { hostWorkMs } from './digits.js';
import type { Measured } from './table/table-study.js';

/** One training of a problem as a row of a table. */
export interface ProblemRun {
  readonly problem: Problem<Figures, Figures>;
  /** The figure of the test that counts as the error of parameters; smaller is better. */
  readonly measure: string;
  readonly optimizer: OptimizerName;
  readonly options: OptimizerOptions;
  readonly solver?: TruncatedSolver;
  readonly steps: number;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** The error after each of several numbers of steps. */
export type ErrorCurve = readonly (readonly [step: number, error: number])[];

/** Number of tests of the parameters in a training. */
const TESTS = 20;

/**
 * Trains a problem once. Figures: `error` in the end; ticks, modelled board seconds and uploaded bytes, each
 * a step. Timing: the host work of the fastest step in seconds. Errors: those of `trainProblem`.
 */
export async function runProblemOnce(
  request: ProblemRun,
): Promise<Measured & { readonly curve: ErrorCurve }> {
  const { problem, measure, optimizer, options, solver, steps, seed, signal } = request;
  const records: StepRecord<Figures>[] = [];
  const { summary } = await trainProblem<Figures, Figures>({
    problem,
    optimizer: createOptimizer(optimizer, options, solver),
    ...{ steps, seed, signal, testEvery: Math.max(1, Math.floor(steps / TESTS)) },
    onStep: (record) => records.push(record),
  });
  const error = summary[measure];
  const tested = records.flatMap(({ step, test }) =>
    test === undefined || test[measure] === undefined ? [] : [[step + 1, test[measure]] as const],
  );
  const work = records.map(({ timing }) => hostWorkMs(timing));
  return {
    figures: {
      error,
      ticks: summary.ticks / steps,
      boardSeconds: summary.boardSeconds / steps,
      uploadBytes: summary.uploadBytes / steps,
    },
    timing: { hostWorkSeconds: Math.min(...work) / 1000 },
    curve: [...tested.filter(([step]) => step < steps), [steps, error]],
  };
}
