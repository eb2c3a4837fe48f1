import { formatTable } from '../../src/cli/output/table.js';
import { type DigestCase, filed } from './digest-file.js';
import type { Implementation } from './implementations.js';

export interface Verdict {
  readonly name: string;
  /** The tools that this machine lacks to run the implementation. */
  readonly missing: string | undefined;
  /** Number of problems whose results agree with the file, and the names of the other problems. */
  readonly matched: number;
  readonly differing: readonly string[];
  /** Problems that do not fit the memory of the implementation. */
  readonly leftOut: readonly string[];
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((line, i) => line === b[i]);

/** Runs every case with an implementation, or says which of its tools are missing. */
export function compare(implementation: Implementation, cases: readonly DigestCase[]): Verdict {
  const { name, holds } = implementation;
  const missing = implementation.missing();
  if (missing !== undefined) return { name, missing, matched: 0, differing: [], leftOut: [] };
  const held = cases.filter((one) => holds?.(one) ?? true);
  const printed = implementation.run(held);
  const differing = held.filter(({ prints }, i) => !same(filed(printed[i]), prints));
  const names = differing.map((one) => one.name);
  const leftOut = cases.filter((one) => !held.includes(one)).map((one) => one.name);
  return { name, missing, matched: held.length - names.length, differing: names, leftOut };
}

/**
 * Returns 1 when anything differs, or when there are no verdicts. In CI it also returns 1 when an
 * implementation is missing.
 */
export function exitCodeOf(verdicts: readonly Verdict[], inCi: boolean): 0 | 1 {
  const failed = verdicts.some(({ missing, differing }) =>
    missing === undefined ? differing.length > 0 : inCi,
  );
  return failed || verdicts.length === 0 ? 1 : 0;
}

/** One line per implementation, and the names of problems that differ. */
export function tableOf(verdicts: readonly Verdict[], problems: number): string {
  const rows = verdicts.map(({ name, missing, matched, differing, leftOut }) => [
    name,
    missing === undefined ? `${matched} of ${problems - leftOut.length}` : '–',
    missing === undefined ? (differing.length === 0 ? 'ok' : 'DIFFERS') : `MISSING: ${missing}`,
  ]);
  const table = formatTable(rows, {
    header: ['implementation', 'problems', 'verdict'],
    align: ['left', 'right', 'left'],
  });
  const details = verdicts.flatMap(({ name, differing }) =>
    differing.map((problem) => `  ${name}: ${problem}\n`),
  );
  const tooLarge = verdicts.flatMap(({ name, leftOut }) =>
    leftOut.map((problem) => `  ${name}: left out, it does not fit the memory: ${problem}\n`),
  );
  return table + details.join('') + tooLarge.join('');
}
