import type { OptimizerOptions } from '../../../learning/optimizers/registry.js';

/** The largest seed that a study may report. */
export const SEEDS_MAX = 1000;

/** A setting of a method. A study searches the best value of it before the study begins. */
export interface SettingSearch {
  readonly setting: 'rate' | 'memory';
  /** The first values to try, ascending. A quick study tries only the first two. */
  readonly values: readonly number[];
  readonly optionsAt: (value: number) => OptimizerOptions;
}

/** One value that a search has tried. */
export interface Tried {
  readonly value: number;
  /** The largest error over the seeds of the search; null if a training failed. */
  readonly error: number | null;
}

/**
 * A search trains each value with these seeds. Their results are never reported: the seeds of a report are 1
 * to `SEEDS_MAX`.
 */
const SEARCH_SEEDS: readonly number[] = [0, SEEDS_MAX + 1, SEEDS_MAX + 2];
/** The number of seeds and of values that a quick study tries. */
const QUICK_SEEDS = 1;
const QUICK_VALUES = 2;
/**
 * The largest number of values that a search tries. Without this limit a search whose best value always lies
 * at an edge would never end.
 */
const VALUES_MAX = 5;

/** Returns the seeds with which a search trains each value. */
export function searchSeeds(quick: boolean): readonly number[] {
  return quick ? SEARCH_SEEDS.slice(0, QUICK_SEEDS) : SEARCH_SEEDS;
}

/** Returns the largest of these errors, or null if one of them is null. */
export function largestError(errors: readonly (number | null)[]): number | null {
  const known = errors.filter((error) => error !== null);
  return known.length < errors.length ? null : Math.max(...known);
}

/** Returns the values that a search tries first. */
export function firstValues({ values }: SettingSearch, quick: boolean): readonly number[] {
  return quick ? values.slice(0, QUICK_VALUES) : values;
}

/**
 * Returns the value with the least error. If several values have it, or if every training failed, this is the
 * smallest of these values.
 */
export function bestValue(tried: readonly Tried[]): number {
  return best(tried).value;
}

/** Whether the best value is the smallest or the largest one so far. Then a value beyond it may be better. */
export function isAtEdge(tried: readonly Tried[]): boolean {
  const values = tried.map(({ value }) => value);
  return [Math.min(...values), Math.max(...values)].includes(bestValue(tried));
}

/**
 * Whether the searches of a task should try one more value. All of them have tried the same number of values.
 */
export function needsMore(searches: readonly (readonly Tried[])[], quick: boolean): boolean {
  return !quick && searches.some((tried) => isAtEdge(tried) && tried.length < VALUES_MAX);
}

/**
 * Returns one more value to try. If the best value is at an edge, the new value lies beyond it. Otherwise it
 * lies between the best value and the better one of its neighbours. All methods of a task try the same number
 * of values, because each gets a new value.
 */
export function nextValue(tried: readonly Tried[], { setting }: Pick<SettingSearch, 'setting'>): number {
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
  // The geometric mean. At an edge it is half or twice the best value.
  const next = Math.sqrt(value * other);
  return setting === 'memory' ? Math.max(1, Math.round(next)) : Number(next.toPrecision(2));
}

const errorOf = ({ error }: Tried): number => error ?? Number.POSITIVE_INFINITY;

function best(tried: readonly Tried[]): Tried {
  const [first, ...others] = tried.toSorted((a, b) => a.value - b.value);
  return others.reduce((least, one) => (errorOf(one) < errorOf(least) ? one : least), first);
}
