import { describe, expect, it } from 'vitest';
import { createAnalogSolver } from '../../../src/algorithms/board-solver.js';
import type { BoardCalibration } from '../../../src/board/calibration.js';
import { connect } from '../../../src/connect.js';
import { norm2, subtract } from '../../../src/linalg/products.js';
import { calibrate } from '../../../src/measure/calibrate.js';
import { randomProblem } from '../../support/one-pass.js';

interface Outcome {
  /** Mean of (error/standard error)² of each solution. */
  readonly squares: number[];
  readonly passes: number[];
}

/** Solves random systems on these dies to the tolerance, with a calibration or without one. */
async function solves(
  profile: string,
  condition: number,
  tolerance: number,
  dies: readonly number[],
  problems: number,
  isCalibrated = false,
): Promise<Outcome> {
  const outcome: Outcome = { squares: [], passes: [] };
  for (const die of dies) {
    const device = await connect(`emulator:${profile}?die=${die}`);
    const known: { calibration?: BoardCalibration } = isCalibrated
      ? await calibrate(device, { seed: die, samples: 1000 })
      : {};
    const options = known.calibration === undefined ? {} : { calibration: known.calibration };
    for (let k = 0; k < problems; k++) {
      const shape = k % 2 === 0 ? 'linear' : 'log-uniform';
      const { cells } = device.identity;
      const { system, drive, exact } = randomProblem(7000 + 100 * die + k, cells, condition, shape, 'b');
      const { x, standardError, passes } = await createAnalogSolver(device, options).solve({
        system,
        drive,
        tolerance,
        address: { seed: 100 * die + k, step: 0, block: 0 },
      });
      const error = subtract(x, exact);
      expect(norm2(error) / norm2(exact)).toBeLessThan(tolerance);
      outcome.squares.push(error.reduce((sum, e, i) => sum + (e / standardError[i]) ** 2, 0) / cells);
      outcome.passes.push(passes);
    }
    await device.close();
  }
  return outcome;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/*
 * z is error/standard error of an unknown. The seeds are fixed. With random seeds, the mean z² of a correct
 * solver would be outside [0.8, 1.25] once in 4000 times with 36 solutions of 64 cells, once in 100 times
 * with 18 such solutions, and once in 50 times with 80 solutions of 8 cells. The mean z² of one solution has
 * a standard deviation of about 0.33 (64 cells) or 0.9 (8 cells).
 */
describe('the standard error on boards that are neither ideal nor calibrated', () => {
  type Case = readonly [profile: string, condition: number, tolerance: number];
  const quick: Case[] = [['prototype-64', 10, 1e-2]];
  const long: Case[] = [
    ['prototype-64', 100, 1e-3],
    ['harsh-64', 10, 1e-2],
  ];
  it.each(quick)('%s, condition %d, tolerance %d: z has a variance within 0.6 and 1.5', async (...of) => {
    // The mean of six solutions has a standard deviation of 0.13. With random seeds it would be outside these
    // bounds once in 1000 times.
    const { squares } = await solves(...of, [1, 2], 3);
    expect(meanOf(squares)).toBeGreaterThan(0.6);
    expect(meanOf(squares)).toBeLessThan(1.5);
  });
  it.each([...quick, ...long])(
    '%s, condition %d, tolerance %d: z has a variance within 0.8 and 1.25',
    { tags: 'long' },
    async (...of) => {
      const { squares } = await solves(...of, [1, 2, 4], 12);
      expect(meanOf(squares)).toBeGreaterThan(0.8);
      expect(meanOf(squares)).toBeLessThan(1.25);
    },
  );

  it('spu-8, whose codes have 8 bits', { tags: 'long' }, async () => {
    const { squares } = await solves('spu-8', 10, 1e-2, [1, 2, 3, 4, 5], 16);
    expect(meanOf(squares)).toBeGreaterThan(0.8);
    expect(meanOf(squares)).toBeLessThan(1.25);
  });
});

describe('refinement on a calibrated board', () => {
  it('reaches 1e-6 in fewer passes, and its standard error is also correct', { tags: 'long' }, async () => {
    const before = await solves('prototype-64', 10, 1e-6, [1], 18);
    const after = await solves('prototype-64', 10, 1e-6, [1], 18, true);
    expect(Math.max(...after.passes)).toBeLessThan(Math.min(...before.passes));
    for (const { squares } of [before, after]) {
      expect(meanOf(squares)).toBeGreaterThan(0.8);
      expect(meanOf(squares)).toBeLessThan(1.25);
    }
  });
});

/**
 * Measures the figures of docs/how-to/calibrate.md. It takes a minute and is started by hand:
 *
 *   IMPERFECT_SOLVES=1 npx vitest run test/measure/calibration/error-bars.test.ts
 *
 * IMPERFECT_SOLVES is the seed of the first of two dies. Use dies that were not used before.
 */
const firstDie = process.env['IMPERFECT_SOLVES'];
describe.skipIf(firstDie === undefined)('the standard error on dies that were not used before', () => {
  // spu-8 at condition 100 is left out. Its couplings have errors of 3 %, so its passes make no progress.
  const boards = ['prototype-8', 'prototype-64', 'harsh-64'];
  const runs = boards.flatMap((board) => [10, 100].map((condition) => [board, condition] as const));
  it.each([...runs, ['spu-8', 10] as const])(
    '%s, condition %d',
    { timeout: 600_000 },
    async (board, condition) => {
      const dies = [0, 1].map((k) => Number(firstDie) + k);
      const problems = board.endsWith('-8') ? 40 : 10;
      for (const isCalibrated of [false, true])
        for (const tolerance of [1e-2, 1e-4, 1e-6]) {
          const { squares, passes } = await solves(board, condition, tolerance, dies, problems, isCalibrated);
          console.log(
            `${board}, condition ${condition}, tolerance ${tolerance}${isCalibrated ? ', calibrated' : ''}: ` +
              `z variance ${meanOf(squares).toFixed(2)}, passes ${Math.min(...passes)}–${Math.max(...passes)}`,
          );
        }
    },
  );
});
