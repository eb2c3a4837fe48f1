import { expect, it } from 'vitest';
import { summarize } from '../../../src/measure/estimates.js';
import { problemRandom } from '../../support/solver-problems.js';

const COUNT = 20_000;

/** Cells with a spread of their own, measured with errors that differ from cell to cell. */
function measured(ownSpread: number, errors: readonly [number, number], seed: number) {
  const random = problemRandom(seed);
  const standardErrors = Float64Array.from({ length: COUNT }, (_, i) => errors[i % 2]);
  const values = standardErrors.map((error) => 5 + ownSpread * random.normal() + error * random.normal());
  return { values, standardErrors };
}

it("a board's own spread is the part that its errors do not explain", () => {
  const { mean, spread, standardError, ownSpread } = summarize(measured(3, [2, 4], 31), 0);
  // The limits are 6 standard deviations. A correct summary exceeds one of them twice in 10⁹ times.
  const variance = 9 + (4 + 16) / 2;
  const reach = 6 * Math.sqrt(2 / COUNT) * variance * 1.3;
  expect(Math.abs(mean - 5)).toBeLessThan(6 * Math.sqrt(variance / COUNT));
  expect(standardError ** 2).toBeCloseTo(10, 9);
  expect(Math.abs(spread ** 2 - variance)).toBeLessThan(reach);
  expect(Math.abs(ownSpread ** 2 - 9)).toBeLessThan(reach);
});

it('equal cells have no spread of their own, for errors of any size', () => {
  const { spread, ownSpread } = summarize(measured(0, [1, 1], 32), 0);
  expect(spread).toBeGreaterThan(0.9);
  // The variance has a standard error of 1 %, so 6 standard errors look like a spread of 0.25.
  expect(ownSpread).toBeLessThan(0.25);
});
