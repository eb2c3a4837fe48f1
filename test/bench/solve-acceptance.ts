/**
 * The acceptance of `thermolink solve`, by hand: random symmetric positive definite systems (8, 64, 256 cells; condition
 * 10 and 100; log-uniform and linear spectra; seeds) on the device model without the link, against Cholesky in float64.
 * Prints, per group, the pooled variance of z = (x̂ − x)/standardError, the largest true error over the tolerance, passes,
 * ticks and time.
 *
 *   node dist/test/bench/solve-acceptance.js [seeds=20] [tolerance=1e-2] [sizes=8,64,256] [first seed=1000]
 */
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

const [seeds = '20', tolerance = '1e-2', sizes = '8,64,256', firstSeed = '1000'] = process.argv.slice(2);

for (const cells of sizes.split(',').map(Number)) {
  let pooled = 0;
  let count = 0;
  for (const condition of [10, 100]) {
    for (const shape of ['log-uniform', 'linear'] as const) {
      const group = await runGroup(cells, condition, shape);
      pooled += group.sumOfSquares;
      count += group.count;
    }
  }
  console.log(`${cells} cells pooled: z variance ${(pooled / count).toFixed(3)}`);
}

async function runGroup(cells: number, condition: number, shape: SpectrumShape) {
  let sumOfSquares = 0;
  let count = 0;
  let worst = 0;
  let worstQuantization = 0;
  let failures = 0;
  const passes: number[] = [];
  let ticks = 0;
  const start = performance.now();
  for (let k = 0; k < Number(seeds); k++) {
    const seed = Number(firstSeed) + k;
    const random = problemRandom(seed * 1000 + cells + condition);
    const matrix = symmetricWith(eigenvalues(shape, condition, cells), random);
    const drive = normalVector(random, cells);
    const solver = createAnalogSolver(solverBoard(`ideal-${cells}`));
    const outcome = cholesky(matrix);
    if (!outcome.ok) throw new Error('bug: the problem is not positive definite');
    const exact = choleskySolve(outcome.factor, drive);
    try {
      const result = await solver.solve({
        system: { kind: 'dense', matrix },
        drive,
        tolerance: Number(tolerance),
        address: { seed, step: 0, block: 0 },
      });
      const error = subtract(result.x, exact);
      worst = Math.max(worst, norm2(error) / norm2(exact));
      worstQuantization = Math.max(worstQuantization, result.quantizationError);
      for (let i = 0; i < cells; i++) sumOfSquares += (error[i] / result.standardError[i]) ** 2;
      count += cells;
      passes.push(result.passes);
      ticks += result.cost.ticks;
    } catch (error) {
      failures++;
      console.log(`seed ${seed}:`, error);
    }
  }
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${cells} cells, condition ${condition}, ${shape}: z variance ${(sumOfSquares / count).toFixed(3)}, ` +
      `worst error/tolerance ${(worst / Number(tolerance)).toFixed(3)}, worst quantization ${worstQuantization.toExponential(1)}, ` +
      `passes ${Math.min(...passes)}–${Math.max(...passes)}, failures ${failures}, ` +
      `${(ticks / passes.length).toFixed(0)} ticks and ${((1000 * seconds) / Number(seeds)).toFixed(0)} ms a solve`,
  );
  return { sumOfSquares, count };
}
