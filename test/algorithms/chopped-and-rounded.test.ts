import { describe, expect, test } from 'vitest';
import { effectsOf } from '../../emulator/imperfections/table.js';
import { findProfile } from '../../emulator/profiles/profiles.js';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import type { AnalogSolverOptions } from '../../src/algorithms/contract.js';
import { quantizeSystem } from '../../src/board/quantize.js';
import { dithered } from '../../src/board/stochastic-rounding.js';
import { matrix } from '../../src/linalg/matrix.js';
import { norm2, subtract } from '../../src/linalg/products.js';
import { spread } from '../support/imperfect-boards.js';
import { SolverBoard } from '../support/solver-board.js';
import { normalMatrix, normalVector, problemRandom } from '../support/solver-problems.js';

const address = { seed: 4, step: 2, block: 1 };
const ideal = findProfile('ideal-crossbar')!;
/** An ideal board except for an offset of every drive, 2 % of full scale. */
const withOffset = { ...ideal, effects: effectsOf({ inputOffset: spread(20_000) }) };

const random = problemRandom(21);
const [rows, cells] = [12, 10];
const factor = normalMatrix(random, rows, cells);
const drive = normalVector(random, cells);
const initial = normalVector(random, cells);
const system = { kind: 'factored', factor, damping: 0.5 } as const;

const relaxed = async (profile: typeof ideal, options: AnalogSolverOptions = {}) => {
  const board = new SolverBoard(profile);
  const { x, cost } = await createAnalogSolver(board, options).relax({
    ...{ system, drive, initial, time: 0.5, address },
  });
  return { x, cost, board };
};
const truncated = async (profile: typeof ideal, options: AnalogSolverOptions = {}) => {
  const solver = createAnalogSolver(new SolverBoard(profile), options);
  return solver.truncated({ factor, address }, async (loaded) => {
    const { x } = await loaded.run({ drive, damping: 0.5, ticks: 64, scale: 0 });
    return x;
  });
};
const off = (x: Float64Array, y: Float64Array): number => norm2(subtract(x, y)) / norm2(y);

describe('chopping', () => {
  test('cancels an offset of the board with twice the ticks and no more couplings', async () => {
    const right = await relaxed(ideal);
    const wrong = await relaxed(withOffset);
    const chopped = await relaxed(withOffset, { relaxChopped: true });
    expect(off(wrong.x, right.x)).toBeGreaterThan(0.02);
    // The remaining error of a few steps of 16 bits comes from rounding in the row amplifiers and the ADC.
    expect(off(chopped.x, right.x)).toBeLessThan(2e-3);
    expect(chopped.cost.ticks).toBe(2 * right.cost.ticks);
    expect(chopped.cost.uploadBytes).toBe(rows * cells + 2 * 4 * cells);
  });

  test('also cancels the offset in truncated solves', async () => {
    const right = await truncated(ideal);
    expect(off(await truncated(withOffset), right)).toBeGreaterThan(0.02);
    expect(off(await truncated(withOffset, { relaxChopped: true }), right)).toBeLessThan(2e-3);
  });
});

describe('stochastic rounding', () => {
  test('is unbiased: the mean of the codes is the coupling', () => {
    const scaling = { systemScale: 1, couplingBits: 4, rowAttenuation: 0 };
    const values = Float64Array.of(0.3, -0.41, 0.05, 0.123, -0.6, 0.5);
    const one = { kind: 'factored', factor: matrix(1, 6, values), damping: 0 } as const;
    const draws = 4000;
    const mean = new Float64Array(6);
    for (let member = 0; member < draws; member++) {
      const { couplings } = quantizeSystem(dithered(one, scaling, address, member), scaling);
      couplings.forEach((code, i) => {
        mean[i] += code / draws;
        expect(Math.abs(code - values[i] * 8)).toBeLessThan(1);
      });
    }
    // A code has a standard deviation of at most ½. The limit of the six means is five standard deviations,
    // which gives a false alarm once in 300,000 tests.
    mean.forEach((value, i) => {
      expect(Math.abs(value - values[i] * 8)).toBeLessThan((5 * 0.5) / Math.sqrt(draws));
    });
  });

  test('keeps a dense system symmetric', () => {
    const scaling = { systemScale: 4, couplingBits: 8, rowAttenuation: 0 };
    const dense = {
      kind: 'dense',
      matrix: matrix(3, 3, Float64Array.of(3, 1, 0.2, 1, 2, -1, 0.2, -1, 3)),
    } as const;
    const { couplings } = quantizeSystem(dithered(dense, scaling, address, 3), scaling);
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < i; j++) expect(couplings[3 * i + j]).toBe(couplings[3 * j + i]);
  });

  test('reduces the error of coarse couplings to its second order by averaging', async () => {
    const right = await relaxed(ideal, { relaxCouplingBits: 16 });
    const nearest = await relaxed(ideal, { relaxCouplingBits: 4 });
    const one = off(nearest.x, right.x);
    const many = await relaxed(ideal, { relaxCouplingBits: 4, relaxRoundings: 64 });
    expect(one).toBeGreaterThan(0.02);
    expect(off(many.x, right.x)).toBeLessThan(one / 2);
    expect(many.cost.uploadBytes).toBe(64 * (rows * cells + 4 * cells));
  });

  test('with one rounding is the plain solve, and the same address gives the same bits', async () => {
    expect((await relaxed(ideal, { relaxRoundings: 1 })).x).toEqual((await relaxed(ideal)).x);
    const twice = { relaxRoundings: 3 };
    expect((await relaxed(ideal, twice)).x).toEqual((await relaxed(ideal, twice)).x);
  });
});
