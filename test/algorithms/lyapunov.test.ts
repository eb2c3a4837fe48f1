import { describe, expect, test } from 'vitest';
import { correctedNoise } from '../../src/algorithms/lyapunov/drift.js';
import { solveLyapunov } from '../../src/algorithms/lyapunov/solve-lyapunov.js';
import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import {
  leftDivided,
  product,
  solveContinuousLyapunov,
  solveDiscreteLyapunov,
} from '../../src/linalg/matrix-equations.js';
import { norm2, subtract, transposed } from '../../src/linalg/products.js';
import { imperfectBoard, spread } from '../support/imperfect-boards.js';
import { SolverBoard, solverBoard } from '../support/solver-board.js';
import { normalMatrix, problemRandom } from '../support/solver-problems.js';
import { trueCalibration } from '../support/true-calibration.js';

const address = (seed: number) => ({ seed, step: 0, block: 0 });
const relative = (x: Matrix, exact: Matrix): number =>
  norm2(subtract(x.data, exact.data)) / norm2(exact.data);

/** A = 1.5 I + 0.6 G/√n and S = FFᵀ/n + 0.1 I, G and F of standard normal numbers. */
function equation(n: number, seed: number): { readonly a: Matrix; readonly s: Matrix } {
  const random = problemRandom(seed);
  const a = matrix(
    n,
    n,
    normalMatrix(random, n, n).data.map((value) => (0.6 * value) / Math.sqrt(n)),
  );
  for (let i = 0; i < n; i++) a.data[i * n + i] += 1.5;
  const f = normalMatrix(random, n, n);
  const s = matrix(
    n,
    n,
    product(f, transposed(f)).data.map((value) => value / n),
  );
  for (let i = 0; i < n; i++) s.data[i * n + i] += 0.1;
  return { a, s };
}

/** Solves A X + X Aᵀ = S as N² equations. This shares no code with the method of doubling. */
function byKronecker(a: Matrix, s: Matrix): Matrix {
  const n = a.rows;
  const system = matrix(n * n, n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      for (let k = 0; k < n; k++) {
        system.data[(i * n + j) * n * n + k * n + j] += a.data[i * n + k];
        system.data[(i * n + j) * n * n + i * n + k] += a.data[j * n + k];
      }
  return matrix(n, n, leftDivided(system, matrix(n * n, 1, s.data)).data);
}

describe('AX + XAᵀ = S on an ideal board', () => {
  async function zOf(seeds: number) {
    const { a, s } = equation(4, 1520);
    const exact = byKronecker(a, s);
    const board = solverBoard('ideal-8');
    let squares = 0;
    let sum = 0;
    let count = 0;
    for (let seed = 0; seed < seeds; seed++) {
      const { x, standardError } = await solveLyapunov(board, {
        matrix: a,
        rhs: s,
        readings: 3072,
        address: address(seed),
      });
      for (let i = 0; i < 4; i++)
        for (let j = 0; j <= i; j++) {
          const z = (x.data[i * 4 + j] - exact.data[i * 4 + j]) / standardError.data[i * 4 + j];
          sum += z;
          squares += z * z;
          count++;
        }
    }
    return { mean: sum / count, variance: squares / count };
  }

  // z has Student's distribution with 31 degrees of freedom, whose variance is 31/29 = 1.07. The ten entries
  // of one X are correlated, and count as four independent ones. The variance of 80 values then has a
  // standard deviation of 0.17, and the mean has one of 0.11. With random seeds four standard deviations
  // would be exceeded once in 8,000 times.
  test('the error bars are right', async () => {
    const { mean, variance } = await zOf(20);
    expect(Math.abs(mean)).toBeLessThan(0.46);
    expect(variance).toBeGreaterThan(0.4);
    expect(variance).toBeLessThan(1.75);
  });

  // With 1,000 values the two standard deviations are 0.048 and 0.033, so the bounds are [0.85, 1.3] and
  // 0.14.
  test('the standard errors are right to a tenth, and the finite step causes no error', {
    tags: 'long',
  }, async () => {
    const { mean, variance } = await zOf(250);
    expect(Math.abs(mean)).toBeLessThan(0.14);
    expect(variance).toBeGreaterThan(0.85);
    expect(variance).toBeLessThan(1.3);
  });

  // The relative standard error is 1.2 %. The relative error differs from it by about 10 %. Even with four
  // times this difference the relative error is below 2 %.
  test('32 unknowns are right to 2 %', { tags: 'long' }, async () => {
    const { a, s } = equation(32, 1521);
    const board = solverBoard('ideal-64');
    const found = await solveLyapunov(board, { matrix: a, rhs: s, readings: 180_000, address: address(1) });
    const error = relative(found.x, byKroneckerOrDoubling(a, s));
    expect(error).toBeLessThan(0.02);
    expect(error / found.relativeStandardError).toBeGreaterThan(0.6);
    expect(error / found.relativeStandardError).toBeLessThan(1.5);
  });

  test('couplings are sent twice, once for each stage', async () => {
    const { a, s } = equation(4, 1522);
    const board = solverBoard('ideal-8');
    const { cost } = await solveLyapunov(board, { matrix: a, rhs: s, readings: 1536, address: address(1) });
    expect(board.programs).toHaveLength(2);
    expect(cost.uploadBytes).toBe(2 * (2 * 16 + 4 * 4));
    expect(board.uploadedBytes).toBe(cost.uploadBytes);
  });

  test('an unstable A, and an S that is no covariance, are refused before a byte is sent', async () => {
    const board = solverBoard('ideal-8');
    const identity = matrix(2, 2, Float64Array.of(1, 0, 0, 1));
    const unstable = matrix(2, 2, Float64Array.of(1, 5, 0, -0.1));
    const asked = (a: Matrix, s: Matrix) => solveLyapunov(board, { matrix: a, rhs: s, address: address(1) });
    await expect(asked(unstable, identity)).rejects.toThrow(/real part -0\.1/);
    await expect(asked(identity, matrix(2, 2, Float64Array.of(1, 2, 2, 1)))).rejects.toThrow(
      /S is not positive/,
    );
    await expect(asked(identity, matrix(1, 1, Float64Array.of(1)))).rejects.toThrow(/S is 1×1/);
    await expect(asked(matrix(2, 2, Float64Array.of(1, Number.NaN, 0, 1)), identity)).rejects.toThrow(
      /A holds NaN/,
    );
    expect(board.uploadedBytes).toBe(0);
  });
});

function byKroneckerOrDoubling(a: Matrix, s: Matrix): Matrix {
  const x = solveContinuousLyapunov(a, s, 1.5);
  const image = product(a, x);
  const residual = image.data.map((value, k) => value + transposed(image).data[k] - s.data[k]);
  expect(norm2(residual)).toBeLessThan(1e-12 * norm2(s.data));
  return x;
}

// Noise temperatures differ by 10 %, which causes an error of 5 % in X. With the calibration only the error
// from noise remains. For far fewer than one of 1,000 random seeds it exceeds twice its standard error.
test('a calibration removes the error of X that mismatch causes', () => expectCalibrationHelps(20_000));

test('a calibration also removes the error of X from 60,000 readings', { tags: 'long' }, () =>
  expectCalibrationHelps(60_000),
);

async function expectCalibrationHelps(readings: number): Promise<void> {
  const die = imperfectBoard(
    {
      couplingMismatch: spread(20_000),
      noiseMismatch: spread(100_000),
      timeConstantMismatch: spread(50_000),
    },
    { cells: 8, name: 'test-8' },
  );
  const board = new SolverBoard(die.profile, undefined, die.dieSeed);
  const { a, s } = equation(8, 1523);
  const exact = byKronecker(a, s);
  const request = { matrix: a, rhs: s, readings, address: address(2) };
  const raw = await solveLyapunov(board, request);
  expect(raw.isCovarianceKnown).toBe(false);
  const calibrated = await solveLyapunov(board, { ...request, calibration: trueCalibration(die) });
  expect(relative(calibrated.x, exact)).toBeLessThan(2 * calibrated.relativeStandardError);
  expect(relative(calibrated.x, exact)).toBeLessThan(relative(raw.x, exact));
}

describe('the parts', () => {
  test('doubling agrees with N² equations', () => {
    const { a, s } = equation(5, 1524);
    expect(relative(solveContinuousLyapunov(a, s, 1.2), byKronecker(a, s))).toBeLessThan(1e-12);
  });

  test('a tick with the corrected S has the covariance X', () => {
    const { a, s } = equation(5, 1525);
    const n = 5;
    const x = byKronecker(a, s);
    const t = 0.1;
    const m = matrix(
      n,
      n,
      a.data.map((value, k) => (k % (n + 1) === 0 ? 1 : 0) - t * value),
    );
    // P = M P Mᵀ + ½D + ¼(M D + D Mᵀ).
    const tick = (noise: Matrix): Matrix => {
      const turned = product(m, noise);
      const d = noise.data.map(
        (value, k) => t * (value / 2 + (turned.data[k] + transposed(turned).data[k]) / 4),
      );
      return solveDiscreteLyapunov(m, matrix(n, n, d));
    };
    expect(relative(tick(s), x)).toBeGreaterThan(1e-3);
    expect(relative(tick(correctedNoise({ a, s }, x, t)), x)).toBeLessThan(1e-12);
  });
});
