import { expect, test } from 'vitest';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import type { RelaxRequest } from '../../src/algorithms/contract.js';
import { drawSamples } from '../../src/algorithms/sample.js';
import { connect } from '../../src/connect.js';
import { matrix } from '../../src/linalg/matrix.js';
import { solverBoard } from '../support/solver-board.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';

const cells = 8;

function problem(seed: number): RelaxRequest & { drive: Float64Array } {
  const random = problemRandom(seed);
  return {
    system: { kind: 'dense', matrix: symmetricWith(eigenvalues('linear', 5, cells), random) },
    drive: normalVector(random, cells),
    initial: normalVector(random, cells),
    time: 1,
    address: { seed, step: 0, block: 0 },
  };
}

test('concurrent calls on one device give the same answers as consecutive calls', async () => {
  const problems = [1, 2, 3].map(problem);
  const precision = problems[0].system;
  const draw = { precision, count: 5, address: { seed: 9, step: 0, block: 0 } };
  const device = await connect('emulator:ideal-8');
  try {
    const solver = createAnalogSolver(device);
    const alone: unknown[] = [];
    for (const request of problems) alone.push((await solver.relax(request)).x);
    alone.push((await solver.solve({ ...problems[0], tolerance: 1e-2 })).x);
    alone.push((await drawSamples(device, draw)).draws);
    // Two solvers that share only the device.
    const other = createAnalogSolver(device);
    const together = await Promise.all([
      ...problems.map(async (request, i) => (await (i % 2 ? other : solver).relax(request)).x),
      solver.solve({ ...problems[0], tolerance: 1e-2 }).then(({ x }) => x),
      drawSamples(device, draw).then(({ draws }) => draws),
    ]);
    expect(together).toEqual(alone);
  } finally {
    await device.close();
  }
});

test('a waiting call can be aborted and changes nothing; a failed call does not delay the next one', async () => {
  const board = solverBoard('ideal-8');
  const solver = createAnalogSolver(board);
  const controller = new AbortController();
  const indefinite = { kind: 'dense', matrix: matrix(1, 1, Float64Array.of(-1)) } as const;
  const failing = solver.solve({
    ...problem(1),
    system: indefinite,
    drive: Float64Array.of(1),
    tolerance: 0.1,
  });
  const waiting = solver.relax({ ...problem(2), signal: controller.signal });
  const last = solver.relax(problem(3));
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
  await expect(failing).rejects.toMatchObject({ code: 'NOT_POSITIVE_DEFINITE' });
  expect((await last).x).toEqual((await createAnalogSolver(solverBoard('ideal-8')).relax(problem(3))).x);
  expect(board.runs).toHaveLength(1);
});
