import { beforeAll, describe, expect, test } from 'vitest';
import { drawSamples, type SamplingResult } from '../../src/algorithms/sample.js';
import { applySystem, dimensionOf, type LinearSystem } from '../../src/linalg/linear-system.js';
import type { Matrix } from '../../src/linalg/matrix.js';
import { dot } from '../../src/linalg/products.js';
import { symmetricEigen } from '../../src/linalg/symmetric-eigen.js';
import { denseOf } from '../support/dense-of.js';
import { type SolverBoard, solverBoard } from '../support/solver-board.js';
import { eigenvalues, normalMatrix, problemRandom, symmetricWith } from '../support/solver-problems.js';

/** Each case has a board that works correctly. */
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

/** Mean of xᵀPx/N. It is 1 if the covariance is P⁻¹. */
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

for (const { count, tags } of [
  { count: 10_000, tags: [] },
  { count: 40_000, tags: ['long'] },
])
  describe.each(cases)(`${count} draws on an ideal board, $name`, { tags }, ({ precision, boardName }) => {
    let drawn: SamplingResult;
    beforeAll(async () => {
      drawn = await draw(solverBoard(boardName), precision, count, 21);
    });

    // The relative standard deviation is √(2/(8·count)), which is 0.25 % for 40,000 draws. With random seeds
    // a correct board would exceed four standard deviations once in 16,000 times.
    test('have the covariance P⁻¹, with an error of one or two percent of its size at most', () => {
      const reach = 4 * Math.sqrt(2 / (8 * count));
      expect(Math.abs(meanSquare(precision, rowsOf(drawn.draws)) - 1)).toBeLessThan(reach);
    });

    // The limit is four standard errors, which a correct board exceeds once in 16,000 times.
    test('have the reported correlation', () => {
      const all = Array.from({ length: count - 1 }, (_, k) => k);
      const measured = correlationAt(slowestMode(precision, drawn.draws), all);
      expect(measured).toBeLessThan(drawn.correlationMax + 4 / Math.sqrt(count));
      // The bound is close, because it comes from a bound of λ_min that is within a few percent.
      expect(measured).toBeGreaterThan(0.8 * drawn.correlationMax - 4 / Math.sqrt(count));
    });

    // The standard deviation over 600 requests is 2 %. A correct board exceeds four standard deviations once
    // in 16,000 times.
    test('come from equilibrium, even the first one', async () => {
      const board = solverBoard(boardName);
      const firsts: Float64Array[] = [];
      const requests = Math.ceil(count / 67);
      for (let seed = 0; seed < requests; seed++)
        firsts.push((await draw(board, precision, 1, seed)).draws.data);
      expect(Math.abs(meanSquare(precision, firsts) - 1)).toBeLessThan(4 * Math.sqrt(2 / (8 * requests)));
    });
  });

// Many draws are read in several board runs. Each run continues the previous one.
test('the last draw of a board run and the first of the next are no more correlated than others', () =>
  expectNoSeam(30_000, 100));

test(
  'the last draw of many board runs and the first of the next are no more correlated than others',
  { tags: 'long' },
  () => expectNoSeam(100_000, 350),
);

async function expectNoSeam(count: number, runs: number): Promise<void> {
  const precision: LinearSystem = {
    kind: 'dense',
    matrix: symmetricWith(eigenvalues('linear', 3, 2), problemRandom(13)),
  };
  const board = solverBoard('ideal-8');
  const { draws, correlationMax } = await draw(board, precision, count, 22);
  const lasts: number[] = [];
  let drawn = 0;
  for (const { sampleCount } of board.runs) {
    drawn += sampleCount;
    if (drawn < draws.rows) lasts.push(drawn - 1);
  }
  expect(lasts.length).toBeGreaterThan(runs);
  // The limit is four standard errors.
  expect(correlationAt(slowestMode(precision, draws), lasts)).toBeLessThan(
    correlationMax + 4 / Math.sqrt(lasts.length),
  );
}
