import { beforeAll, describe, expect, test } from 'vitest';
import { drawSamples, type SamplingResult } from '../../src/algorithms/sample.js';
import { applySystem, dimensionOf, type LinearSystem } from '../../src/linalg/linear-system.js';
import type { Matrix } from '../../src/linalg/matrix.js';
import { dot } from '../../src/linalg/products.js';
import { symmetricEigen } from '../../src/linalg/symmetric-eigen.js';
import { denseOf } from '../support/dense-of.js';
import { type SolverBoard, solverBoard } from '../support/solver-board.js';
import { eigenvalues, normalMatrix, problemRandom, symmetricWith } from '../support/solver-problems.js';

/** Each with a board that does what it is told. */
const cases = [
  {
    name: 'dense',
    precision: { kind: 'dense', matrix: symmetricWith(eigenvalues('linear', 3, 8), problemRandom(11)) },
    boardName: 'ideal-8',
  },
  {
    name: 'factored',
    precision: { kind: 'factored', factor: normalMatrix(problemRandom(12), 5, 8), damping: 2 },
    boardName: 'ideal-crossbar',
  },
] satisfies { name: string; precision: LinearSystem; boardName: string }[];

function draw(
  board: SolverBoard,
  precision: LinearSystem,
  count: number,
  seed: number,
): Promise<SamplingResult> {
  return drawSamples(board, { precision, count, address: { seed, step: 0, block: 0 } });
}

function rowsOf({ rows, columns, data }: Matrix): Float64Array[] {
  return Array.from({ length: rows }, (_, k) => data.subarray(k * columns, (k + 1) * columns));
}

/** Mean of xᵀPx/N: 1 where the covariance is P⁻¹. */
function meanSquare(precision: LinearSystem, draws: readonly Float64Array[]): number {
  const sum = draws.reduce((total, x) => total + dot(x, applySystem(precision, x)), 0);
  return sum / (dimensionOf(precision) * draws.length);
}

/** The part of each draw in the slowest mode. */
function slowestMode(precision: LinearSystem, draws: Matrix): number[] {
  const { values, vectors } = symmetricEigen(denseOf(precision));
  const slowest = values.indexOf(Math.min(...values));
  const mode = Float64Array.from(values, (_, i) => vectors.data[i * values.length + slowest]);
  return rowsOf(draws).map((x) => dot(mode, x));
}

/** Correlation of the values at `firsts` with the values that follow them; the mean is 0. */
function correlationAt(values: readonly number[], firsts: readonly number[]): number {
  const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  return firsts.reduce((sum, k) => sum + values[k] * values[k + 1], 0) / firsts.length / variance;
}

describe.each(cases)('draws on an ideal board, $name', ({ precision, boardName }) => {
  const count = 40_000;
  let drawn: SamplingResult;
  beforeAll(async () => {
    drawn = await draw(solverBoard(boardName), precision, count, 21);
  });

  // The relative standard deviation is √(2/(8·count)) = 0.25 %: by chance a right board leaves 1 % once in
  // 16,000 times.
  test('have the covariance P⁻¹, right to 1 % of its size', () => {
    expect(Math.abs(meanSquare(precision, rowsOf(drawn.draws)) - 1)).toBeLessThan(0.01);
  });

  // Four standard errors of 0.005: by chance it fails once in 16,000 times.
  test('are correlated as much as is reported', () => {
    const all = Array.from({ length: count - 1 }, (_, k) => k);
    const measured = correlationAt(slowestMode(precision, drawn.draws), all);
    expect(measured).toBeLessThan(drawn.correlationMax + 4 / Math.sqrt(count));
    // The bound is close: it comes from a bound of λ_min within a few percent.
    expect(measured).toBeGreaterThan(0.8 * drawn.correlationMax - 4 / Math.sqrt(count));
  });

  // 600 requests: a standard deviation of √(2/4800) = 2 %, of which four are left once in 16,000 times.
  test('come from equilibrium, the first one too', async () => {
    const board = solverBoard(boardName);
    const firsts: Float64Array[] = [];
    for (let seed = 0; seed < 600; seed++) firsts.push((await draw(board, precision, 1, seed)).draws.data);
    expect(Math.abs(meanSquare(precision, firsts) - 1)).toBeLessThan(0.082);
  });
});

// Many draws are read in several board runs, each going on where the one before ended.
test('the last draw of a board run and the first of the next are no more correlated than others', async () => {
  const precision: LinearSystem = {
    kind: 'dense',
    matrix: symmetricWith(eigenvalues('linear', 3, 2), problemRandom(13)),
  };
  const board = solverBoard('ideal-8');
  const { draws, correlationMax } = await draw(board, precision, 100_000, 22);
  const lasts: number[] = [];
  let drawn = 0;
  for (const { sampleCount } of board.runs) {
    drawn += sampleCount;
    if (drawn < draws.rows) lasts.push(drawn - 1);
  }
  expect(lasts.length).toBeGreaterThan(350);
  // Four standard errors.
  expect(correlationAt(slowestMode(precision, draws), lasts)).toBeLessThan(
    correlationMax + 4 / Math.sqrt(lasts.length),
  );
});
