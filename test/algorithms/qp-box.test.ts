import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { findProfile } from '../../emulator/profiles/profiles.js';
import type { QpMethod, QpResult } from '../../src/algorithms/qp/contract.js';
import { solveQp } from '../../src/algorithms/qp/solve-qp.js';
import { quadprogBaseline } from '../../src/cli/commands/qp/baseline.js';
import { readMatrix } from '../../src/files/read-array.js';
import { boxMinimum } from '../../src/linalg/box-program.js';
import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import {
  gramOfColumns,
  gramOfRows,
  matVec,
  matVecTransposed,
  norm2,
  subtract,
} from '../../src/linalg/products.js';
import type { QuadraticProgram } from '../../src/linalg/quadratic-program.js';
import { eigenvalues, normalVector, symmetricWith } from '../../src/linalg/random-system.js';
import { SolverBoard, solverBoard } from '../support/solver-board.js';
import { normalMatrix, problemRandom } from '../support/solver-problems.js';

const address = { seed: 3, step: 0, block: 0 };

/** min ½xᵀPx + qᵀx, l ≤ x ≤ u, with the same bounds for all unknowns. */
function boxed(hessian: Matrix, linear: Float64Array, low: number, high: number): QuadraticProgram {
  const n = linear.length;
  const constraints = matrix(n, n);
  for (let i = 0; i < n; i++) constraints.data[i * n + i] = 1;
  const [lower, upper] = [new Float64Array(n).fill(low), new Float64Array(n).fill(high)];
  return { hessian, linear, constraints, lower, upper };
}

function plusDiagonal(a: Matrix, value: number): Matrix {
  for (let i = 0; i < a.rows; i++) a.data[i * a.rows + i] += value;
  return a;
}

/** P has eigenvalues from 1/condition to 1. The worse its condition, the more unknowns end at a bound. */
function random(condition: number): QuadraticProgram {
  const source = problemRandom(1570 + condition);
  const values = eigenvalues('log-uniform', condition, 64).map((value) => value / condition);
  const hessian = symmetricWith(values, source);
  return boxed(
    hessian,
    normalVector(source, 64).map((value) => 0.3 * value),
    -1,
    1,
  );
}

/** A regression with the penalty 0.1·|w| for each coefficient w = a − b. The unknowns are a ≥ 0 and b ≥ 0. */
function lasso(): QuadraticProgram {
  const source = problemRandom(1574);
  const [examples, d] = [100, 30];
  const x = normalMatrix(source, examples, d);
  const truth = normalVector(source, d).map((value, k) => (k % 3 === 0 ? value : 0));
  const y = matVec(x, truth).map((value) => value + 0.3 * source.normal());
  const gram = gramOfColumns(x);
  const pulled = matVecTransposed(x, y);
  const hessian = matrix(2 * d, 2 * d);
  for (let i = 0; i < 2 * d; i++)
    for (let j = 0; j < 2 * d; j++)
      hessian.data[i * 2 * d + j] =
        ((i < d === j < d ? 1 : -1) * gram.data[(i % d) * d + (j % d)]) / examples;
  const linear = Float64Array.from(
    { length: 2 * d },
    (_, i) => 0.1 + ((i < d ? -1 : 1) * pulled[i % d]) / examples,
  );
  return boxed(plusDiagonal(hessian, 1e-3), linear, 0, 4);
}

/** The dual of a support vector machine: two classes, one multiplier for each of n examples. */
function classes(n: number, d: number, ridge: number, high: number): QuadraticProgram {
  const source = problemRandom(1575 + n);
  const z = normalMatrix(source, n, d);
  // The classes are shifted by half a standard deviation to either side. Rows are multiplied by their label.
  for (let i = 0; i < n; i++)
    for (let k = 0; k < d; k++) z.data[i * d + k] = (i % 2 ? 1 : -1) * z.data[i * d + k] + 0.5;
  return boxed(plusDiagonal(gramOfRows(z), ridge), new Float64Array(n).fill(-1), 0, high);
}

/** max |x − clamp(x − Px − q)|, absolute: how far x is from the conditions of Karush, Kuhn and Tucker. */
function distanceOf({ hessian, linear, lower, upper }: QuadraticProgram, x: Float64Array): number {
  const slope = matVec(hessian, x);
  return x.reduce((most, value, i) => {
    const moved = value - slope[i] - linear[i];
    return Math.max(most, Math.abs(value - Math.max(lower[i], Math.min(upper[i], moved))));
  }, 0);
}

async function expectSolved(profile: string, program: QuadraticProgram, method: QpMethod): Promise<QpResult> {
  const { hessian, linear, lower, upper } = program;
  const n = linear.length;
  const board = solverBoard(profile);
  const request = { method, tolerance: 1e-9, address };
  const result = await solveQp(board, program, request);
  const { status, x, iterations, uploads, solves, cost } = result;
  expect(status).toBe('solved');
  expect(distanceOf(program, x)).toBeLessThanOrEqual(1e-8);
  const exact = boxMinimum(hessian, linear, lower, upper, new Float64Array(n));
  expect(norm2(subtract(x, exact)) / norm2(exact)).toBeLessThan(1e-7);
  expect(exact.some((value, i) => value === lower[i] || value === upper[i])).toBe(true);
  // Couplings of two bytes are sent once. Each iteration sends a drive and an initial state.
  expect([uploads, solves]).toEqual([1, iterations]);
  expect(board.programs.filter(({ isRewrite }) => !isRewrite)).toHaveLength(1);
  expect(cost.uploadBytes).toBe(2 * n * n + 4 * n * iterations);
  return result;
}

const SET = join(import.meta.dirname, 'qp-problems', 'box-64.npy').replace('/dist/', '/');
const CANCER = '../shared/data/bayes/breast-cancer.csv';

describe('the box programs of make-box.py', () => {
  const set = new Map<number, QuadraticProgram>();
  beforeAll(async () => {
    const { data } = await readMatrix(SET);
    for (const [k, condition] of [10, 100, 1000].entries()) {
      const block = data.subarray(k * 64 * 65, (k + 1) * 64 * 65);
      const hessian = matrix(
        64,
        64,
        block.filter((_, at) => at % 65 < 64),
      );
      set.set(
        condition,
        boxed(
          hessian,
          block.filter((_, at) => at % 65 === 64),
          -1,
          1,
        ),
      );
    }
  });

  test.each([
    ['ideal-256', 10],
    ['prototype-256', 10],
    ['prototype-256', 1000],
  ])('end at 1e-8 on %s by the rails alone, condition %d', expectByRails);
  test.each([
    ['ideal-256', 100],
    ['ideal-256', 1000],
    ['prototype-256', 100],
    ['harsh-64', 10],
    ['harsh-64', 100],
    ['harsh-64', 1000],
  ])('end at 1e-8 on %s by the rails alone, condition %d', { tags: 'long' }, expectByRails);

  async function expectByRails(profile: string, condition: number): Promise<void> {
    const program = set.get(condition)!;
    const { objective, polishSteps } = await expectSolved(profile, program, 'box');
    const independent = await quadprogBaseline(program);
    expect(Math.abs(objective - independent.objective)).toBeLessThan(1e-8 * Math.abs(objective));
    expect(polishSteps).toBe(0);
  }
});

// If the rails alone do not reach the tolerance, the polish continues. If the polish fails, ADMM continues.
describe('support vector machines that need more than the rails of an imperfect board', () => {
  test('end at 1e-8 by the polish or by ADMM', { tags: 'long' }, async () => {
    for (const die of [0, 1, 2]) {
      const board = new SolverBoard(findProfile('prototype-256')!, undefined, die);
      await expectHandedOver(board, classes(100, 10, 0.5, 3));
    }
  });

  test('a small support vector machine ends at 1e-8 too', () =>
    expectHandedOver(solverBoard('prototype-64'), classes(40, 8, 0.5, 2)));

  const missing = !existsSync(CANCER);
  test.skipIf(missing)(
    `200 tumours${missing ? ` (${CANCER} is missing)` : ''}`,
    { tags: 'long', timeout: 120_000 },
    async () => {
      const program = tumours(200);
      await expectSolved('ideal-256', program, 'box');
      await expectHandedOver(solverBoard('prototype-256'), program);
    },
  );

  async function expectHandedOver(board: SolverBoard, program: QuadraticProgram): Promise<void> {
    const { status, x, objective, polishSteps, history } = await solveQp(board, program, { address });
    expect(status).toBe('solved');
    expect(history[0].phase).toBe('box');
    expect(polishSteps).toBeGreaterThan(0);
    expect(distanceOf(program, x)).toBeLessThan(1e-8);
    const independent = await quadprogBaseline(program);
    expect(Math.abs(objective - independent.objective)).toBeLessThan(1e-6 * Math.abs(objective));
  }
});

/** The dual of a linear support vector machine on the first tumours. Features are standardised over all. */
function tumours(count: number): QuadraticProgram {
  const lines = readFileSync(CANCER, 'utf8').trim().split('\n').slice(1);
  const data = lines.flatMap((line) => line.split(',').map(Number));
  const [rows, columns] = [lines.length, data.length / lines.length];
  const features = columns - 1;
  const z = matrix(count, columns);
  for (let k = 0; k < features; k++) {
    const column = Float64Array.from({ length: rows }, (_, i) => data[i * columns + k]);
    const mean = column.reduce((total, value) => total + value, 0) / rows;
    const sd = Math.sqrt(column.reduce((total, value) => total + (value - mean) ** 2, 0) / rows);
    for (let i = 0; i < count; i++) z.data[i * columns + k] = (column[i] - mean) / sd;
  }
  for (let i = 0; i < count; i++) {
    // The last column is 1 for a benign tumour.
    const label = 1 - 2 * data[i * columns + features];
    z.data[i * columns + features] = 1;
    for (let k = 0; k < columns; k++) z.data[i * columns + k] *= label;
  }
  const gram = gramOfRows(z);
  const hessian = matrix(
    count,
    count,
    gram.data.map((value) => value / columns),
  );
  return boxed(plusDiagonal(hessian, 0.2), new Float64Array(count).fill(-1), 0, 2);
}

describe('a box program by the rails', () => {
  describe.each(['ideal-256', 'prototype-256'])('on %s', (profile) => {
    test.each([10, 100, 1000])('of condition %d takes one upload', async (condition) => {
      await expectSolved(profile, random(condition), 'box');
    });

    test('chooses the coefficients of a lasso', async () => {
      await expectSolved(profile, lasso(), 'auto');
    });
  });

  test('trains a support vector machine with squared losses', async () => {
    await expectSolved('ideal-64', classes(40, 8, 0.5, 2), 'box');
  });

  test('trains support vector machines with 100 and 200 examples', { tags: 'long' }, async () => {
    await expectSolved('ideal-256', classes(100, 10, 0.5, 3), 'box');
    await expectSolved('ideal-256', classes(200, 31, 6, 2), 'box');
  });

  test('gives the multipliers of fixed unknowns, of repeated bounds, and of rows with a negative entry', async () => {
    // min (x₀ − 2)² + (x₁ + 1)² + (x₂ − x₀)², 0 ≤ x₀ ≤ 1 by −2 ≤ −2x₀ ≤ 0, x₁ = ½, −1 ≤ x₂ ≤ 9.
    const program: QuadraticProgram = {
      hessian: matrix(3, 3, Float64Array.of(4, 0, -2, 0, 2, 0, -2, 0, 2)),
      linear: Float64Array.of(-4, 2, 0),
      constraints: matrix(4, 3, Float64Array.of(-2, 0, 0, 0, 1, 0, 0, 0, 1, 3, 0, 0)),
      lower: Float64Array.of(-2, 0.5, -1, -Infinity),
      upper: Float64Array.of(0, 0.5, 9, 30),
    };
    const { status, x, y, method } = await solveQp(solverBoard('ideal-8'), program, { address });
    expect([status, method]).toEqual(['solved', 'box']);
    for (const [i, value] of [1, 0.5, 1].entries()) expect(x[i]).toBeCloseTo(value, 7);
    // The condition Px + q + Aᵀy = 0 is −2 − 2y₀ = 0 and 3 + y₁ = 0.
    for (const [i, value] of [-1, -3, 0, 0].entries()) expect(y[i]).toBeCloseTo(value, 6);
  });

  test('whose unknowns are all fixed needs no board', async () => {
    const program = boxed(matrix(1, 1, Float64Array.of(1)), Float64Array.of(1), 2, 2);
    const board = solverBoard('ideal-8');
    const { status, x, y } = await solveQp(board, program, { method: 'box', address });
    expect([status, x[0], y[0]]).toEqual(['solved', 2, -3]);
    expect(board.uploadedBytes).toBe(0);
  });

  test.each([
    ['two entries in a row', { constraints: matrix(1, 2, Float64Array.of(1, 1)) }, /row 0 .* more entries/],
    ['a row of zeros', { constraints: matrix(1, 2), lower: Float64Array.of(0) }, /row 0 .* no entry/],
    ['an open bound', { upper: Float64Array.of(Infinity, 1) }, /bounds of unknown 0 are 0 and ∞|Infinity/],
    [
      'rows that contradict',
      {
        constraints: matrix(3, 2, Float64Array.of(1, 0, 0, 1, 1, 0)),
        lower: Float64Array.of(0, 0, 2),
        upper: Float64Array.of(1, 1, 3),
      },
      /no value for unknown 0/,
    ],
  ] as const)('is refused with %s, before a byte is sent', async (_, change, message) => {
    const program = boxed(matrix(2, 2, Float64Array.of(2, 0, 0, 1)), Float64Array.of(1, 1), 0, 1);
    const rows = 'constraints' in change ? change.constraints.rows : 2;
    const given = {
      ...program,
      lower: program.lower.slice(0, rows),
      upper: program.upper.slice(0, rows),
      ...change,
    };
    const board = solverBoard('ideal-8');
    await expect(solveQp(board, given, { method: 'box', address })).rejects.toThrow(message);
    expect(board.uploadedBytes).toBe(0);
  });

  test('of a Hessian that is only semidefinite is refused, and `auto` uses ADMM', async () => {
    const program = boxed(matrix(2, 2, Float64Array.of(1, 1, 1, 1)), Float64Array.of(-1, -2), 0, 1);
    const board = solverBoard('ideal-8');
    await expect(solveQp(board, program, { method: 'box', address })).rejects.toThrow(/singular/);
    expect(board.uploadedBytes).toBe(0);
    const { status, method, x } = await solveQp(board, program, { address });
    expect([status, method]).toEqual(['solved', 'admm']);
    expect(x[0]).toBeCloseTo(0, 6);
    expect(x[1]).toBeCloseTo(1, 6);
  });
});
