import { describe, expect, it } from 'vitest';
import type { BoardProfile } from '../../emulator/profiles/board-profile.js';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { randomProblem } from '../support/one-pass.js';
import { type SolverBoard, solverBoard } from '../support/solver-board.js';
import { problemRandom } from '../support/solver-problems.js';

async function solveOn(board: SolverBoard, condition: number, seed: number, tolerance = 1e-2) {
  const { system, drive } = randomProblem(seed, board.identity.cells, condition, 'linear', 'b');
  const address = { seed, step: 0, block: 0 };
  return createAnalogSolver(board).solve({ system, drive, tolerance, address });
}

/** Programs without noise that start from a reading: those that look for what an average has wrong. */
function checks(board: SolverBoard): number {
  return board.programs.filter(
    ({ image }) => image.noiseAmplitude === 0 && image.initialState.some((code) => code !== 0),
  ).length;
}

describe('an average is checked for systematic errors', () => {
  const coarse: [string, Partial<BoardProfile>][] = [
    ['16-bit converters', {}],
    ['8-bit couplings', { couplingBits: 8 }],
    ['a 10-bit ADC', { adcBits: 10 }],
    ['10-bit drives', { driveBits: 10 }],
  ];
  it.each(coarse)('not on an ideal board with %s, whose rounding is known', async (_, overrides) => {
    for (const condition of [1, 10, 50])
      for (let seed = 1; seed <= 5; seed++) {
        const board = solverBoard('ideal-8', overrides);
        await solveOn(board, condition, seed, 0.05);
        expect(checks(board)).toBe(0);
      }
  });

  it('but on one with imperfections, by four runs', async () => {
    const board = solverBoard('prototype-8');
    const { samples } = await solveOn(board, 10, 3);
    expect(checks(board)).toBe(1);
    expect(samples).toBeGreaterThanOrEqual(48 + 4 + 1);
  });
});

it('what wanders from run to run is in the standard error', async () => {
  const errorOf = async (offsetLsb: number): Promise<number> => {
    const random = problemRandom(17);
    // The same for all readings of a run, another one in the next.
    const wander = (codes: Int16Array, cells: number): void => {
      const offsets = Array.from({ length: cells }, () => Math.round(offsetLsb * random.normal()));
      for (let i = 0; i < codes.length; i++) codes[i] += offsets[i % cells];
    };
    const { standardError } = await solveOn(solverBoard('prototype-8', {}, wander), 10, 3, 0.1);
    return Math.min(...standardError);
  };
  const quiet = await errorOf(0);
  expect(await errorOf(300)).toBeGreaterThan(1.2 * quiet);
});
