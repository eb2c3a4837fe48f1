import { expect, test } from 'vitest';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { invert } from '../../src/algorithms/invert.js';
import { solverBoard } from '../support/solver-board.js';
import { eigenvalues, problemRandom, symmetricWith } from '../support/solver-problems.js';

const cells = 6;
const system = {
  kind: 'dense',
  matrix: symmetricWith(eigenvalues('linear', 8, cells), problemRandom(81)),
} as const;
const request = { system, tolerance: 1e-2, address: { seed: 2, step: 0, block: 5 } };

test('sends the couplings once, and reads the same columns as single solves', async () => {
  const board = solverBoard('ideal-8');
  const { inverse, cost, passes, carryNoiseShare } = await invert(board, request);
  expect(board.programs.map(({ isRewrite }) => isRewrite).indexOf(true)).toBe(1);
  expect(board.programs.filter(({ isRewrite }) => !isRewrite)).toHaveLength(1);
  expect(cost.uploadBytes).toBe(board.uploadedBytes);
  const columns: Float64Array[] = [];
  const errors: Float64Array[] = [];
  let [singlePasses, largestShare] = [0, 0];
  for (let j = 0; j < cells; j++) {
    const drive = new Float64Array(cells);
    drive[j] = 1;
    const address = { ...request.address, block: 5 + j };
    const single = await createAnalogSolver(solverBoard('ideal-8')).solve({ ...request, drive, address });
    columns.push(single.x);
    errors.push(single.standardError);
    singlePasses += single.passes;
    largestShare = Math.max(largestShare, single.carryNoiseShare);
  }
  for (let i = 0; i < cells; i++)
    for (let j = 0; j < cells; j++) {
      // An entry is read twice. The mean weights each reading by the inverse of its variance.
      const [here, there] = [errors[j][i] ** -2, errors[i][j] ** -2];
      const mean = (here * columns[j][i] + there * columns[i][j]) / (here + there);
      expect(inverse.data[i * cells + j]).toBeCloseTo(mean, 13);
      expect(inverse.data[i * cells + j]).toBe(inverse.data[j * cells + i]);
    }
  expect([passes, carryNoiseShare]).toEqual([singlePasses, largestShare]);
});
