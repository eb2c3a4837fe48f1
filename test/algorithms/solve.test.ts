import { describe, expect, test } from 'vitest';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import type { SolveProgress, SolveResult } from '../../src/algorithms/contract.js';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import type { LinearSystem } from '../../src/linalg/linear-system.js';
import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import { formDense, norm2, subtract } from '../../src/linalg/products.js';
import { type SolverBoard, solverBoard } from '../support/solver-board.js';
import {
  eigenvalues,
  normalMatrix,
  normalVector,
  problemRandom,
  type SpectrumShape,
  symmetricWith,
} from '../support/solver-problems.js';

interface Solved {
  readonly result: SolveResult;
  readonly error: Float64Array;
  readonly relativeError: number;
}

function problem(cells: number, condition: number, shape: SpectrumShape, seed: number) {
  const random = problemRandom(seed);
  const a = symmetricWith(eigenvalues(shape, condition, cells), random);
  return { system: { kind: 'dense', matrix: a } as const, drive: normalVector(random, cells) };
}

function exactly(a: Matrix, b: Float64Array): Float64Array {
  const outcome = cholesky(a);
  if (!outcome.ok) throw new Error('bug: indefinite problem');
  return choleskySolve(outcome.factor, b);
}

async function solveOn(
  board: SolverBoard,
  system: LinearSystem,
  drive: Float64Array,
  tolerance: number,
  seed = 1,
): Promise<Solved> {
  const request = { system, drive, tolerance, address: { seed, step: 0, block: 0 } };
  const result = await createAnalogSolver(board).solve(request);
  const dense = system.kind === 'dense' ? system.matrix : formDense(system.factor, system.damping);
  const exact = exactly(dense, drive);
  const error = subtract(result.x, exact);
  return { result, error, relativeError: norm2(error) / norm2(exact) };
}

/** solve-acceptance.test.ts tests many random systems. */
describe('random systems', () => {
  test('refinement reaches 1e-6, its couplings sent once', async () => {
    const { system, drive } = problem(8, 30, 'log-uniform', 3);
    const board = solverBoard('ideal-8');
    const { result, relativeError } = await solveOn(board, system, drive, 1e-6);
    expect(relativeError).toBeLessThan(1e-6);
    expect(result.passes).toBeGreaterThanOrEqual(3);
    expect(board.programs.filter(({ isRewrite }) => !isRewrite)).toHaveLength(1);
  });

  test('a loose tolerance takes one pass', async () => {
    const { system, drive } = problem(8, 10, 'linear', 4);
    const { result, relativeError } = await solveOn(solverBoard('ideal-8'), system, drive, 0.3);
    expect(relativeError).toBeLessThan(0.3);
    expect(result.passes).toBe(1);
    expect(result.samples).toBe(49);
  });

  test.each([12, 8])('%i-bit converters and couplings need more passes for the same answer', async (bits) => {
    const { system, drive } = problem(8, 10, 'log-uniform', 5);
    const board = solverBoard('ideal-8', { couplingBits: bits, driveBits: bits, adcBits: bits });
    const { result, relativeError, error } = await solveOn(board, system, drive, 1e-3);
    expect(relativeError).toBeLessThan(1e-3);
    // Rounding errors are compensated, so all errors are within five standard errors.
    error.forEach((value, i) => {
      expect(Math.abs(value)).toBeLessThan(5 * result.standardError[i]);
    });
  });

  test.each([
    ['damping alone', matrix(1, 6), 1],
    ['hardly any curvature', normalMatrix(problemRandom(8), 2, 6), 100],
    ['one stiff direction', matrix(1, 6, Float64Array.of(3, 0, 0, 0, 0, 0)), 1],
  ])('settle with any mode as the slowest: %s', async (_, factor, damping) => {
    const system = { kind: 'factored', factor, damping } as const;
    const drive = normalVector(problemRandom(9), 6);
    const { relativeError } = await solveOn(solverBoard('ideal-crossbar'), system, drive, 1e-2);
    expect(relativeError).toBeLessThan(1e-2);
  });

  test('factored systems, wide and tall', async () => {
    const random = problemRandom(6);
    for (const [rows, cells, damping] of [
      [5, 30, 1],
      [30, 6, 0],
    ]) {
      const system = { kind: 'factored', factor: normalMatrix(random, rows, cells), damping } as const;
      const board = solverBoard('ideal-64');
      const { relativeError } = await solveOn(board, system, normalVector(random, cells), 1e-2);
      expect(relativeError).toBeLessThan(1e-2);
    }
  });

  test('any unit is allowed: A in 1e40, b in 1e-40', async () => {
    const { system, drive } = problem(8, 10, 'linear', 7);
    const scaled = matrix(
      8,
      8,
      system.matrix.data.map((value) => 1e40 * value),
    );
    const { relativeError } = await solveOn(
      solverBoard('ideal-8'),
      { kind: 'dense', matrix: scaled },
      drive.map((value) => 1e-40 * value),
      1e-2,
    );
    expect(relativeError).toBeLessThan(1e-2);
  });

  test('the cost counts the work of the board, and the progress ends below half the tolerance', async () => {
    const { system, drive } = problem(8, 10, 'linear', 8);
    const board = solverBoard('ideal-8');
    const progress: SolveProgress[] = [];
    const { cost, samples, passes } = await createAnalogSolver(board).solve({
      system,
      drive,
      tolerance: 1e-2,
      address: { seed: 1, step: 0, block: 0 },
      onProgress: (seen) => progress.push(seen),
    });
    const runs = board.runs;
    expect(cost.ticks).toBe(
      runs.reduce((sum, run) => sum + run.burnInTicks + (run.sampleCount - 1) * run.ticksPerSample, 0),
    );
    expect(cost.boardSeconds).toBeCloseTo((cost.ticks / 16) * 1e-6, 12);
    expect(cost.uploadBytes).toBe(board.uploadedBytes);
    expect(progress.at(-1)).toMatchObject({ samples, pass: passes });
    expect(progress.at(-1)!.relativeStandardError).toBeLessThan(0.005);
    // A board run that continues another one keeps its seed. All others have seeds of their own.
    const fresh = runs.filter((run) => !run.keepState);
    expect(new Set(fresh.map((run) => run.runSeed)).size).toBe(fresh.length);
    runs.forEach((run, k) => {
      if (run.keepState) expect(run.runSeed).toBe(runs[k - 1].runSeed);
    });
  });
});

describe('the scale', () => {
  test('is doubled after an overload and halved if the peak is low, and only drive and state are sent again', async () => {
    // b hardly drives the one slow mode, so the first guess of the scale is far too coarse.
    const slow = matrix(2, 2, Float64Array.of(101, 99, 99, 101));
    const board = solverBoard('ideal-8');
    await solveOn(board, { kind: 'dense', matrix: slow }, Float64Array.of(1 + 1e-4, 1 - 1e-4), 1e-2);
    expect(board.programs.slice(1).every(({ isRewrite }) => isRewrite)).toBe(true);
    expect(board.programs.length).toBeGreaterThan(3);

    // b drives only the slow cell, so the first guess of the scale is far too fine.
    const single = matrix(8, 8);
    for (let i = 0; i < 8; i++) single.data[9 * i] = i === 3 ? 1 : 4;
    const eight = new Float64Array(8);
    eight[3] = 5;
    const other = solverBoard('ideal-8');
    const { result, relativeError } = await solveOn(other, { kind: 'dense', matrix: single }, eight, 1e-2);
    expect(result.cost.overloadRetries).toBeGreaterThan(0);
    expect(relativeError).toBeLessThan(1e-2);
  });
});
