import { describe, expect, test } from 'vitest';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { createCholeskySolver } from '../../src/algorithms/cholesky-solver.js';
import { createIdealSampler } from '../../src/algorithms/ideal-sampler.js';
import { invert } from '../../src/algorithms/invert.js';
import { drawSamples } from '../../src/algorithms/sample.js';
import { ThermolinkError } from '../../src/errors.js';
import type { LinearSystem } from '../../src/linalg/linear-system.js';
import { matrix } from '../../src/linalg/matrix.js';
import { solverBoard } from '../support/solver-board.js';
import {
  eigenvalues,
  normalMatrix,
  normalVector,
  problemRandom,
  symmetricWith,
} from '../support/solver-problems.js';

const address = { seed: 3, step: 0, block: 0 };
/**
 * Powers of ten of these kinds: subnormal numbers, squares that underflow, ordinary numbers, squares that
 * overflow, sums that overflow.
 */
const EXPONENTS = [-320, -307, -200, -160, -60, -49, 0, 49, 60, 160, 200, 300, 308];

/** The result is finite numbers or a ThermolinkError, never a bug. */
async function expectSane(work: () => Promise<{ readonly data: Float64Array }>): Promise<void> {
  try {
    const { data } = await work();
    expect(data.every(Number.isFinite)).toBe(true);
  } catch (error) {
    if (!(error instanceof ThermolinkError)) throw error;
    expect(error.message).toMatch(/^[A-Z].*\.$/);
    expect(error.message).not.toContain('NaN');
  }
}

async function attack(system: LinearSystem, drive: Float64Array): Promise<void> {
  const board = () => solverBoard('ideal-64');
  const relaxing = [createAnalogSolver(board(), { ticksMax: 1e5 }), createIdealSampler()];
  for (const solver of [...relaxing, createCholeskySolver()]) {
    const request = { system, drive, tolerance: 1e-2, address };
    await expectSane(async () => ({ data: (await solver.solve(request)).x }));
  }
  for (const solver of relaxing) {
    const request = { system, drive, initial: drive, time: 0.5, address };
    await expectSane(async () => ({ data: (await solver.relax(request)).x }));
  }
}

const scaled = (system: LinearSystem, factor: number): LinearSystem => {
  const scale = ({ rows, columns, data }: { rows: number; columns: number; data: Float64Array }) =>
    matrix(
      rows,
      columns,
      data.map((value) => factor * value),
    );
  return system.kind === 'dense'
    ? { kind: 'dense', matrix: scale(system.matrix) }
    : { kind: 'factored', factor: scale(system.factor), damping: factor * system.damping };
};

const random = problemRandom(401);
const dense = { kind: 'dense', matrix: symmetricWith(eigenvalues('log-uniform', 10, 16), random) } as const;
const factored = { kind: 'factored', factor: normalMatrix(random, 4, 16), damping: 1 } as const;
const tall = { kind: 'factored', factor: normalMatrix(random, 20, 16), damping: 0 } as const;
const drive = normalVector(random, 16);

describe.each(EXPONENTS)('numbers around 1e%i', (exponent) => {
  const factor = Number(`1e${exponent}`);

  test('in a matrix or a factor', async () => {
    for (const system of [dense, factored, tall]) await attack(scaled(system, factor), drive);
  });

  test('in a right-hand side', async () => {
    await attack(
      dense,
      drive.map((value) => factor * value),
    );
  });

  test('in a matrix to invert or to draw with', async () => {
    const system = scaled(dense, factor);
    await expectSane(
      async () => (await invert(solverBoard('ideal-64'), { system, tolerance: 0.1, address })).inverse,
    );
    await expectSane(
      async () =>
        (await drawSamples(solverBoard('ideal-64'), { precision: system, count: 2, address })).draws,
    );
  });

  test('beside ordinary ones', async () => {
    const diagonal = Float64Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? 1 : factor));
    const mixed = matrix(16, 16);
    for (let i = 0; i < 16; i++) mixed.data[17 * i] = diagonal[i];
    for (let i = 0; i + 2 < 16; i++)
      mixed.data[16 * i + i + 2] = mixed.data[16 * (i + 2) + i] = 0.3 * diagonal[i];
    await attack({ kind: 'dense', matrix: mixed }, drive);
    await attack({ kind: 'factored', factor: matrix(16, 16, mixed.data), damping: factor }, drive);
  });
});
