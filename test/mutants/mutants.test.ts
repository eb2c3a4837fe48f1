import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Mutant } from './mutant.js';
import { MUTANTS } from './mutant-table.js';
import { type MutantResult, mutated, type RunOptions, runMutant, type TestsResult } from './run-mutants.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

describe('the mutants that `npm run mutants` tries', () => {
  it('have unique ids, in five sets', () => {
    expect(new Set(MUTANTS.map(({ id }) => id)).size).toBe(MUTANTS.length);
    expect(MUTANTS.filter(({ set }) => set === 'survivors').length).toBeGreaterThanOrEqual(5);
    expect(MUTANTS.filter(({ set }) => set === 'fresh').length).toBeGreaterThanOrEqual(20);
    for (const name of ['second', 'third', 'fourth'])
      expect(MUTANTS.filter(({ set }) => set === name)).toHaveLength(20);
  });

  it.each(MUTANTS)('$id: the replaced text occurs once, and the new text differs', (mutant) => {
    const text = readFileSync(path.join(ROOT, mutant.file), 'utf8');
    expect(mutated(mutant, text)).not.toBe(text);
  });

  it.each(MUTANTS)('$id: the tests that should find it exist', ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    for (const test of tests) expect(existsSync(path.join(ROOT, test)), test).toBe(true);
  });

  it('a mutant is refused if the text to be replaced is missing or occurs twice', () => {
    const [mutant] = MUTANTS;
    expect(() => mutated(mutant, 'nothing of it')).toThrow(/out of date.*0 times/);
    expect(() => mutated(mutant, mutant.find.repeat(2))).toThrow(/out of date.*2 times/);
  });
});

describe('the judgement of a mutant', () => {
  const mutant: Mutant = {
    id: 'two-is-three',
    set: 'fresh',
    file: 'src/two.ts',
    find: 'two = 2',
    replacement: 'two = 3',
    meaning: '',
    tests: ['test/two'],
  };
  const passed: TestsResult = { verdict: 'passed', by: '', message: '' };
  const failed: TestsResult = {
    verdict: 'failed',
    by: 'two is even',
    message: 'expected 1 to be 0',
    file: 'test/two/even.test.ts',
  };

  /**
   * Judges the mutant by simulated tests. All tests together give `all(run)`, and the failed test alone gives
   * `one(isMutant)`.
   */
  async function judge(
    all: (run: number) => TestsResult,
    one: (isMutant: boolean) => TestsResult,
  ): Promise<MutantResult & { readonly left: string; readonly runs: number }> {
    const place = mkdtempSync(path.join(tmpdir(), 'thermolink-judge-'));
    onTestFinished(() => rmSync(place, { recursive: true }));
    mkdirSync(path.join(place, 'src'));
    const file = path.join(place, mutant.file);
    writeFileSync(file, 'const two = 2;');
    let runs = 0;
    const result = await runMutant(mutant, place, {}, async (at, tests, { testName }: RunOptions = {}) => {
      expect(at).toBe(place);
      const isMutant = readFileSync(file, 'utf8') === 'const two = 3;';
      if (testName === undefined) {
        expect(isMutant).toBe(true);
        expect(tests).toEqual(mutant.tests);
        return all(runs++);
      }
      expect([testName, tests]).toEqual([failed.by, [failed.file]]);
      return one(isMutant);
    });
    return { ...result, left: readFileSync(file, 'utf8'), runs };
  }

  it('is `caught` if one test fails twice with the mutant and passes without it', async () => {
    const result = await judge(
      () => failed,
      (isMutant) => (isMutant ? failed : passed),
    );
    expect(result).toMatchObject({ verdict: 'caught', by: failed.by, message: failed.message, runs: 1 });
  });

  it('is `survived` if all tests pass', async () => {
    const result = await judge(
      () => passed,
      () => passed,
    );
    expect(result).toMatchObject({ verdict: 'survived', by: '', runs: 1 });
  });

  it('ignores a test that failed by chance, and runs all tests again', async () => {
    const result = await judge(
      (run) => (run === 0 ? failed : passed),
      () => passed,
    );
    expect(result).toMatchObject({ verdict: 'survived', runs: 2 });
  });

  it('is `broken` if the test also fails without the mutant', async () => {
    const result = await judge(
      () => failed,
      () => failed,
    );
    expect(result).toMatchObject({ verdict: 'broken', runs: 3 });
    expect(result.by).toContain(failed.by);
  });

  it.each(['passed', 'failed', 'broken'] as const)(
    'restores the source file after tests that end as %s',
    async (verdict) => {
      const { left } = await judge(
        () => ({ ...failed, verdict }),
        () => failed,
      );
      expect(left).toBe('const two = 2;');
    },
  );
});
