import { expect, it } from 'vitest';
import type { Characterization } from '../../../src/measure/characterize.js';
import type { Estimates } from '../../../src/measure/estimates.js';
import { measuredCells } from '../../../src/measure/profile-parts.js';

const CELLS = 64;

/** A quantity that was measured with the standard error `error` in every cell. */
const known = (value: (deviation: number) => number, error = 1e-5): Estimates => ({
  // Deviations of ±1: their root mean square is 1.
  values: Float64Array.from({ length: CELLS }, (_, i) => value(i % 2 === 0 ? 1 : -1)),
  standardErrors: new Float64Array(CELLS).fill(error),
});

function cellsOf(
  parts: Partial<Record<'timeConstant' | 'noiseTemperature' | 'offset' | 'leakage', Estimates>>,
) {
  const [one, none] = [known(() => 1), known(() => 0)];
  const { timeConstant = one, noiseTemperature = one, offset = none, leakage = none } = parts;
  const measured = { timeConstant, noiseTemperature, drive: { offset, leakage } };
  return measuredCells(measured as unknown as Characterization, 'test').effects;
}

it('the spread of noise amplitudes is half of the spread of their temperatures (1 + ν)²', () => {
  const { noiseMismatch } = cellsOf({ noiseTemperature: known((d) => (1 + 0.02 * d) ** 2) });
  expect(noiseMismatch!.spreadPpm / 20_000).toBeCloseTo(1, 1);
});

it('the spreads of the other quantities are the spreads of their values', () => {
  expect(
    cellsOf({ timeConstant: known((d) => 1 + 0.01 * d) }).timeConstantMismatch!.spreadPpm / 10_000,
  ).toBeCloseTo(1, 1);
  expect(cellsOf({ offset: known((d) => 0.003 * d) }).inputOffset!.spreadPpm / 3_000).toBeCloseTo(1, 1);
  const { leakage } = cellsOf({ leakage: known((d) => 0.004 + 0.001 * d) });
  expect(leakage!.meanPpm).toBe(4_000);
  expect(leakage!.spreadPpm / 1_000).toBeCloseTo(1, 1);
});

it('a deviation that measurement errors explain does not count as an effect', () => {
  const noisy = known((d) => 1 + 1e-3 * d, 1e-3);
  expect(cellsOf({ noiseTemperature: noisy, timeConstant: noisy })).toMatchObject({
    noiseMismatch: null,
    timeConstantMismatch: null,
    inputOffset: null,
    leakage: null,
  });
});
