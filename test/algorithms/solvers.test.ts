import { expect, test } from 'vitest';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { createCholeskySolver } from '../../src/algorithms/cholesky-solver.js';
import { createIdealSampler } from '../../src/algorithms/ideal-sampler.js';
import { solverBoard } from '../support/solver-board.js';
import { describeSolver } from './solver-contract.js';

describeSolver({
  name: 'Cholesky',
  create: createCholeskySolver,
  skips: { 'reports progress': 'there is nothing between start and end' },
});

const ideal = () => createIdealSampler();
describeSolver({
  name: 'ideal sampler',
  create: ideal,
  relaxation: { create: ideal, accuracy: 1e-12 },
});

const noisy = () => createIdealSampler({ noiseTemperature: 1e-9 });
describeSolver({
  name: 'ideal sampler with noise',
  create: noisy,
  relaxation: { create: noisy, accuracy: 1e-3 },
  skips: { 'answers x₀ = b = 0 with 0': 'noise moves the cells also without a drive' },
});

const analog = () =>
  createAnalogSolver(solverBoard('ideal-64', { cells: 24, rows: 40 }), { relaxCouplingBits: 16 });
describeSolver({
  name: 'board',
  create: analog,
  // Drive and state have 16 bits, with an s_x of up to four times the largest entry. Their errors are divided
  // by λ̂ of a few tenths.
  relaxation: { create: analog, accuracy: 3e-3 },
});

test('Cholesky has no method to relax', () => {
  expect('relax' in createCholeskySolver()).toBe(false);
});
