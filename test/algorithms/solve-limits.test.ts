import { describe, expect, test } from 'vitest';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import type { SolveProgress, SolveResult } from '../../src/algorithms/contract.js';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import type { Matrix } from '../../src/linalg/matrix.js';
import { norm2, subtract } from '../../src/linalg/products.js';
import { type SolverBoard, solverBoard } from '../support/solver-board.js';
import {
  eigenvalues,
  normalVector,
  problemRandom,
  type SpectrumShape,
  symmetricWith,
} from '../support/solver-problems.js';
import { zSquaredBand } from '../support/z-band.js';

interface Problem {
  /** The seed of the problem and of the noise. */
  readonly seed: number;
  readonly matrix: Matrix;
  readonly drive: Float64Array;
  readonly exact: Float64Array;
}

function problemOf(shape: SpectrumShape, condition: number, cells: number, seed: number): Problem {
  const random = problemRandom(1000 * seed + cells);
  const matrix = symmetricWith(eigenvalues(shape, condition, cells), random);
  const drive = normalVector(random, cells);
  const outcome = cholesky(matrix);
  if (!outcome.ok) throw new Error('bug: the problem is not positive definite');
  return { seed, matrix, drive, exact: choleskySolve(outcome.factor, drive) };
}

function solveOn(
  board: SolverBoard,
  { seed, matrix, drive }: Problem,
  tolerance: number,
  onProgress?: (progress: SolveProgress) => void,
): Promise<SolveResult> {
  const address = { seed, step: 0, block: 0 };
  const system = { kind: 'dense', matrix } as const;
  return createAnalogSolver(board).solve({ system, drive, tolerance, address, onProgress });
}

/**
 * Solves, and checks the laws of every accepted answer. Returns the error divided by the tolerance, and z².
 */
async function solved(
  board: SolverBoard,
  problem: Problem,
  tolerance: number,
  onProgress?: (progress: SolveProgress) => void,
) {
  const { x, standardError, quantizationError, combined } = await solveOn(
    board,
    problem,
    tolerance,
    onProgress,
  );
  const error = subtract(x, problem.exact);
  const share = norm2(error) / norm2(problem.exact) / tolerance;
  expect(share).toBeLessThan(1);
  expect(quantizationError).toBeLessThanOrEqual((1.001 * norm2(standardError)) / norm2(x) / 4);
  return { share, combined, squares: [...error].map((value, i) => (value / standardError[i]) ** 2) };
}

/** Limits of the mean z². A correct solver exceeds them once in a thousand draws (`zSquaredBand`). */
function expectHonest(squares: readonly number[]): void {
  const mean = squares.reduce((total, square) => total + square, 0) / squares.length;
  const { min, max } = zSquaredBand(squares.length);
  expect(mean).toBeGreaterThan(min);
  expect(mean).toBeLessThan(max);
}

const SHAPES = ['log-uniform', 'linear'] as const;

test('8 cells, condition 1e5 to 1e8: the error meets the tolerance, but is not far smaller', {
  tags: 'long',
}, async () => {
  const squares: number[] = [];
  for (const [condition, tolerance] of [
    [1e5, 1e-1],
    [1e6, 1e-4],
    [1e8, 1e-2],
  ])
    for (const shape of SHAPES) {
      const problem = problemOf(shape, condition, 8, 41);
      const { share, combined, squares: more } = await solved(solverBoard('ideal-8'), problem, tolerance);
      // The bound ‖b − A x̂‖/λ₋ of plain refinement would require a thousandth of the tolerance or less.
      expect(share).toBeGreaterThan(1e-3);
      expect(combined).toBeDefined();
      squares.push(...more);
    }
  expectHonest(squares);
});

test('8 cells, 90 systems of condition 1e4 to 1e6', { tags: 'long', timeout: 600_000 }, async () => {
  const squares: number[] = [];
  for (const condition of [1e4, 1e5, 1e6])
    for (let seed = 300; seed < 330; seed++) {
      const problem = problemOf(SHAPES[seed % 2], condition, 8, seed);
      squares.push(...(await solved(solverBoard('ideal-8'), problem, [1e-1, 1e-3, 1e-6][seed % 3])).squares);
    }
  expectHonest(squares);
});

test('24 cells, condition 1e6: fewer than N + 10 products with A', () => expectFewProducts(24));

test('64 cells, condition 1e6: fewer than N + 10 products with A', { tags: 'long' }, () =>
  expectFewProducts(64),
);

async function expectFewProducts(cells: number): Promise<void> {
  const problem = problemOf('log-uniform', 1e6, cells, 42);
  const { share, squares, combined } = await solved(solverBoard('ideal-64'), problem, 1e-2);
  expect(share).toBeGreaterThan(1e-3);
  expectHonest(squares);
  expect(combined!.products).toBeLessThan(cells + 10);
}

test('256 cells, condition 1e6', { tags: 'long', timeout: 600_000 }, async () => {
  for (const shape of SHAPES) {
    const problem = problemOf(shape, 1e6, 256, 43);
    const { share, squares } = await solved(solverBoard('ideal-256'), problem, 1e-2);
    expect(share).toBeGreaterThan(1e-3);
    expectHonest(squares);
  }
});

test('200 unknowns, condition 1e5, tolerance 0.1: the error is more than 1 % of the tolerance', {
  tags: 'long',
  timeout: 600_000,
}, async () => {
  const problem = problemOf('log-uniform', 1e5, 200, 44);
  const { share } = await solved(solverBoard('ideal-256'), problem, 0.1);
  expect(share).toBeGreaterThan(1e-2);
});

test('a well-conditioned system is solved without damping', async () => {
  const problem = problemOf('log-uniform', 100, 8, 45);
  const { combined } = await solveOn(solverBoard('ideal-8'), problem, 1e-2);
  expect(combined).toBeUndefined();
});

test('if the errors of a board’s matrix are too large, its readings are combined with more damping', {
  tags: 'long',
  timeout: 60_000,
}, async () => {
  const problem = problemOf('log-uniform', 1e4, 64, 46);
  const { combined } = await solved(solverBoard('prototype-64'), problem, 1e-2);
  expect(combined!.relativeDamping).toBeGreaterThan(1 / 1000);
});

test('an uncalibrated board of 8-bit couplings solves condition 100, and its progress never falls', async () => {
  const squares: number[] = [];
  let combinedCount = 0;
  for (let seed = 60; seed < 72; seed++) {
    const problem = problemOf('log-uniform', 100, 8, seed);
    const fractions: number[] = [];
    const onProgress = ({ fraction }: SolveProgress) => void fractions.push(fraction);
    const one = await solved(solverBoard('spu-8'), problem, 1e-2, onProgress);
    squares.push(...one.squares);
    if (one.combined !== undefined) combinedCount++;
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
  }
  // Plain refinement is refused for about three of four systems.
  expect(combinedCount).toBeGreaterThan(4);
  expectHonest(squares);
}, 60_000);

describe('a board that does not solve the programmed system is refused at condition 1e5', () => {
  const problem = problemOf('log-uniform', 1e5, 8, 47);
  const tampered = (tamper: (codes: Int16Array, cells: number) => void) => solverBoard('ideal-8', {}, tamper);
  const boards: [string, () => SolverBoard, RegExp][] = [
    ['returns zeros', () => tampered((codes) => codes.fill(0)), /zeros/],
    ['returns a constant', () => tampered((codes) => codes.fill(1000)), /shrink/],
    [
      'has a channel that reads 0',
      () =>
        tampered((codes, cells) => {
          for (let i = 3; i < codes.length; i += cells) codes[i] = 0;
        }),
      /shrink/,
    ],
    [
      'has an additional offset while its noise is on',
      () =>
        tampered((codes, cells) => {
          if (codes.length > cells) for (let i = 0; i < codes.length; i++) codes[i] += 8000;
        }),
      /differs from the readings without noise|do not prove a relative error/,
    ],
    [
      'fluctuates by a tenth of the right amount',
      () => {
        let still: Int16Array | undefined;
        return tampered((codes, cells) => {
          if (codes.length === cells) return;
          still ??= codes.slice(0, cells);
          for (let i = 0; i < codes.length; i++)
            codes[i] = still[i % cells] + Math.round((codes[i] - still[i % cells]) / 10);
        });
      },
      /fluctuate less/,
    ],
  ];

  type Case = (typeof boards)[number];
  const isLong = ([name]: Case): boolean => /constant|noise|fluctuates/.test(name);
  test.each(boards.filter((board) => !isLong(board)))('%s', expectRefused);
  test.each(boards.filter(isLong))('%s', { tags: 'long' }, expectRefused);

  async function expectRefused(...[, create, message]: Case): Promise<void> {
    for (const tolerance of [0.5, 1e-2]) {
      const answer = solveOn(create(), problem, tolerance);
      await expect(answer).rejects.toMatchObject({
        code: 'TOLERANCE_NOT_MET',
        message: expect.stringMatching(message),
      });
    }
  }
});

test('at the limit of float64, the refusal names float64 as the reason', async () => {
  const problem = problemOf('log-uniform', 1e13, 8, 48);
  await expect(solveOn(solverBoard('ideal-8'), problem, 1e-6)).rejects.toMatchObject({
    code: 'TOLERANCE_NOT_MET',
    message: expect.stringContaining('float64'),
  });
});
