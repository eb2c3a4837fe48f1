import type { OptimizerOptions } from '../../../learning/optimizers/registry.js';

/** A setting of a method that a study searches, on a seed that it does not report. */
export interface SettingSearch {
  readonly setting: 'rate' | 'memory';
  /** The first values, ascending; the quick form takes two of them, and no more. */
  readonly values: readonly number[];
  readonly optionsAt: (value: number) => OptimizerOptions;
}

/** The settings that a search has tried. A training that failed has no error. */
export interface Tried {
  readonly value: number;
  readonly error: number | null;
}

/** Settings are searched on this seed, which is never reported. */
export const SEARCH_SEED = 0;
/** Values that a quick study tries. */
const QUICK_VALUES = 2;
/** The most values of a search, so that one whose best always lies at an edge ends. */
const VALUES_MAX = 5;

/** The values that a search begins with. */
export function firstValues({ values }: SettingSearch, quick: boolean): readonly number[] {
  return quick ? values.slice(0, QUICK_VALUES) : values;
}

/** The value with the least error; the smallest one of several, and where every training failed. */
export function bestValue(tried: readonly Tried[]): number {
  return best(tried).value;
}

/** Whether a still smaller or larger value may be better. */
export function isAtEdge(tried: readonly Tried[]): boolean {
  const values = tried.map(({ value }) => value);
  return [Math.min(...values), Math.max(...values)].includes(bestValue(tried));
}

/** Whether one of the searches of a task, which all have tried as many values, should try more. */
export function needsMore(searches: readonly (readonly Tried[])[], quick: boolean): boolean {
  return !quick && searches.some((tried) => isAtEdge(tried) && tried.length < VALUES_MAX);
}

/**
 * One more value to try. If the best value is at an edge, the new one lies beyond it; otherwise it lies
 * between the best value and the better of its neighbours. So all methods of a task get equally many values.
 */
export function nextValue(tried: readonly Tried[], { setting }: SettingSearch): number {
  const sorted = tried.toSorted((a, b) => a.value - b.value);
  const at = sorted.indexOf(best(tried));
  const [low, high] = [sorted[at - 1], sorted[at + 1]];
  const { value } = sorted[at];
  const other =
    low === undefined
      ? value / 4
      : high === undefined
        ? 4 * value
        : (errorOf(low) <= errorOf(high) ? low : high).value;
  // The geometric mean: half or twice the value at an edge.
  const next = Math.sqrt(value * other);
  return setting === 'memory' ? Math.max(1, Math.round(next)) : Number(next.toPrecision(2));
}

const errorOf = ({ error }: Tried): number => error ?? Number.POSITIVE_INFINITY;

function best(tried: readonly Tried[]): Tried {
  const [first, ...others] = tried.toSorted((a, b) => a.value - b.value);
  return others.reduce((least, one) => (errorOf(one) < errorOf(least) ? one : least), first);
}
