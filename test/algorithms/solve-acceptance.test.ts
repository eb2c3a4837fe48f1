import { describe, expect, test } from 'vitest';
import { createAnalogSolver } from '../../src/algorithms/board-solver.js';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import { norm2, subtract } from '../../src/linalg/products.js';
import { solverBoard } from '../support/solver-board.js';
import {
  eigenvalues,
  normalVector,
  problemRandom,
  type SpectrumShape,
  symmetricWith,
} from '../support/solver-problems.js';
import { zSquaredBand } from '../support/z-band.js';

interface Group {
  readonly cells: number;
  readonly condition: number;
  readonly shape: SpectrumShape;
  readonly seeds: number;
}

interface GroupResult {
  /** z² = (error/standard error)² of every entry of every solution. */
  readonly squares: number[];
  /** The error of every solution, relative to the solution. */
  readonly errors: number[];
  readonly passes: number[];
  readonly ticks: number[];
}

/** Random systems of one kind, on the device model without the link, against Cholesky in float64. */
async function runGroup(
  { cells, condition, shape, seeds }: Group,
  firstSeed: number,
  tolerance: number,
): Promise<GroupResult> {
  const group: GroupResult = { squares: [], errors: [], passes: [], ticks: [] };
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const random = problemRandom(seed * 1000 + cells + condition);
    const matrix = symmetricWith(eigenvalues(shape, condition, cells), random);
    const drive = normalVector(random, cells);
    const outcome = cholesky(matrix);
    if (!outcome.ok) throw new Error('bug: the problem is not positive definite');
    const exact = choleskySolve(outcome.factor, drive);
    const result = await createAnalogSolver(solverBoard(`ideal-${cells}`)).solve({
      system: { kind: 'dense', matrix },
      drive,
      tolerance,
      address: { seed, step: 0, block: 0 },
    });
    const { x, standardError, passes, cost } = result;
    const noise = norm2(standardError) / norm2(x);
    expect(noise).toBeLessThan(tolerance / 2);
    expect(result.quantizationError).toBeLessThan(noise / 2);
    const error = subtract(x, exact);
    group.errors.push(norm2(error) / norm2(exact));
    for (let i = 0; i < cells; i++) group.squares.push((error[i] / standardError[i]) ** 2);
    group.passes.push(passes);
    group.ticks.push(cost.ticks);
  }
  return group;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A few systems of each kind, with fixed seeds. */
const REDUCED: readonly Group[] = [
  { cells: 8, condition: 10, shape: 'log-uniform', seeds: 24 },
  { cells: 8, condition: 10, shape: 'linear', seeds: 24 },
  { cells: 8, condition: 100, shape: 'log-uniform', seeds: 16 },
  { cells: 64, condition: 10, shape: 'linear', seeds: 8 },
  { cells: 64, condition: 100, shape: 'log-uniform', seeds: 8 },
  { cells: 256, condition: 10, shape: 'log-uniform', seeds: 1 },
  { cells: 256, condition: 100, shape: 'log-uniform', seeds: 1 },
];

const smaller = REDUCED.filter(({ cells }) => cells < 256);

// The mean z² of all 2,048 entries is 1.04 with a standard deviation of 0.055. For the 1,536 entries of the
// smaller systems the standard deviation is 0.064 (`zSquaredBand`). With random seeds, a correct solver would
// exceed the limits once in 10⁴ runs, and for the smaller systems once in 1500 runs.
test('solve meets a relative error of 1e-2, and z pooled over all systems has a variance within 0.8 and 1.25', () =>
  expectAccepted(smaller));

test('meets both bounds with systems of 256 cells too', { tags: 'long' }, () => expectAccepted(REDUCED));

async function expectAccepted(groups: readonly Group[]): Promise<void> {
  const pooled: number[] = [];
  for (const group of groups) {
    const { squares, errors } = await runGroup(group, 700, 1e-2);
    pooled.push(...squares);
    expect(Math.max(...errors), JSON.stringify(group)).toBeLessThan(1e-2);
  }
  expect(meanOf(pooled)).toBeGreaterThan(0.8);
  expect(meanOf(pooled)).toBeLessThan(1.25);
}

/**
 * The whole acceptance test of `thermolink solve`. It takes minutes, so it is run by hand: 240 systems (8,
 * 64, 256 cells; condition 10 and 100; log-uniform and linear spectra).
 *
 *   SOLVE_ACCEPTANCE=1000 [SOLVE_SEEDS=20] [SOLVE_TOLERANCE=1e-2] [SOLVE_CONDITIONS=10,100] \
 *     npx vitest run test/algorithms/solve-acceptance.test.ts
 *
 * SOLVE_ACCEPTANCE is the first seed. Take a seed that was never used. The limits of z² follow from the
 * number of systems. A correct solver exceeds them at most once in a thousand such runs.
 */
const firstSeed = process.env['SOLVE_ACCEPTANCE'];
const seeds = Number(process.env['SOLVE_SEEDS'] ?? '20');
const tolerance = Number(process.env['SOLVE_TOLERANCE'] ?? '1e-2');
const conditions = (process.env['SOLVE_CONDITIONS'] ?? '10,100').split(',').map(Number);

describe.skipIf(firstSeed === undefined)('solve, on systems that were never tried', () => {
  test.each([8, 64, 256])('%i cells', { timeout: 3_600_000 }, async (cells) => {
    const pooled: number[] = [];
    for (const condition of conditions) {
      for (const shape of ['log-uniform', 'linear'] as const) {
        const start = performance.now();
        const group = { cells, condition, shape, seeds };
        const { squares, errors, passes, ticks } = await runGroup(group, Number(firstSeed), tolerance);
        pooled.push(...squares);
        console.log(
          `${cells} cells, condition ${condition}, ${shape}: z variance ${meanOf(squares).toFixed(3)}, ` +
            `worst error/tolerance ${(Math.max(...errors) / tolerance).toFixed(3)}, ` +
            `passes ${Math.min(...passes)}–${Math.max(...passes)}, ${meanOf(ticks).toFixed(0)} ticks and ` +
            `${((performance.now() - start) / seeds).toFixed(0)} ms a solve`,
        );
        expect(Math.max(...errors)).toBeLessThan(tolerance);
      }
    }
    console.log(`${cells} cells: z variance ${meanOf(pooled).toFixed(3)}`);
    // The limits are 0.63 and 1.41 for 80 systems of 8 cells, and 0.84 and 1.20 for 80 systems of 64 cells.
    // With 330 systems of 8 cells (SOLVE_SEEDS=83) the limits are 0.8 and 1.25.
    const { min, max } = zSquaredBand(pooled.length);
    expect(meanOf(pooled)).toBeGreaterThan(min);
    expect(meanOf(pooled)).toBeLessThan(max);
  });
});
