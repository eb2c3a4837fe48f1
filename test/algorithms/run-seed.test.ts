import { expect, test } from 'vitest';
import { runSeedOf } from '../../src/board/run-seed.js';

test('a run seed is a u32 that depends on seed, step, block and attempt', () => {
  const seeds = new Set<number>();
  const address = { seed: 3, step: 4, block: 5 };
  for (const change of [{}, { seed: 4 }, { step: 5 }, { block: 6 }]) {
    for (const attempt of [0, 1]) {
      const seed = runSeedOf({ ...address, ...change }, attempt);
      expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32).toBe(true);
      seeds.add(seed);
    }
  }
  expect(seeds.size).toBe(8);
  // This number must not change, because a resumed training needs the same noise as before.
  expect(runSeedOf(address, 0)).toBe(2932626784);
});
