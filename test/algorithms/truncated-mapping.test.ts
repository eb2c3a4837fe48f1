import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findProfile } from '../../emulator/profiles/profiles.js';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { isingChain } from '../../src/learning/quantum/variational-energy.js';
import { applySystem } from '../../src/linalg/linear-system.js';
import { dot, subtract } from '../../src/linalg/products.js';
import { directSolver } from '../../src/linalg/woodbury.js';
import { SolverBoard } from '../support/solver-board.js';

const { trained } = JSON.parse(
  readFileSync(new URL('../learning/quantum/golden.json', import.meta.url), 'utf8'),
) as { readonly trained: readonly number[] };

describe('the mapping of a truncated solve on the curvature of a trained Ising state', () => {
  it('has less than half the error of a relaxation to the same time, in less than a ninth of its ticks', {
    tags: 'long',
  }, async () => {
    const problem = isingChain({ sites: 16 });
    const point = { parameters: Float64Array.from(trained), step: 0, totalSteps: 1, seed: 3 };
    const { first, factor } = problem.evaluate({ ...point, state: problem.initialState!(3) });
    if (first instanceof Promise) throw new Error('a sampler needs no thread');
    const [system, drive] = [{ kind: 'factored', factor: factor(), damping: 1e-3 } as const, first.gradient];
    const exact = directSolver(system)!(drive);
    const energyNorm = (x: Float64Array): number => Math.sqrt(dot(x, applySystem(system, x)));
    const address = { seed: 3, step: 0, block: 0 };
    const ticks = 1024;

    const board = new SolverBoard(findProfile('ideal-crossbar')!);
    const { x, eigenvalueMax } = await createAnalogSolver(board).truncated(
      { factor: system.factor, address },
      async (loaded) => ({
        ...(await loaded.run({ drive, damping: system.damping, ticks, scale: 0 })),
        eigenvalueMax: loaded.eigenvalueMax,
      }),
    );
    const fast = energyNorm(subtract(x, exact)) / energyNorm(exact);

    const slowBoard = new SolverBoard(findProfile('ideal-crossbar')!);
    // t = n·h/s_A, s_A = λ_max·h/1.9.
    const time = (1.9 * ticks) / eigenvalueMax;
    const relaxed = await createAnalogSolver(slowBoard).relax({
      system,
      drive,
      initial: new Float64Array(drive.length),
      time,
      address,
    });
    const slow = energyNorm(subtract(relaxed.x, exact)) / energyNorm(exact);
    // An exact answer that is stopped at this time has an error of about 0.31.
    expect(fast).toBeLessThan(0.5);
    expect(slow / fast).toBeGreaterThan(2);
    expect(relaxed.cost.ticks / ticks).toBeGreaterThan(9);
  });
});
