import { expect, test } from 'vitest';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { solverBoard } from '../support/solver-board.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';

function solveAt(condition: number, tolerance: number) {
  const random = problemRandom(77 + 8);
  const matrix = symmetricWith(eigenvalues('log-uniform', condition, 8), random);
  const drive = normalVector(random, 8);
  const address = { seed: 1, step: 0, block: 0 };
  return createAnalogSolver(solverBoard('ideal-8')).solve({
    system: { kind: 'dense', matrix },
    drive,
    tolerance,
    address,
  });
}

test('16-bit codes solve a condition of 2e4', async () => {
  await expect(solveAt(2e4, 1e-2)).resolves.toMatchObject({ passes: expect.any(Number) });
}, 60_000);

test('beyond the codes the refusal tells that a larger tolerance does not help', async () => {
  for (const tolerance of [1e-2, 0.9])
    await expect(solveAt(1e9, tolerance)).rejects.toMatchObject({
      code: 'TOLERANCE_NOT_MET',
      hint: expect.stringContaining('A larger tolerance does not help'),
    });
}, 60_000);
