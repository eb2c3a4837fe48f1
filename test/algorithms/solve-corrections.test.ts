import { describe, expect, it } from 'vitest';
import type { BoardProfile } from '../../emulator/profiles/board-profile.js';
import { findProfile } from '../../emulator/profiles/profiles.js';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { settledMean } from '../../src/algorithms/solve/corrections.js';
import { nominalModel } from '../../src/board/board-model.js';
import { checkSystem } from '../../src/board/checked-system.js';
import type { Average } from '../../src/board/equilibrium-pass.js';
import { planEquilibrium } from '../../src/board/equilibrium-plan.js';
import type { BoardSession } from '../../src/board/session.js';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import { norm2, subtract } from '../../src/linalg/products.js';
import { randomProblem } from '../support/one-pass.js';
import { SolverBoard, solverBoard } from '../support/solver-board.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';
import { zSquaredBand } from '../support/z-band.js';

async function solveOn(board: SolverBoard, condition: number, seed: number, tolerance = 1e-2) {
  const { system, drive } = randomProblem(seed, board.identity.cells, condition, 'linear', 'b');
  const address = { seed, step: 0, block: 0 };
  return createAnalogSolver(board).solve({ system, drive, tolerance, address });
}

/**
 * The number of programs that measure the systematic error of an average. They run without noise and start
 * from a reading.
 */
function checks(board: SolverBoard): number {
  return board.programs.filter(
    ({ image }) => image.noiseAmplitude === 0 && image.initialState.some((code) => code !== 0),
  ).length;
}

describe('the check of an average for systematic errors', () => {
  const coarse: [string, Partial<BoardProfile>][] = [
    ['16-bit converters', {}],
    ['8-bit couplings', { couplingBits: 8 }],
    ['a 10-bit ADC', { adcBits: 10 }],
    ['10-bit drives', { driveBits: 10 }],
  ];
  it.each(coarse)('is not made on an ideal board with %s, whose rounding is known', async (_, overrides) => {
    for (const condition of [1, 10, 50])
      for (let seed = 1; seed <= 5; seed++) {
        const board = solverBoard('ideal-8', overrides);
        await solveOn(board, condition, seed, 0.05);
        expect(checks(board)).toBe(0);
      }
  });

  it('is made on a board with imperfections, by four runs', async () => {
    const board = solverBoard('prototype-8');
    const { samples } = await solveOn(board, 10, 3);
    expect(checks(board)).toBe(1);
    expect(samples).toBeGreaterThanOrEqual(48 + 4 + 1);
  });
});

// Beyond a condition number of 6000, readings are combined on a damped board. The average under noise then
// also has other offsets than the readings without noise, so its own error is 2.4 times as large. The changes
// from run to run increase the error further.
it.each([
  [10, 1.2],
  [10_000, 2.7],
])('changes from run to run are in the standard error, condition %i', async (condition, growthMin) => {
  const errorOf = async (offsetLsb: number): Promise<number> => {
    const random = problemRandom(17);
    // An offset is the same for all readings of a board run, and another one in the next board run.
    const wander = (codes: Int16Array, cells: number): void => {
      const offsets = Array.from({ length: cells }, () => Math.round(offsetLsb * random.normal()));
      for (let i = 0; i < codes.length; i++) codes[i] += offsets[i % cells];
    };
    const { standardError } = await solveOn(solverBoard('prototype-8', {}, wander), condition, 3, 0.1);
    return Math.min(...standardError);
  };
  const quiet = await errorOf(0);
  expect(await errorOf(300)).toBeGreaterThan(growthMin * quiet);
});

// The ratio is computed from 4·2000·8 normal numbers, and its standard deviation is 0.012. A correct ratio is
// outside the bounds once in 10⁵ times.
it('the variance of changes is that of the difference between the mean of the check runs and one more run', {
  tags: 'long',
}, async () => {
  const { identity } = solverBoard('ideal-8');
  const random = problemRandom(18);
  const system = { kind: 'dense', matrix: symmetricWith([1, 1, 2, 2, 3, 3, 4, 4], random) } as const;
  const plan = planEquilibrium(checkSystem(system), identity, nominalModel(identity));
  const codes = () => Int16Array.from({ length: 8 }, () => Math.round(100 * random.normal()));
  const session = {
    program: async () => ({ noiseCodeMin: 0, noiseCodeMax: 0 }),
    acquire: async () => ({ codes: codes(), overloaded: false }),
  } as unknown as BoardSession;
  const averaged = { x: new Float64Array(8), solutionScale: 1 } as Average;
  let said = 0;
  let seen = 0;
  for (let trial = 0; trial < 2000; trial++) {
    const settled = await settledMean(plan, session, new Float64Array(8), averaged);
    if (settled === undefined) throw new Error('bug: no run overloaded');
    said += settled.wandering;
    seen += norm2(subtract(plan.model.readOut(codes(), 1), settled.mean)) ** 2 / 8;
  }
  expect(said / seen).toBeGreaterThan(0.95);
  expect(said / seen).toBeLessThan(1.05);
});

// With only three compensations of the rounding, `quantizationError` was up to 17 times the standard error,
// and z² up to 158.
it('an uncalibrated board at its limit has right standard errors, or is refused', () =>
  expectRightOrRefused(4));

it(
  'twelve uncalibrated dies at their limit have right standard errors, or are refused',
  { tags: 'long' },
  () => expectRightOrRefused(12),
);

async function expectRightOrRefused(dies: number): Promise<void> {
  const profile = findProfile('spu-8')!;
  const squares: number[] = [];
  let refused = 0;
  for (let die = 1; die <= dies; die++)
    for (let seed = 1; seed <= 8; seed++) {
      const random = problemRandom(seed * 7919 + die);
      const matrix = symmetricWith(eigenvalues('log-uniform', 100, 8), random);
      const drive = normalVector(random, 8);
      const factored = cholesky(matrix);
      if (!factored.ok) throw new Error('bug: the problem is not positive definite');
      const exact = choleskySolve(factored.factor, drive);
      const request = { system: { kind: 'dense', matrix }, drive, tolerance: 1e-4 } as const;
      const address = { seed, step: 0, block: 0 };
      const solver = createAnalogSolver(new SolverBoard(profile, undefined, die));
      try {
        const { x, standardError, quantizationError } = await solver.solve({ ...request, address });
        const error = subtract(x, exact);
        expect(norm2(error)).toBeLessThanOrEqual(1e-4 * norm2(exact));
        expect(quantizationError).toBeLessThanOrEqual(norm2(standardError) / norm2(x) / 4);
        squares.push(...error.map((value, i) => (value / standardError[i]) ** 2));
      } catch (error) {
        expect(error).toMatchObject({ code: 'TOLERANCE_NOT_MET' });
        refused++;
      }
    }
  expect(refused).toBeLessThan(8 * dies);
  const mean = squares.reduce((sum, square) => sum + square, 0) / squares.length;
  const { min, max } = zSquaredBand(squares.length);
  expect(mean).toBeGreaterThan(min);
  expect(mean).toBeLessThan(max);
}
