import { describe, expect, test } from 'vitest';
import { BoardWork } from '../../src/algorithms/qp/board-work.js';
import { finish } from '../../src/algorithms/qp/dual-active-set.js';
import { Judge } from '../../src/algorithms/qp/judge.js';
import { objectiveOf, type PrimalDual } from '../../src/algorithms/qp/kkt.js';
import { solveQp } from '../../src/algorithms/qp/solve-qp.js';
import { quadprogBaseline } from '../../src/cli/commands/qp/baseline.js';
import { matrix } from '../../src/linalg/matrix.js';
import { gramOfColumns } from '../../src/linalg/products.js';
import type { QuadraticProgram } from '../../src/linalg/quadratic-program.js';
import { solverBoard } from '../support/solver-board.js';
import { normalMatrix, normalVector, problemRandom } from '../support/solver-problems.js';

const address = { seed: 4, step: 0, block: 0 };

/** −1 ≤ (G; I) x ≤ 1, with a P of the given size and rank. */
function program(seed: number, n: number, { size = 1, rank = n } = {}): QuadraticProgram {
  const random = problemRandom(seed);
  const hessian = gramOfColumns(normalMatrix(random, rank, n));
  const rows = matrix(2 * n, n);
  rows.data.set(normalMatrix(random, n, n).data);
  for (let i = 0; i < n; i++) rows.data[(n + i) * n + i] = 1;
  return {
    hessian: matrix(
      n,
      n,
      hessian.data.map((value) => size * value),
    ),
    linear: normalVector(random, n),
    constraints: rows,
    lower: new Float64Array(2 * n).fill(-1),
    upper: new Float64Array(2 * n).fill(1),
  };
}

/** The program with its rows given twice. */
function doubled({ constraints, lower, upper, ...rest }: QuadraticProgram): QuadraticProgram {
  const twice = (values: Float64Array) => Float64Array.from([...values, ...values]);
  const rows = matrix(2 * constraints.rows, constraints.columns, twice(constraints.data));
  return { ...rest, constraints: rows, lower: twice(lower), upper: twice(upper) };
}

/**
 * Minimizes Σ x_j²/2j + x_j/j over polynomials that are at least tan t at 401 points from 0 to 1.
 * Neighbouring rows are almost the same. Source: problem KSIP of Maros and Mészáros, with 8 coefficients.
 */
function polynomialAbove(): QuadraticProgram {
  const [n, m] = [8, 401];
  const hessian = matrix(n, n);
  const constraints = matrix(m, n);
  const linear = new Float64Array(n);
  const lower = new Float64Array(m);
  for (let j = 0; j < n; j++) hessian.data[j * n + j] = linear[j] = 1 / (j + 1);
  for (let i = 0; i < m; i++) {
    const t = i / (m - 1);
    lower[i] = Math.tan(t);
    for (let j = 0; j < n; j++) constraints.data[i * n + j] = t ** j;
  }
  return { hessian, linear, constraints, lower, upper: new Float64Array(m).fill(Infinity) };
}

async function finished(given: QuadraticProgram, start: PrimalDual, stepsMax = 200) {
  const judge = new Judge(given, { address }, start);
  const steps = await finish(judge, start, new BoardWork(solverBoard('ideal-64'), { address }), stepsMax);
  return { judge, steps };
}

function zeros({ linear, lower }: QuadraticProgram): PrimalDual {
  return { x: new Float64Array(linear.length), y: new Float64Array(lower.length) };
}

describe('the dual active set method', () => {
  test.each([
    ['a positive definite P', program(731, 8)],
    ['a P of half the rank', program(732, 8, { rank: 4 })],
    ['P = 0', program(733, 8, { size: 0 })],
    ['rows that are given twice', doubled(program(734, 6))],
    ['rows that are almost the same', polynomialAbove()],
  ])('reaches the solution of quadprog from zeros with %s', async (_, given) => {
    const { judge } = await finished(given, zeros(given));
    expect(judge.isSolved).toBe(true);
    const independent = await quadprogBaseline(given);
    expect(independent.message).toBe('');
    // quadprog gets P with a ridge of 1e-9.
    expect(Math.abs(objectiveOf(given, judge.best.x) - independent.objective)).toBeLessThanOrEqual(
      1e-6 * Math.max(1, Math.abs(independent.objective)),
    );
  });

  test('begins with wrong rows and wrong multipliers, and drops them', async () => {
    const given = program(735, 8);
    const y = normalVector(problemRandom(736), 16).map((value) => 10 * value);
    const { judge } = await finished(given, { x: new Float64Array(8), y });
    expect(judge.isSolved).toBe(true);
  });

  test('ends if rows contradict each other, and does not report a solution', async () => {
    const given = doubled(program(737, 6));
    given.lower.fill(-3, 12, 18);
    given.upper.fill(-2, 12, 18);
    const { judge, steps } = await finished(given, zeros(given));
    expect(judge.isSolved).toBe(false);
    expect(steps).toBeLessThan(200);
  });

  test('takes no more steps than allowed', async () => {
    const given = program(733, 8, { size: 0 });
    const { judge, steps } = await finished(given, zeros(given), 3);
    expect([judge.isSolved, steps]).toEqual([false, 3]);
  });

  test('ends ADMM if the polish finds the same rows repeatedly', async () => {
    const given = polynomialAbove();
    const result = await solveQp(solverBoard('ideal-64'), given, { method: 'admm', address });
    expect([result.status, result.iterations]).toEqual(['solved', 100]);
  });
});
