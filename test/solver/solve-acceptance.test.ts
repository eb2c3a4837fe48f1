import { describe, expect, test } from 'vitest';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import { norm2, subtract } from '../../src/linalg/products.js';
import { createAnalogSolver } from '../../src/solver/analog-solver.js';
import { solverBoard } from '../support/solver-board.js';
import {
  eigenvalues,
  normalVector,
  problemRandom,
  type SpectrumShape,
  symmetricWith,
} from '../support/solver-problems.js';

/**
 * The whole acceptance of `thermolink solve`, minutes long, hence by hand: random symmetric positive definite systems (8,
 * 64, 256 cells; condition 10 and 100; log-uniform and linear spectra) on the device model without the link, against
 * Cholesky in float64.
 *
 *   SOLVE_ACCEPTANCE=1000 [SOLVE_SEEDS=20] [SOLVE_TOLERANCE=1e-2] npx vitest run test/solver/solve-acceptance.test.ts
 *
 * SOLVE_ACCEPTANCE is the first seed: take one that nobody has seen.
 */
const firstSeed = process.env['SOLVE_ACCEPTANCE'];
const seeds = Number(process.env['SOLVE_SEEDS'] ?? '20');
const tolerance = Number(process.env['SOLVE_TOLERANCE'] ?? '1e-2');

interface Group {
  readonly squares: number[];
  readonly errors: number[];
  readonly passes: number[];
  readonly ticks: number[];
}

async function runGroup(cells: number, condition: number, shape: SpectrumShape): Promise<Group> {
  const group: Group = { squares: [], errors: [], passes: [], ticks: [] };
  for (let k = 0; k < seeds; k++) {
    const seed = Number(firstSeed) + k;
    const random = problemRandom(seed * 1000 + cells + condition);
    const matrix = symmetricWith(eigenvalues(shape, condition, cells), random);
    const drive = normalVector(random, cells);
    const outcome = cholesky(matrix);
    if (!outcome.ok) throw new Error('bug: the problem is not positive definite');
    const exact = choleskySolve(outcome.factor, drive);
    const { x, standardError, passes, cost } = await createAnalogSolver(solverBoard(`ideal-${cells}`)).solve({
      system: { kind: 'dense', matrix },
      drive,
      tolerance,
      address: { seed, step: 0, block: 0 },
    });
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

describe.skipIf(firstSeed === undefined)('solve, on systems that nobody has seen', () => {
  test.each([8, 64, 256])('%i cells', { timeout: 3_600_000 }, async (cells) => {
    const pooled: number[] = [];
    for (const condition of [10, 100]) {
      for (const shape of ['log-uniform', 'linear'] as const) {
        const start = performance.now();
        const { squares, errors, passes, ticks } = await runGroup(cells, condition, shape);
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
    expect(meanOf(pooled)).toBeGreaterThan(0.8);
    expect(meanOf(pooled)).toBeLessThan(1.25);
  });
});
