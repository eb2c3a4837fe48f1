import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MUTANTS } from './mutant-table.js';
import { mutated } from './run-mutants.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

describe('the mutants that `npm run mutants` tries', () => {
  it('have ids of their own, in four sets', () => {
    expect(new Set(MUTANTS.map(({ id }) => id)).size).toBe(MUTANTS.length);
    expect(MUTANTS.filter(({ set }) => set === 'survivors').length).toBeGreaterThanOrEqual(5);
    expect(MUTANTS.filter(({ set }) => set === 'fresh').length).toBeGreaterThanOrEqual(20);
    for (const name of ['second', 'third'])
      expect(MUTANTS.filter(({ set }) => set === name)).toHaveLength(20);
  });

  it.each(MUTANTS)('$id: what it replaces occurs once, and changes', (mutant) => {
    const text = readFileSync(path.join(ROOT, mutant.file), 'utf8');
    expect(mutated(mutant, text)).not.toBe(text);
  });

  it.each(MUTANTS)('$id: the tests that are to find it exist', ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    for (const test of tests) expect(existsSync(path.join(ROOT, test)), test).toBe(true);
  });

  it('a text that is gone or stands twice makes a mutant stale', () => {
    const [mutant] = MUTANTS;
    expect(() => mutated(mutant, 'nothing of it')).toThrow(/stale.*0 times/);
    expect(() => mutated(mutant, mutant.find.repeat(2))).toThrow(/stale.*2 times/);
  });
});
