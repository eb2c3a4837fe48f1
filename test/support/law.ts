import fc from 'fast-check';
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

/** The number of code points that UTF-16 has for its pairs, and the first one. They are no characters. */
const SURROGATES = 0x800;
const FIRST_SURROGATE = 0xd800;

/**
 * A text of any characters. `fc.string` with the unit `binary` makes the same texts, but first computes for
 * two seconds.
 */
export const anyCharacters: fc.Arbitrary<string> = fc
  .array(fc.nat({ max: 0x10ffff - SURROGATES }))
  .map((points) =>
    String.fromCodePoint(...points.map((point) => (point < FIRST_SURROGATE ? point : point + SURROGATES))),
  );
