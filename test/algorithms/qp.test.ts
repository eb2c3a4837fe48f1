import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { identityMatrix } from '../../src/algorithms/control/rotary-pendulum.js';
import { solveQp } from '../../src/algorithms/qp/solve-qp.js';
import type { BoardCalibration } from '../../src/board/calibration.js';
import { quadprogBaseline } from '../../src/cli/commands/qp/baseline.js';
import { readProgram } from '../../src/files/read-program.js';
import { matrix } from '../../src/linalg/matrix.js';
import { dot, matVec, matVecTransposed, normInf, subtract } from '../../src/linalg/products.js';
import type { QuadraticProgram } from '../../src/linalg/quadratic-program.js';
import type { RandomSource } from '../../src/linalg/random.js';
import { imperfectBoard, spread } from '../support/imperfect-boards.js';
import { SolverBoard, solverBoard } from '../support/solver-board.js';
import { normalMatrix, normalVector, problemRandom } from '../support/solver-problems.js';
import { trueCalibration } from '../support/true-calibration.js';

const address = { seed: 3, step: 0, block: 0 };
const problem = (name: string) =>
  readProgram(join(import.meta.dirname, 'qp-problems', `${name}.SIF`).replace('/dist/', '/'));

/**
 * The optima that Maros and Mészáros publish with the problems ("A repository of convex quadratic programming
 * problems", Optim. Meth. Softw. 11, 1999): eight digits.
 */
const PUBLISHED: readonly (readonly [string, number])[] = [
  ['HS21', -9.996e1],
  ['HS35', 1.1111111e-1],
  ['HS35MOD', 2.5e-1],
  ['HS51', 0],
  ['HS53', 4.0930233],
  ['HS76', -4.6818182],
  ['QPTEST', 4.371875],
  ['TAME', 0],
  ['ZECEVIC2', -4.125],
  ['GENHS28', 9.2717369e-1],
];

/**
 * Checks that violations below 1e-8 show feasibility, and that the multipliers bound the objective from
 * below.
 */
function expectProof(
  { hessian, linear, constraints, lower, upper }: QuadraticProgram,
  x: Float64Array,
  y: Float64Array,
) {
  const image = matVec(constraints, x);
  for (const [i, value] of image.entries()) {
    const room = 1e-8 * (1 + normInf(image));
    expect(value).toBeGreaterThanOrEqual(lower[i] - room);
    expect(value).toBeLessThanOrEqual(upper[i] + room);
    if (y[i] > 0) expect(upper[i]).toBeLessThan(Infinity);
    if (y[i] < 0) expect(lower[i]).toBeGreaterThan(-Infinity);
  }
  const curved = matVec(hessian, x);
  const pulled = matVecTransposed(constraints, y);
  const scale = 1 + Math.max(normInf(curved), normInf(linear), normInf(pulled));
  expect(normInf(curved.map((value, j) => value + linear[j] + pulled[j])) / scale).toBeLessThanOrEqual(1e-8);
  const held = y.reduce(
    (total, value, i) => total + (value === 0 ? 0 : value * (value > 0 ? upper[i] : lower[i])),
    0,
  );
  const objective = dot(x, curved) / 2 + dot(linear, x);
  expect(Math.abs(dot(x, curved) + dot(linear, x) + held)).toBeLessThanOrEqual(
    1e-8 * (1 + Math.abs(objective)),
  );
}

/** P = FFᵀ/n, and m rows with bounds ±1. */
function feasible(random: RandomSource, n: number, m: number): QuadraticProgram {
  const f = normalMatrix(random, n, n);
  const hessian = matrix(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      hessian.data[i * n + j] =
        dot(f.data.subarray(i * n, (i + 1) * n), f.data.subarray(j * n, (j + 1) * n)) / n;
  return {
    hessian,
    linear: normalVector(random, n),
    constraints: normalMatrix(random, m, n),
    lower: new Float64Array(m).fill(-1),
    upper: new Float64Array(m).fill(1),
  };
}

/** The last two rows are the same row a, with 1 ≤ aᵀx and aᵀx ≤ −1. */
function primalInfeasible(random: RandomSource, n: number): QuadraticProgram {
  const program = feasible(random, n, n);
  const { data } = program.constraints;
  data.set(data.subarray((n - 2) * n, (n - 1) * n), (n - 1) * n);
  program.lower.set([1, -Infinity], n - 2);
  program.upper.set([Infinity, -1], n - 2);
  return program;
}

/** P and all rows except the last are 0 along a direction d. Along it qᵀx falls and the last row rises. */
function dualInfeasible(random: RandomSource, n: number): QuadraticProgram {
  const program = feasible(random, n, n / 2);
  const d = normalVector(random, n);
  const square = dot(d, d);
  const without = (v: Float64Array) => {
    const along = dot(v, d) / square;
    return v.map((value, i) => value - along * d[i]);
  };
  const f = Array.from({ length: n / 4 }, () => without(normalVector(random, n)));
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      program.hessian.data[i * n + j] = f.reduce((total, v) => total + v[i] * v[j], 0);
  const rows = program.constraints.rows;
  for (let k = 0; k < rows - 1; k++)
    program.constraints.data.set(without(program.constraints.data.slice(k * n, (k + 1) * n)), k * n);
  program.constraints.data.set(d, (rows - 1) * n);
  program.lower[rows - 1] = 0;
  program.upper[rows - 1] = Infinity;
  program.linear.set(subtract(without(program.linear), d));
  return program;
}

describe('solveQp', () => {
  test.each(PUBLISHED)('finds the published optimum of %s, and proves it', async (name, optimum) => {
    const program = await problem(name);
    const result = await solveQp(solverBoard('ideal-256'), program, { address });
    expect(result.status).toBe('solved');
    expect(Math.max(result.primal, result.dual, result.gap)).toBeLessThanOrEqual(1e-8);
    expect(Math.abs(result.objective - optimum)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(optimum)));
    expectProof(program, result.x, result.y);
  });

  test.each(PUBLISHED)('finds the published optimum of %s by interior points too', async (name, optimum) => {
    const program = await problem(name);
    const result = await solveQp(solverBoard('ideal-256'), program, { method: 'ipm', address });
    expect([result.status, result.method]).toEqual(['solved', 'ipm']);
    expect(Math.abs(result.objective - optimum)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(optimum)));
    expectProof(program, result.x, result.y);
    // Each iteration sends one matrix and solves twice with it. Each polish step sends its own matrix.
    expect(result.uploads).toBeLessThanOrEqual(result.iterations + result.polishSteps);
    expect(result.iterations).toBeLessThanOrEqual(12);
  });

  test('counts the work of the board: each solve is a drive, each matrix is sent once', async () => {
    const board = solverBoard('ideal-256');
    const { uploads, cost } = await solveQp(board, await problem('HS76'), { address });
    expect(board.programs.filter(({ isRewrite }) => !isRewrite)).toHaveLength(uploads);
    expect(cost.uploadBytes).toBe(board.uploadedBytes);
    expect(board.runs.every(({ sampleCount }) => sampleCount === 1)).toBe(true);
  });

  // quadprog is Goldfarb and Idnani's method in float64. P has a ridge of 1e-9 for it.
  test.each(['admm', 'ipm'] as const)('finds the solution of quadprog by %s', async (method) => {
    const random = problemRandom(715);
    for (const [n, m] of [
      [4, 6],
      [12, 8],
      [16, 24],
    ]) {
      const program = feasible(random, n, m);
      const { status, objective } = await solveQp(solverBoard('ideal-64'), program, { method, address });
      const independent = await quadprogBaseline(program);
      expect([status, independent.message]).toEqual(['solved', '']);
      expect(Math.abs(objective - independent.objective)).toBeLessThanOrEqual(
        1e-6 * Math.max(1, Math.abs(objective)),
      );
    }
  });

  // 0 ≤ x ≤ 1 and random rows. The solution of a linear program is a vertex. The solution of an almost linear
  // program is near a vertex.
  describe.each(['admm', 'ipm'] as const)('by %s', (method) => {
    test.each([
      [0, 6],
      [1e-6, 6],
    ])('a program with P multiplied by %d is solved, or called inaccurate', expectHonest);
    test.each([
      [0, 20],
      [1e-6, 20],
      [1e-4, 20],
    ])(
      'a larger program with P multiplied by %d is solved too, or called inaccurate',
      { tags: 'long', timeout: 300_000 },
      expectHonest,
    );

    async function expectHonest(size: number, n: number): Promise<void> {
      const random = problemRandom(716);
      let solved = 0;
      for (let k = 0; k < 4; k++) {
        const { hessian, linear, constraints } = feasible(random, n, n);
        const rows = matrix(2 * n, n);
        rows.data.set(constraints.data);
        for (let i = 0; i < n; i++) rows.data[(n + i) * n + i] = 1;
        const program = {
          hessian: matrix(
            n,
            n,
            hessian.data.map((value) => size * value),
          ),
          linear,
          constraints: rows,
          lower: Float64Array.from({ length: 2 * n }, (_, i) => (i < n ? -1 : 0)),
          upper: new Float64Array(2 * n).fill(1),
        };
        const request = { method, address, iterationsMax: method === 'admm' ? 500 : 30 };
        const { status, x, y } = await solveQp(solverBoard('ideal-64'), program, request);
        expect(['solved', 'inaccurate']).toContain(status);
        if (status !== 'solved') continue;
        solved++;
        expectProof(program, x, y);
      }
      expect(solved).toBeGreaterThan(0);
    }
  });

  // The board has a mismatch of 2 % and offsets of 1 %. A calibration must not cost additional passes.
  test.each(['box', 'admm', 'ipm'] as const)('%s works on a calibrated board', async (method) => {
    const die = imperfectBoard(
      { couplingMismatch: spread(20_000), inputOffset: spread(10_000) },
      { cells: 8, name: 'test-8' },
    );
    const random = problemRandom(717);
    const { hessian, linear } = feasible(random, 6, 1);
    for (let i = 0; i < 6; i++) hessian.data[i * 7] += 1;
    const program = {
      hessian,
      linear: linear.map((value) => 3 * value),
      constraints: identityMatrix(6),
      lower: new Float64Array(6).fill(-1),
      upper: new Float64Array(6).fill(1),
    };
    const work = async (calibration?: BoardCalibration) => {
      const board = new SolverBoard(die.profile, undefined, die.dieSeed);
      const result = await solveQp(board, program, { method, address, ...(calibration && { calibration }) });
      expect(result.status).toBe('solved');
      expectProof(program, result.x, result.y);
      return result.passes;
    };
    expect(await work(trueCalibration(die))).toBeLessThanOrEqual(await work());
  });

  test.each([['ideal-256', 3]])('solves random programs on %s (%i)', expectRandomSolved);
  test.each([
    ['prototype-256', 1],
    ['prototype-256', 3],
  ])('solves random programs on %s (%i)', { tags: 'long' }, expectRandomSolved);

  async function expectRandomSolved(profile: string, programs: number): Promise<void> {
    const random = problemRandom(710);
    for (let k = 0; k < programs; k++) {
      const program = feasible(random, 12, 8);
      const { status, x, y } = await solveQp(solverBoard(profile), program, { address });
      expect(status).toBe('solved');
      expectProof(program, x, y);
    }
  }

  test('begins at an earlier solution', async () => {
    const program = feasible(problemRandom(711), 12, 8);
    const board = solverBoard('ideal-256');
    const cold = await solveQp(board, program, { address });
    const warm = await solveQp(board, program, { address, warmStart: cold });
    expect(warm.status).toBe('solved');
    expect(warm.iterations).toBeLessThan(cold.iterations);
  });

  describe.each(['admm', 'ipm'] as const)('by %s', (method) => {
    const options = method === 'ipm' ? {} : { tags: 'long' };
    test('shows that a program has no solution, by a certificate that holds to rounding', options, () =>
      expectCertificates(method, 1),
    );
    test('shows that twenty programs have no solution', { tags: 'long', timeout: 300_000 }, () =>
      expectCertificates(method, 20, 20),
    );
    test('never calls a program with a solution infeasible', () => expectSolutions(method, 1));
    test(
      'never calls one of twenty programs with a solution infeasible',
      { tags: 'long', timeout: 300_000 },
      () => expectSolutions(method, 20),
    );
  });

  async function expectSolutions(method: 'admm' | 'ipm', programs: number): Promise<void> {
    const random = problemRandom(718);
    for (let k = 0; k < programs; k++) {
      const program = feasible(random, 20, 15);
      const { status, objective } = await solveQp(solverBoard('ideal-256'), program, { method, address });
      expect(status).toBe('solved');
      const independent = await quadprogBaseline(program);
      expect(Math.abs(objective - independent.objective)).toBeLessThanOrEqual(
        1e-6 * Math.max(1, Math.abs(objective)),
      );
    }
  }

  async function expectCertificates(method: 'admm' | 'ipm', programs: number, n = 12): Promise<void> {
    const random = problemRandom(712);
    for (let k = 0; k < programs; k++) {
      const empty = primalInfeasible(random, n);
      const first = await solveQp(solverBoard('ideal-256'), empty, { method, address });
      expect(first.status).toBe('primalInfeasible');
      const v = first.certificate!.direction;
      expect(normInf(matVecTransposed(empty.constraints, v))).toBeLessThan(1e-8);
      const value = v.reduce(
        (total, s, i) => total + (s === 0 ? 0 : s * (s > 0 ? empty.upper[i] : empty.lower[i])),
        0,
      );
      expect(value).toBeLessThan(-1e-3);
      const open = dualInfeasible(random, n);
      const second = await solveQp(solverBoard('ideal-256'), open, { method, address });
      expect(second.status).toBe('dualInfeasible');
      const direction = second.certificate!.direction;
      expect(normInf(matVec(open.hessian, direction))).toBeLessThan(1e-8);
      expect(dot(open.linear, direction)).toBeLessThan(-1e-3);
    }
  }

  test('calls an unfinished answer inaccurate, with its residuals', async () => {
    for (const [method, iterationsMax] of [
      ['admm', 10],
      ['ipm', 1],
    ] as const) {
      const program = await problem('HS118');
      const result = await solveQp(solverBoard('ideal-64'), program, { method, iterationsMax, address });
      const worst = Math.max(result.primal, result.dual, result.gap);
      expect(result.status).toBe(worst <= 1e-8 ? 'solved' : 'inaccurate');
      expect(result.iterations).toBe(iterationsMax);
    }
  });

  test('refuses invalid programs before a byte is sent', async () => {
    const board = solverBoard('ideal-8');
    const good = feasible(problemRandom(713), 4, 3);
    const refuse = (change: object, message: RegExp) =>
      expect(solveQp(board, { ...good, ...change }, { address })).rejects.toThrow(message);
    const indefinite = matrix(4, 4, Float64Array.from(good.hessian.data));
    indefinite.data[0] = -1;
    await refuse({ hessian: indefinite }, /negative eigenvalue/);
    await refuse({ lower: Float64Array.of(2, 0, 0) }, /Row 0 of the constraints has the bounds 2 and 1/);
    await refuse({ upper: Float64Array.of(Number.NaN, 1, 1) }, /bounds -1 and NaN/);
    await refuse({ linear: new Float64Array(3) }, /linear has 3 entries, not 4/);
    await refuse({ linear: Float64Array.of(1, Number.NaN, 1, 1) }, /Entry 1 of linear is NaN/);
    await expect(solveQp(board, feasible(problemRandom(714), 9, 3), { address })).rejects.toThrow(/8 cells/);
    const method = 'simplex' as 'admm';
    await expect(solveQp(board, good, { method, address })).rejects.toThrow(/method .* one of auto, box/);
    expect(board.uploadedBytes).toBe(0);
  });
});
