import { bestValue, isAtEdge, nextValue, type Tried, VALUES_MAX } from '../setting-search.js';
import type { PlannedRun, Settings, TableRun } from '../table/table-study.js';
import { PROBLEMS } from './problems.js';

/** The part that searches rates, on a seed that is not reported. */
export const SEARCH = 'search';
const SEARCH_SEED = 0;

/** The runs that search the rate of a method: its first rates, and then up to `VALUES_MAX` values in all. */
export function searchRuns(problem: string, method: string, quick: boolean): Omit<PlannedRun, 'cost'>[] {
  const rates = PROBLEMS[problem].methods[method].rates ?? [];
  const run = (settings: Settings) => ({ part: SEARCH, settings, seed: SEARCH_SEED });
  const more = quick || rates.length === 0 ? 0 : VALUES_MAX - rates.length;
  return [
    ...rates.map((rate) => run({ problem, method, rate })),
    // The rate of such a run depends on the runs before it, so its settings have the number of the value.
    ...Array.from({ length: more }, (_, i) => run({ problem, method, value: rates.length + i + 1 })),
  ];
}

/** The rate of a run of the search. */
export function rateOf({ problem, method, rate }: Settings, done: readonly TableRun[]): number {
  if (rate !== undefined) return Number(rate);
  return nextRate(triedRates(done, String(problem), String(method)));
}

/** The rate with the least error. */
export function bestRate(done: readonly TableRun[], problem: string, method: string): number {
  return bestValue(triedRates(done, problem, method));
}

const nextRate = (tried: readonly Tried[]): number => nextValue(tried, { setting: 'rate' });

/** The rates that were tried, in the order of the search. */
export function triedRates(runs: readonly TableRun[], problem: string, method: string): Tried[] {
  const tried: Tried[] = [];
  for (const { part, settings, figures } of runs) {
    if (part !== SEARCH || settings['problem'] !== problem || settings['method'] !== method) continue;
    const error = figures['error'];
    const value = settings['rate'] === undefined ? nextRate(tried) : Number(settings['rate']);
    tried.push({ value, error: Number.isFinite(error) ? error : null });
  }
  return tried;
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
