import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createNoSolver } from '../../src/algorithms/truncated.js';
import { reportHtml } from '../../src/cli/commands/study/report-html.js';
import { runStudy, type StudyRequest } from '../../src/cli/commands/study/run-study.js';
import {
  bestValue,
  isAtEdge,
  largestError,
  needsMore,
  nextValue,
  SEEDS_MAX,
  type SettingSearch,
  searchSeeds,
  type Tried,
} from '../../src/cli/commands/study/setting-search.js';
import { STUDIES, type Study, type StudyMethod } from '../../src/cli/commands/study/studies.js';
import { taskFigure } from '../../src/cli/commands/study/study-figure.js';
import { resultsOf } from '../../src/cli/commands/study/study-results.js';
import { heatPinn } from '../../src/learning/pinn/pinn-problem.js';
import { temporaryDirectory } from './support/temporary-files.js';

const rateSearch = (...values: number[]): SettingSearch => ({
  ...{ setting: 'rate', values, optionsAt: (rate) => ({ rate }) },
});

/** The values that a search has tried, with the error `errorAt` of each value. */
function tried(errorAt: (value: number) => number | null, values: readonly number[]): Tried[] {
  return values.map((value) => ({ value, error: errorAt(value) }));
}

describe('the search of a setting', () => {
  it('continues for all methods until no best value is at an edge', () => {
    const search = rateSearch(1, 2, 4);
    // The errors of the two methods are smallest at 2 and at 16.
    const errors = [(x: number) => Math.abs(Math.log2(x) - 1), (x: number) => Math.abs(Math.log2(x) - 4)];
    const methods = errors.map((errorAt) => tried(errorAt, search.values));
    let rounds = 0;
    for (; needsMore(methods, false); rounds++)
      for (const [at, one] of methods.entries()) {
        const value = nextValue(one, search);
        one.push({ value, error: errors[at](value) });
      }
    // The second method tries 8 and then 16, the largest value that a search tries. No round follows.
    expect(rounds).toBe(2);
    expect(methods.map((one) => one.length)).toEqual([5, 5]);
    expect(methods.map(bestValue)).toEqual([2, 16]);
    expect(methods.map(isAtEdge)).toEqual([false, true]);
    // The first method has tried values beside its best value in these rounds.
    expect(methods[0].every(({ value }) => value >= 1 && value <= 4)).toBe(true);
    expect(new Set(methods[0].map(({ value }) => value)).size).toBe(5);
  });

  it('judges a value by its largest error, and excludes a value with a failed training', () => {
    expect(largestError([2, 3, 1])).toBe(3);
    expect(largestError([2, null, 1])).toBeNull();
  });

  it('uses seeds that no study may report', () => {
    for (const quick of [false, true])
      for (const seed of searchSeeds(quick)) expect(seed < 1 || seed > SEEDS_MAX).toBe(true);
  });

  it('ignores failed trainings, and a quick search does not continue', () => {
    const failing = tried((x) => (x > 1 ? null : x), [1, 2, 4]);
    expect(bestValue(failing)).toBe(1);
    expect(nextValue(failing, rateSearch(1, 2, 4))).toBe(0.5);
    expect(bestValue(tried(() => null, [2, 1]))).toBe(1);
    expect(needsMore([failing], true)).toBe(false);
    const memory = { ...rateSearch(25, 50, 100), setting: 'memory' } as const;
    expect(
      nextValue(
        tried((x) => Math.abs(x - 50), [25, 50, 100]),
        memory,
      ),
    ).toBe(35);
  });

  it.each(Object.values(STUDIES))('of $name has the same number of values for each method', ({ tasksOf }) => {
    for (const { methods } of tasksOf(false)) {
      const counts = methods.flatMap(({ search }) => (search ? [search.values.length] : []));
      expect(new Set(counts)).toEqual(new Set([3]));
      // BFGS has no setting, and the control without the board uses the settings of the board.
      const others = methods.filter(({ search }) => search === undefined);
      expect(others.every(({ label, settingsOf }) => label === 'bfgs' || settingsOf === 'board')).toBe(true);
      // The search tries the value of the earlier options, half of this value and twice this value.
      for (const { search } of methods)
        if (search) expect(search.values[2]).toBeCloseTo(4 * search.values[0], 12);
    }
  });
});

const LM = { name: 'lm', options: { rank: 2, runs: 1, ticks: 64 }, steps: 3, stepCost: 3 } as const;
const METHODS: readonly StudyMethod[] = [
  {
    ...{ ...LM, label: 'board', usesBoard: true, meaning: 'with a board', role: 'board' },
    search: { ...rateSearch(0.5, 1, 2), optionsAt: (rate) => (rate === 1 ? {} : { rate, finalRate: 1 }) },
  },
  {
    ...{ label: 'adam', name: 'adam', options: { clip: Infinity }, usesBoard: false, steps: 6, stepCost: 1 },
    ...{ meaning: 'first order', role: 'digital', search: rateSearch(0.01, 0.02, 0.04) },
  },
  {
    ...{ ...LM, label: 'no-board', usesBoard: false, meaning: 'no answer', role: 'without-board' },
    ...{ digitalSolver: createNoSolver(), settingsOf: 'board' },
  },
];

const TINY: Study = {
  ...{ name: 'tiny', title: 'Tiny', error: 'e', settingsFrom: 'A search.', logSteps: true },
  tasksOf: () => [
    {
      ...{ name: 'heat', title: 'Heat', problem: heatPinn({ hidden: [3] }) },
      ...{ measure: 'relativeError', methods: METHODS },
    },
  ],
};

describe('a study that searches settings', () => {
  const title = 'takes the best value of each method, reports the tried values, and repeats no training';
  it(`${title}, in its quick form`, { tags: 'long' }, () => checkSearch(true));
  it(`${title}, in its whole form`, { tags: 'long' }, () => checkSearch(false));

  async function checkSearch(quick: boolean): Promise<void> {
    const out = join(temporaryDirectory(), 'study');
    const request: StudyRequest = {
      ...{ study: TINY, seeds: 1, out, quick, quiet: true, uris: ['emulator:ideal-crossbar'] },
    };
    const seeds = searchSeeds(quick);
    const last = seeds.at(-1);
    const run = async () => resultsOf(request, await runStudy(request, new AbortController().signal));
    const results = await run();
    const [board, adam, without] = results.tasks[0].methods;
    expect(board.search!.tried.length).toBe(adam.search!.tried.length);
    expect(board.search!.tried.length).toBeGreaterThanOrEqual(quick ? 2 : 3);
    for (const { search, options } of [board, adam]) {
      const best = bestValue(search!.tried);
      expect(search!.tried.every(({ error }) => error! > 0)).toBe(true);
      expect(options.rate ?? 1).toBe(best);
      expect(search!.isAtEdge).toBe(isAtEdge(search!.tried));
      expect(search!.seeds).toEqual(seeds);
      expect(existsSync(join(out, `search/heat/adam/rate-0.01/seed-${last}/summary.json`))).toBe(true);
    }
    const [{ value, error }] = adam.search!.tried;
    const ofSeeds = adam.search!.seeds.map((seed) => {
      const file = join(out, `search/heat/adam/rate-${value}/seed-${seed}/summary.json`);
      return (JSON.parse(readFileSync(file, 'utf8')) as { relativeError: number }).relativeError;
    });
    expect(error).toBe(Math.max(...ofSeeds));
    expect(new Set(ofSeeds).size).toBe(seeds.length);
    expect(without.search).toBeUndefined();
    expect(without.options).toEqual(board.options);
    expect(adam.trainings.map(({ seed }) => seed)).toEqual([1]);
    const html = reportHtml(results, [taskFigure(results.tasks[0], true)], 'x');
    expect(html).toContain('values with the largest error over the seeds of the search');

    const kept = join(out, `search/heat/adam/rate-0.01/seed-${last}/summary.json`);
    const writtenMs = statSync(kept).mtimeMs;
    rmSync(join(out, `search/heat/board/rate-1/seed-${last}`), { recursive: true });
    const again = await run();
    expect(statSync(kept).mtimeMs).toBe(writtenMs);
    expect(again.tasks[0].methods.map(({ search, options }) => [search, options])).toEqual(
      results.tasks[0].methods.map(({ search, options }) => [search, options]),
    );
  }
});
