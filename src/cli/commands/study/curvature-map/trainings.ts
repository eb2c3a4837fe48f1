import { createAnalogSolver } from '../../../../algorithms/board-solver.js';
import { createExactSolver, createNoSolver } from '../../../../algorithms/truncated.js';
import type { OptimizerName } from '../../../../learning/optimizers/registry.js';
import { runProblemOnce } from '../problem-run.js';
import type {
  FactorShape,
  Lab,
  Measured,
  PlannedRun,
  Scale,
  Settings,
  TableRun,
} from '../table/table-study.js';
import { type MapMethod, type MapProblem, PROBLEMS } from './problems.js';
import { bestRate, SEARCH, searchRuns } from './rate-search.js';

/** The part with the trainings that are reported. */
export const PART = 'trainings';
/** The target is this many times the error that the board ends with, seed by seed. */
export const TARGET_FACTOR = 2;

const namesOf = (quick: boolean): readonly string[] =>
  quick ? ['squares-10', 'squares-1000', 'ising', 'poisson2', 'digits'] : Object.keys(PROBLEMS);

/** The factor of the curvature of each problem. */
export function shapes({ quick }: Scale): FactorShape[] {
  return namesOf(quick).map((name) => PROBLEMS[name].make(0, quick));
}

/** The searches of rates, and then each method on each problem and seed. */
export function runsOf({ quick, seeds }: Scale): PlannedRun[] {
  const names = namesOf(quick);
  const stepsOf = ({ steps }: MapProblem, { longer = 1 }: MapMethod) => (steps * longer) / 100;
  const searched = names.flatMap((problem) =>
    Object.entries(PROBLEMS[problem].methods).flatMap(([method, one]) =>
      searchRuns(problem, method, quick).map((run) => ({ ...run, cost: stepsOf(PROBLEMS[problem], one) })),
    ),
  );
  const reported = seeds.flatMap((seed) =>
    names.flatMap((problem) =>
      Object.entries(PROBLEMS[problem].methods).map(([method, one]) => ({
        ...{ part: PART, settings: { problem, method, ...searchedBy(problem, method, quick) }, seed },
        cost: stepsOf(PROBLEMS[problem], one) * (method === 'board' ? 5 : 2),
      })),
    ),
  );
  return [...searched, ...reported];
}

/**
 * The number of rates that were tried for a method, as a setting of its reported runs. A study that continues
 * after a shorter search then trains this method again.
 */
function searchedBy(problem: string, method: string, quick: boolean): Settings {
  const { length } = searchRuns(problem, method, quick);
  return length === 0 ? {} : { 'rates tried': length };
}

/** One training: its error, its cost, and the steps that it takes to the target. */
export async function measure(
  { part, settings, seed }: PlannedRun,
  lab: Lab,
  { quick }: Scale,
): Promise<Measured> {
  const name = String(settings['problem']);
  const method = String(settings['method']);
  const { make, measure: figure, steps, methods } = PROBLEMS[name];
  const { optimizer, options, rates, longer = 1 } = methods[method];
  const rate: Readonly<Record<string, number>> =
    rates === undefined ? {} : { rate: Number(settings['rate'] ?? bestRate(lab.done, name, method)) };
  const stepsMax = quick ? Math.ceil((steps * longer) / 2) : steps * longer;
  const { figures, timing, curve } = await runProblemOnce({
    ...{ problem: make(seed, quick), measure: figure, optimizer, steps: stepsMax, seed, signal: lab.signal },
    options: { ...options, ...rate },
    ...(await solverOf(method, optimizer, lab)),
  });
  if (part === SEARCH) return { figures: { error: figures['error'], ...rate } };
  const target = TARGET_FACTOR * (method === 'board' ? figures['error'] : boardError(lab.done, name, seed));
  const reached = curve.find(([, error]) => error <= target)?.[0];
  return {
    figures:
      reached === undefined ? { ...figures, ...rate } : { ...figures, ...rate, stepsToTarget: reached },
    ...(timing === undefined ? {} : { timing }),
  };
}

/** The solver of a method: the board or the host. Other methods need no solver. */
async function solverOf(method: string, optimizer: OptimizerName, lab: Lab) {
  if (method === 'board') return { solver: createAnalogSolver(await lab.board()) };
  if (optimizer !== 'lm') return {};
  return { solver: method === 'exact' ? createExactSolver() : createNoSolver() };
}

function boardError(done: readonly TableRun[], problem: string, seed: number): number {
  const board = done.find(
    (run) =>
      run.part === PART &&
      run.seed === seed &&
      run.settings['problem'] === problem &&
      run.settings['method'] === 'board',
  );
  return board?.figures['error'] ?? Number.NaN;
}
