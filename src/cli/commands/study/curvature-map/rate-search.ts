import { bestValue, isAtEdge, type Tried } from '../setting-search.js';
import type { PlannedRun, TableRun } from '../table/table-study.js';
import { PROBLEMS } from './problems.js';

/** The part that searches rates, on a seed that is not reported. */
export const SEARCH = 'search';
const SEARCH_SEED = 0;
/** The number of rates that a quick study tries. */
const QUICK_RATES = 3;

/** The runs that search the rate of a method. */
export function searchRuns(problem: string, method: string, quick: boolean): Omit<PlannedRun, 'cost'>[] {
  const rates = PROBLEMS[problem].methods[method].rates ?? [];
  return (quick ? rates.slice(0, QUICK_RATES) : rates).map((rate) => ({
    ...{ part: SEARCH, settings: { problem, method, rate }, seed: SEARCH_SEED },
  }));
}

/** The rate with the least error. */
export function bestRate(done: readonly TableRun[], problem: string, method: string): number {
  return bestValue(triedRates(done, problem, method));
}

/** The rates that were tried. */
function triedRates(runs: readonly TableRun[], problem: string, method: string): Tried[] {
  return runs
    .filter(
      ({ part, settings }) =>
        part === SEARCH && settings['problem'] === problem && settings['method'] === method,
    )
    .map(({ settings, figures }) => ({
      value: Number(settings['rate']),
      error: Number.isFinite(figures['error']) ? figures['error'] : null,
    }));
}

/** The searches of rates, and how many of them ended at the smallest or the largest rate. */
export interface SearchEdges {
  readonly searches: number;
  readonly atEdge: number;
}

/** Counts the searches in these runs. */
export function searchEdges(runs: readonly TableRun[]): SearchEdges {
  const searches = Object.entries(PROBLEMS)
    .flatMap(([problem, { methods }]) =>
      Object.keys(methods).map((method) => triedRates(runs, problem, method)),
    )
    .filter((tried) => tried.length > 0);
  return { searches: searches.length, atEdge: searches.filter(isAtEdge).length };
}

/** The sentence for a claim over methods whose rates were searched. */
export function edgeSentence({ searches, atEdge }: SearchEdges): string {
  return `In ${atEdge} of ${searches} searches the best rate is the smallest or the largest that was tried, so Adam and momentum may do better than here.`;
}
