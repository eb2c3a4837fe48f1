import { test } from 'vitest';

/** The number of runs of a property by fast-check, and the seed. */
export interface LawRuns {
  readonly seed: number;
  readonly numRuns: number;
}

/**
 * A law of random inputs as two tests: a third of the runs in every test run, all of them in the long one. A
 * third begins with the same seed, so it tries the first of the same inputs.
 */
export function law(
  title: string,
  { seed, numRuns }: LawRuns,
  check: (runs: LawRuns) => void | Promise<void>,
): void {
  const few = Math.ceil(numRuns / 3);
  test(`${title} (${few} runs)`, () => check({ seed, numRuns: few }));
  test(`${title} (${numRuns} runs)`, { tags: 'long' }, () => check({ seed, numRuns }));
}
