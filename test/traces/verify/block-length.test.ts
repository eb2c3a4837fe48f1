import { describe, expect, it } from 'vitest';
import { randomSource } from '../../../src/linalg/random.js';
import { chooseBlocks } from '../../../src/traces/verify/block-length.js';

const CELLS = 16;

/** Cells of variance 1 with a correlation of φ between successive samples: [samples × cells]. */
function forgetful(phi: number, samples: number, seed: number): Float64Array {
  const random = randomSource({ seed, stream: 9998 });
  const series = new Float64Array(samples * CELLS);
  const kick = Math.sqrt(1 - phi * phi);
  for (let i = 0; i < CELLS; i++) series[i] = random.normal();
  for (let t = 1; t < samples; t++)
    for (let i = 0; i < CELLS; i++)
      series[t * CELLS + i] = phi * series[(t - 1) * CELLS + i] + kick * random.normal();
  return series;
}

/** b·Var(mean of b samples) of such a cell: Σ_k (1 − |k|/b) φ^|k|. */
function blockVariance(phi: number, b: number): number {
  let sum = 1;
  for (let k = 1; k < b; k++) sum += 2 * (1 - k / b) * phi ** k;
  return sum;
}

describe('blocks of a correlated series', () => {
  it('inflate the error by 1.5 times the growth of the variance of their means at the last doubling', () => {
    const phi = Math.exp(-1 / 20);
    const [samples, trials] = [4096, 24];
    let [found, exact] = [0, 0];
    for (let seed = 0; seed < trials; seed++) {
      const blocks = chooseBlocks(forgetful(phi, samples, seed), samples, CELLS);
      if (blocks === undefined) continue;
      // The chosen length lies between two powers of two. The growth is measured up to the smaller one.
      const b = 2 ** Math.floor(Math.log2(blocks.length));
      found += blocks.inflation - 1;
      exact += 1.5 * (blockVariance(phi, b) / blockVariance(phi, b / 2) - 1);
    }
    // With 32 blocks of 16 cells the growth has a standard error of about 15 % in one trial, and of 3 % in
    // the mean over 24 trials. After one more doubling the growth would be at most 0.7 of this.
    expect(found / exact).toBeGreaterThan(0.85);
    expect(found / exact).toBeLessThan(1.2);
  });

  it('do not exist if even the longest ones depend on each other', () => {
    const phi = Math.exp(-1 / 400);
    expect(chooseBlocks(forgetful(phi, 1024, 1), 1024, CELLS)).toBeUndefined();
  });

  it('of independent samples are not inflated by more than chance', () => {
    for (let seed = 0; seed < 8; seed++) {
      const blocks = chooseBlocks(forgetful(0, 4096, seed), 4096, CELLS);
      // With 16 cells and at least 512 blocks, growths have a standard deviation of about √(2/512/16) =
      // 0.016.
      expect(blocks!.inflation).toBeLessThan(1 + 1.5 * 6 * 0.016);
    }
  });
});
