import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants.js';
import { runMutant } from './run-mutant.js';

/** The compiled repository. `npm test` compiles it first. */
const ROOT = path.resolve(import.meta.dirname, '../..');
/** These bugs are found at once. `npm run simulate:mutants` takes all bugs, with 2000 seeds. */
const EASY = [
  'blocks are sent beyond the credit',
  'a cached request is executed again',
  'nothing is sent again after a timeout',
];
const SEEDS = 40;

describe('the deliberate bugs', () => {
  it('are many, and each has its own name', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(12);
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  it.each(MUTANTS)('$name: the replaced text occurs once', ({ file, find }) => {
    const text = readFileSync(path.join(ROOT, 'dist', file), 'utf8');
    expect(text.split(find).length - 1).toBe(1);
  });

  it.each(EASY)(`%s: found within ${SEEDS} seeds`, { tags: 'long' }, expectFound);

  async function expectFound(name: string): Promise<void> {
    const mutant = MUTANTS.find((one) => one.name === name)!;
    const { seed, finding } = await runMutant(mutant, ROOT, SEEDS);
    expect(seed, finding).toBeDefined();
  }
});
