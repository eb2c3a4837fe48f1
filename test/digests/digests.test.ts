import { describe, expect, type TestContext, test } from 'vitest';
import { PROBLEMS } from '../reference-firmware/problems.js';
import { compare, exitCodeOf, tableOf, type Verdict } from './comparison.js';
import { readDigestFile } from './digest-file.js';
import { IMPLEMENTATIONS, type Implementation, ORACLE } from './implementations.js';

const cases = readDigestFile();

describe('state digests of the fixed problems', () => {
  test('the file holds exactly these problems: npm run digests -- --write', () => {
    expect(cases.map(({ name, orders }) => ({ name, orders }))).toEqual(PROBLEMS);
    for (const { name, prints } of cases)
      expect(
        prints.some((line) => line.startsWith('digest ')),
        name,
      ).toBe(true);
  });

  const [quick, long] = [false, true].map((isLong) => IMPLEMENTATIONS.filter((one) => one.isLong === isLong));
  test.for(quick)('$name', expectAgreement);
  test.for(long)('$name', { tags: 'long' }, expectAgreement);

  function expectAgreement(implementation: Implementation, context: TestContext): void {
    const verdict = compare(implementation, cases);
    if (verdict.missing !== undefined && !process.env['CI']) context.skip(verdict.missing);
    expect(verdict).toEqual({
      name: implementation.name,
      missing: undefined,
      matched: cases.length,
      differing: [],
      leftOut: [],
    });
  }
});

describe('the comparison', () => {
  const few = cases.slice(0, 3);
  const wrong = (change: (lines: string[]) => string[]): Implementation => ({
    ...ORACLE,
    run: (problems) => ORACLE.run(problems).map((lines, i) => (i === 1 ? change(lines) : lines)),
  });

  test.each<[string, (lines: string[]) => string[]]>([
    ['another digest', (lines) => lines.map((line) => line.replace(/^digest .*/, 'digest 1'))],
    ['a line too few', (lines) => lines.slice(1)],
    ['a line too many', (lines) => [...lines, 'digest 1']],
    ['another count of ticks', (lines) => lines.map((line) => line.replace(/^ticks 60/, 'ticks 59'))],
  ])('names the problem that differs by %s', (_, change) => {
    const verdict = compare(wrong(change), few);
    expect(verdict).toMatchObject({ matched: 2, differing: [few[1].name] });
    expect(exitCodeOf([verdict], false)).toBe(1);
    expect(tableOf([verdict], few.length)).toMatch(new RegExp(`2 of 3 +DIFFERS[^]*${few[1].name}`));
  });

  test('names a missing implementation, and fails for it in CI', () => {
    const run = (): string[][] => {
      throw new Error('it is not there');
    };
    const absent = compare({ name: 'a compiler', isLong: false, missing: () => 'no clang', run }, few);
    expect(tableOf([absent], few.length)).toContain('MISSING: no clang');
    expect([exitCodeOf([absent], false), exitCodeOf([absent], true)]).toEqual([0, 1]);
  });

  test('passes only if there was something to pass', () => {
    const good: Verdict = compare(ORACLE, few);
    expect([exitCodeOf([good], true), exitCodeOf([], false)]).toEqual([0, 1]);
  });
});
