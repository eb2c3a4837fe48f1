import { describe, expect, test } from 'vitest';
import { burnInTicks, estimateMean } from '../../src/board/estimate.js';
import { problemRandom } from '../support/solver-problems.js';

/** Draws S readings of N cells with the given mean and spread. Successive readings have the correlation φ. */
function readings(seed: number, samples: number, cells: number, phi: number, mean: number, spread: number) {
  const random = problemRandom(seed);
  const codes = new Int16Array(samples * cells);
  const state = Float64Array.from({ length: cells }, () => random.normal());
  for (let s = 0; s < samples; s++) {
    for (let i = 0; i < cells; i++) {
      codes[s * cells + i] = Math.round(mean + spread * state[i]);
      state[i] = phi * state[i] + Math.sqrt(1 - phi * phi) * random.normal();
    }
  }
  return codes;
}

describe('the mean of correlated readings', () => {
  test.each([0, 0.22, 0.6])('has z of unit variance at correlation %f', (phi) => {
    const cells = 32;
    const repeats = 60;
    let sum = 0;
    for (let k = 0; k < repeats; k++) {
      const { mean, standardError } = estimateMean(readings(100 + k, 96, cells, phi, 50, 300), cells);
      for (let i = 0; i < cells; i++) sum += ((mean[i] - 50) / standardError[i]) ** 2;
    }
    const variance = sum / (cells * repeats);
    // The mean of 1920 independent z² has the standard error 0.033. The bounds allow five standard errors,
    // and 6 % for the estimate of the correlation.
    expect(variance).toBeGreaterThan(1 - 0.17 - 0.06);
    expect(variance).toBeLessThan(1 + 0.17 + 0.06);
  });

  /*
   * The mean of S independent readings divided by its error has Student's distribution with S − 1 degrees of
   * freedom, scaled to variance 1. Its fourth moment is 3(S − 3)/(S − 5). The mean of 20,000 squares
   * therefore has a standard deviation below 1.2 %. A correct estimate fails one of the two tests by chance
   * once in 20,000 times.
   */
  test.each([12, 24])('has z of unit variance with only %i independent readings', (samples) => {
    const cells = 20_000;
    const { mean, standardError } = estimateMean(readings(300 + samples, samples, cells, 0, 50, 1000), cells);
    const squares = mean.map((value, i) => ((value - 50) / standardError[i]) ** 2);
    expect(Math.abs(squares.reduce((sum, square) => sum + square, 0) / cells - 1)).toBeLessThan(0.05);
  });

  test('counts effective samples: S(1 − φ)/(1 + φ)', () => {
    const phi = 0.5;
    const { effectiveSamples } = estimateMean(readings(7, 2000, 64, phi, 0, 1000), 64);
    expect(effectiveSamples / ((2000 * (1 - phi)) / (1 + phi))).toBeCloseTo(1, 1);
  });

  test('has an infinite error if there are too few readings', () => {
    const { standardError, mean } = estimateMean(Int16Array.of(1, 2, 3, 4), 1);
    expect(mean[0]).toBe(2.5);
    expect(standardError[0]).toBe(Infinity);
  });

  test('of a cell that never moves is exact', () => {
    const { mean, standardError, effectiveSamples } = estimateMean(new Int16Array(48).fill(-7), 1);
    expect([mean[0], standardError[0], effectiveSamples]).toEqual([-7, 0, 48]);
  });
});

test('burn-in is the number of ticks after which ε remains', () => {
  const ticks = burnInTicks(1e-3, 0.01);
  expect(0.99 ** ticks).toBeLessThanOrEqual(1e-3);
  expect(0.99 ** (ticks - 1)).toBeGreaterThan(1e-3);
  expect(burnInTicks(1e-3, 1)).toBe(1);
});
