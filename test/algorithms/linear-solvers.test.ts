import { expect, test } from 'vitest';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { createCholeskySolver } from '../../src/algorithms/cholesky-solver.js';
import { createIdealSampler } from '../../src/algorithms/ideal-sampler.js';
import { solverBoard } from '../support/solver-board.js';
import { describeLinearSolver } from './linear-solver-contract.js';

const NO_RELAX = 'a factorisation knows the equilibrium only; relax is UNSUPPORTED';

describeLinearSolver({
  name: 'Cholesky',
  create: createCholeskySolver,
  relaxAccuracy: 0,
  skips: {
    'relaxes toward A⁻¹b, not away from it: the sign of the drive': NO_RELAX,
    'follows the mean path': NO_RELAX,
    'answers x₀ = b = 0 with 0': NO_RELAX,
    'refuses bad relaxations with a code': NO_RELAX,
    'reports progress': 'there is nothing between start and end',
  },
});

describeLinearSolver({ name: 'ideal sampler', create: () => createIdealSampler(), relaxAccuracy: 1e-12 });

describeLinearSolver({
  name: 'ideal sampler with noise',
  create: () => createIdealSampler({ noiseTemperature: 1e-9 }),
  relaxAccuracy: 1e-3,
  skips: { 'answers x₀ = b = 0 with 0': 'noise moves the cells even so' },
});

describeLinearSolver({
  name: 'board',
  create: () =>
    createAnalogSolver(solverBoard('ideal-64', { cells: 24, rows: 40 }), { relaxCouplingBits: 16 }),
  // 16-bit drive and state over s_x up to four times the largest entry, divided by λ̂ of a few tenths.
  relaxAccuracy: 3e-3,
});

test('Cholesky refuses to relax', async () => {
  await expect(createCholeskySolver().relax({} as never)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});
