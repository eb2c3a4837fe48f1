import { describe, expect, test } from 'vitest';
import type { LinearSystem } from '../../src/linalg/linear-system.js';
import { matrix } from '../../src/linalg/matrix.js';
import { inspectSystem } from '../../src/mapping/definiteness.js';
import { createAnalogSolver } from '../../src/solver/analog-solver.js';
import { BoardRuns } from '../../src/solver/board-runs.js';
import { planEquilibrium } from '../../src/solver/equilibrium-plan.js';
import { invert } from '../../src/solver/inverse.js';
import { refine } from '../../src/solver/refinement.js';
import { Rehearsal } from '../../src/solver/rehearsal.js';
import { type SolverBoard, solverBoard } from '../support/solver-board.js';
import {
  eigenvalues,
  normalMatrix,
  normalVector,
  problemRandom,
  symmetricWith,
} from '../support/solver-problems.js';

const address = { seed: 4, step: 0, block: 0 };

/** tridiag(−1, 2, −1): condition about (2n/π)². */
function laplacian(n: number): LinearSystem {
  const a = matrix(n, n);
  for (let i = 0; i < n; i++) {
    a.data[i * n + i] = 2;
    if (i > 0) a.data[i * n + i - 1] = a.data[(i - 1) * n + i] = -1;
  }
  return { kind: 'dense', matrix: a };
}

async function refusal(board: SolverBoard, system: LinearSystem, drive: Float64Array, tolerance = 1e-2) {
  const error = await createAnalogSolver(board)
    .solve({ system, drive, tolerance, address })
    .then(
      () => undefined,
      (caught: unknown) =>
        caught as { code: string; message: string; hint: string; data: Record<string, unknown> },
    );
  if (error === undefined) throw new Error('it was solved');
  return error;
}

describe('a solve that leads nowhere is refused before a byte is sent', () => {
  test('the drive rounds to nothing: 256 cells of a 1-D Laplacian, 12-bit drive', async () => {
    const board = solverBoard('ideal-256', { driveBits: 12 });
    const error = await refusal(board, laplacian(256), new Float64Array(256).fill(1));
    expect(error).toMatchObject({ code: 'TOLERANCE_NOT_MET', data: { tolerance: 1e-2 } });
    expect(error.message).toMatch(
      /ideal-256 .* was not run: .*12-bit drive codes \(condition of the system 2\.\de4\)\.$/,
    );
    expect(error.hint).toMatch(/precondition.*damping.*finer couplings/);
    expect(board.programs).toEqual([]);
  });

  test('the couplings are another matrix once they are rounded', async () => {
    const random = problemRandom(302);
    const values = eigenvalues('linear', 10, 12);
    const system = { kind: 'dense', matrix: symmetricWith(values, random) } as const;
    const plan = planEquilibrium(system, inspectSystem(system), solverBoard('ideal-64').identity);
    const coarse = { ...plan, programmed: laplacian(12) };
    const drive = normalVector(random, 12);
    await expect(new Rehearsal(coarse).passesMin({ drive, tolerance: 1e-2 })).rejects.toMatchObject({
      code: 'TOLERANCE_NOT_MET',
      message: expect.stringContaining(
        'because the matrix is another one once it is rounded to 16-bit couplings',
      ),
    });
  });

  test('before any column of an inverse', async () => {
    const board = solverBoard('ideal-64', { driveBits: 8 });
    const system = laplacian(40);
    await expect(invert(board, { system, tolerance: 1e-3, address })).rejects.toMatchObject({
      code: 'TOLERANCE_NOT_MET',
    });
    expect(board.programs).toEqual([]);
  });
});

/** A problem, and a board of random converters; half of them are too much for their board. */
function randomCase(seed: number) {
  const random = problemRandom(seed);
  const choose = <Item>(...items: readonly Item[]): Item =>
    items[Math.floor(items.length * random.uniform())];
  const n = 2 + Math.floor(14 * random.uniform());
  const condition = 10 ** (3.5 * random.uniform());
  const system: LinearSystem = choose(true, true, false)
    ? {
        kind: 'dense',
        matrix: symmetricWith(eigenvalues(choose('linear', 'log-uniform'), condition, n), random),
      }
    : { kind: 'factored', factor: normalMatrix(random, Math.ceil(n / 2), n), damping: n / condition };
  const bits = choose(8, 10, 16);
  const board = solverBoard('ideal-64', {
    couplingBits: choose(6, 8, 12, 16),
    driveBits: bits,
    adcBits: bits,
  });
  return { system, board, drive: normalVector(random, n), tolerance: 10 ** (-0.3 - 4 * random.uniform()) };
}

async function isFulfilled(work: Promise<unknown>): Promise<'yes' | 'no'> {
  return work.then(
    () => 'yes',
    () => 'no',
  );
}

test('what is refused would have failed on the board; of what is let through 19 in 20 are solved', async () => {
  const outcomes: Record<string, number> = { 'yes yes': 0, 'yes no': 0, 'no yes': 0, 'no no': 0 };
  for (let seed = 7000; seed < 7080; seed++) {
    const { system, board, drive, tolerance } = randomCase(seed);
    const spectrum = inspectSystem(system);
    let plan: ReturnType<typeof planEquilibrium>;
    try {
      plan = planEquilibrium(system, spectrum, board.identity);
    } catch {
      // Not positive definite any more once it is rounded: refused even before.
      continue;
    }
    const request = { system, drive, tolerance, address };
    const allowed = await isFulfilled(new Rehearsal(plan).passesMin(request));
    const solved = await isFulfilled(refine(plan, new BoardRuns(board, address, undefined), request, 1));
    outcomes[`${allowed} ${solved}`]++;
  }
  expect(outcomes['no yes']).toBe(0);
  expect(outcomes['no no']).toBeGreaterThan(10);
  expect(outcomes['yes yes']).toBeGreaterThan(19 * outcomes['yes no']);
});
