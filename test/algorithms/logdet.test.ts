import { describe, expect, test } from 'vitest';
import { bennettDifference } from '../../src/algorithms/logdet/bennett.js';
import { quadratureOf } from '../../src/algorithms/logdet/damping-sweep.js';
import { headOf } from '../../src/algorithms/logdet/head.js';
import { logDeterminant } from '../../src/algorithms/logdet/log-determinant.js';
import { cholesky, logDeterminantOf } from '../../src/linalg/cholesky.js';
import type { LinearSystem } from '../../src/linalg/linear-system.js';
import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import { formDense } from '../../src/linalg/products.js';
import { symmetricEigen } from '../../src/linalg/symmetric-eigen.js';
import { imperfectBoard, spread } from '../support/imperfect-boards.js';
import { SolverBoard, solverBoard } from '../support/solver-board.js';
import { eigenvalues, normalMatrix, problemRandom, symmetricWith } from '../support/solver-problems.js';
import { trueCalibration } from '../support/true-calibration.js';
import { featureCovariance } from '../support/unlike-units.js';

const address = (seed: number) => ({ seed, step: 0, block: 0 });
const dense = (a: Matrix): LinearSystem => ({ kind: 'dense', matrix: a });

function exactly(a: Matrix): number {
  const outcome = cholesky(a);
  if (!outcome.ok) throw new Error('not positive definite');
  return logDeterminantOf(outcome.factor);
}

function statistics(values: readonly number[]) {
  const mean = values.reduce((total, value) => total + value, 0) / values.length;
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return { mean, variance: squares / (values.length - 1) };
}

describe('ln det on an ideal board', () => {
  async function zOf(seeds: number) {
    const a = symmetricWith(eigenvalues('linear', 6, 4), problemRandom(1501));
    const exact = exactly(a);
    const board = solverBoard('ideal-8');
    const z = { traces: [] as number[], bennett: [] as number[] };
    for (let seed = 0; seed < seeds; seed++) {
      const found = await logDeterminant(board, { system: dense(a), readings: 1000, address: address(seed) });
      z.traces.push((found.logDeterminant - exact) / found.standardError);
      z.bennett.push((found.bennett.value - exact) / found.bennett.standardError);
    }
    return [statistics(z.traces), statistics(z.bennett)];
  }

  // The mean of 24 values has a standard deviation of 0.2, and their variance has one of 0.29. With random
  // seeds four standard deviations would be exceeded once in 8,000 times.
  test('the answers by traces and by Bennett’s ratio are right within their error bars', async () => {
    for (const { mean, variance } of await zOf(24)) {
      expect(Math.abs(mean)).toBeLessThan(0.8);
      expect(variance).toBeLessThan(2.2);
      expect(variance).toBeGreaterThan(0.2);
    }
  });

  // There are 400 seeds. The variance of z has a standard deviation of √(2/400) = 0.07. If the standard
  // errors are correct, the variance is outside 0.8 to 1.25 for 0.3 % of random seeds. The mean has a
  // standard deviation of 0.05, and is outside ±0.2 for 0.006 % of random seeds.
  test('the error bars are right', { tags: 'long' }, async () => {
    for (const { mean, variance } of await zOf(400)) {
      expect(Math.abs(mean)).toBeLessThan(0.2);
      expect(variance).toBeGreaterThan(0.8);
      expect(variance).toBeLessThan(1.25);
    }
  });

  // The limit is four standard errors, which a correct board exceeds for one of 16,000 random seeds.
  test.each([
    [
      'a factor',
      { kind: 'factored', factor: normalMatrix(problemRandom(1502), 12, 6), damping: 0.5 },
      'ideal-crossbar',
    ],
    ['unlike units', dense(featureCovariance()), 'ideal-64'],
    ['a matrix of one entry', dense(matrix(1, 1, Float64Array.of(3e-4))), 'ideal-8'],
  ] as const)('%s', async (_, system, profile) => {
    const exact = exactly(system.kind === 'dense' ? system.matrix : formDense(system.factor, system.damping));
    const found = await logDeterminant(solverBoard(profile), { system, readings: 3000, address: address(3) });
    expect(Math.abs(found.logDeterminant - exact)).toBeLessThan(4 * found.standardError + found.remainder);
    expect(Math.abs(found.bennett.value - exact)).toBeLessThan(
      4 * found.bennett.standardError + found.remainder,
    );
    expect(found.standardError).toBeLessThan(0.5);
  });

  test('the couplings are sent once, and each setting of the damping costs 4N bytes', async () => {
    const n = 6;
    const board = solverBoard('ideal-8');
    const a = symmetricWith(eigenvalues('linear', 10, n), problemRandom(1503));
    const { nodes, cost, readings } = await logDeterminant(board, { system: dense(a), address: address(1) });
    expect(board.programs.filter(({ isRewrite }) => !isRewrite)).toHaveLength(1);
    expect(board.programs).toHaveLength(nodes.length);
    expect(cost.uploadBytes).toBe(2 * n * n + nodes.length * 4 * n);
    expect(board.uploadedBytes).toBe(cost.uploadBytes);
    expect(readings).toBe(board.runs.reduce((total, run) => total + run.sampleCount, 0));
    const dampings = new Set(board.programs.map(({ image }) => image.damping));
    expect(dampings.size).toBe(nodes.length);
  });

  test('reports its progress up to the end', async () => {
    const seen: (readonly [number, number])[] = [];
    const onProgress = (done: number, total: number): void => void seen.push([done, total]);
    const system = dense(matrix(2, 2, Float64Array.of(4, 1, 1, 3)));
    const { readings } = await logDeterminant(solverBoard('ideal-8'), {
      system,
      address: address(1),
      onProgress,
    });
    expect(seen.map(([done]) => done)).toEqual(seen.map(([done]) => done).sort((a, b) => a - b));
    expect(seen[seen.length - 1]).toEqual([readings, readings]);
  });

  test('refuses a condition beyond the damping register, and a too large address.block, before a byte is sent', async () => {
    const board = solverBoard('ideal-64');
    const stiff = dense(symmetricWith(eigenvalues('log-uniform', 1e7, 8), problemRandom(1504)));
    await expect(logDeterminant(board, { system: stiff, address: address(1) })).rejects.toThrow(
      /condition|definite/,
    );
    const system = dense(matrix(2, 2, Float64Array.of(4, 1, 1, 3)));
    const late = logDeterminant(board, { system, address: { seed: 1, step: 0, block: 65_530 } });
    await expect(late).rejects.toThrow(/address\.block is 65530/);
    expect(board.uploadedBytes).toBe(0);
  });
});

// Mismatch of the noise changes ln det by the sum of the logarithms of the cells' noise temperatures. Here
// this is a few times 0.1, which is many standard errors. With the calibration the error is below four
// standard errors (except for one of 16,000 random seeds).
test('a calibration removes the error of ln det that mismatch causes', { tags: 'long' }, () =>
  expectCalibrationHelps(15_000),
);

test('a calibration also removes the error of ln det from 40,000 readings', { tags: 'long' }, () =>
  expectCalibrationHelps(40_000),
);

async function expectCalibrationHelps(readings: number): Promise<void> {
  const die = imperfectBoard(
    { couplingMismatch: spread(20_000), noiseMismatch: spread(100_000) },
    { cells: 8, name: 'test-8' },
  );
  const board = new SolverBoard(die.profile, undefined, die.dieSeed);
  const a = symmetricWith(eigenvalues('linear', 5, 8), problemRandom(1505));
  const exact = exactly(a);
  const request = { system: dense(a), readings, address: address(2) };
  const raw = await logDeterminant(board, request);
  expect(raw.isCovarianceKnown).toBe(false);
  const calibrated = await logDeterminant(board, { ...request, calibration: trueCalibration(die) });
  expect(calibrated.isCovarianceKnown).toBe(true);
  const error = Math.abs(calibrated.logDeterminant - exact);
  expect(error).toBeLessThan(4 * calibrated.standardError + 0.02);
  expect(error).toBeLessThan(Math.abs(raw.logDeterminant - exact));
}

describe('the parts', () => {
  const a = symmetricWith(eigenvalues('log-uniform', 50, 12), problemRandom(1506));
  const { values } = symmetricEigen(a);
  const traceAt = (s: number) => values.reduce((total, value) => total + 1 / (value + s), 0);
  const largest = values[values.length - 1];

  test('three traces give ln det(A + cI) with an error below the reported remainder', () => {
    for (const factor of [3, 8, 20]) {
      const c = factor * largest;
      const head = headOf(dense(a), c, largest, new Float64Array(12).fill(1));
      const exact = values.reduce((total, value) => total + Math.log(value + c), 0);
      expect(Math.abs(head.logDeterminant - exact)).toBeLessThan(head.remainder);
      const slope = values.reduce((total, value) => total + (c * value) / (value + c) ** 2, 0);
      expect(Math.abs(head.slope / slope - 1)).toBeLessThan(3 / factor ** 2);
    }
  });

  test('exact traces at 18 values of the damping give ln det with an error below 2e-3', () => {
    const c = 8 * largest;
    const first = values[0] / 8;
    const steps = 16;
    const dampings = [0, ...Array.from({ length: steps + 1 }, (_, k) => first * (c / first) ** (k / steps))];
    const head = headOf(dense(a), c, largest, new Float64Array(12).fill(1));
    const { weights, endCorrection } = quadratureOf(dampings, head.slope);
    const integral = dampings.reduce((total, s, k) => total + weights[k] * traceAt(s), endCorrection);
    const exact = values.reduce((total, value) => total + Math.log(value), 0);
    expect(Math.abs(head.logDeterminant - integral - exact)).toBeLessThan(2e-3);
  });

  // Two springs of stiffness 1 and 3 have ΔF = ½ ln 3. The bound is four standard errors, which are computed
  // from the influences.
  test('Bennett’s ratio finds the free energy of a stiffer spring from 20,000 forward and 5,000 reverse values', () => {
    const random = problemRandom(1507);
    const forward = Float64Array.from({ length: 20_000 }, () => random.normal() ** 2);
    const reverse = Float64Array.from({ length: 5000 }, () => -(random.normal() ** 2) / 3);
    const { difference, forwardInfluence, reverseInfluence } = bennettDifference(forward, reverse);
    const variance = [...forwardInfluence, ...reverseInfluence].reduce((total, one) => total + one * one, 0);
    expect(Math.abs(difference - Math.log(3) / 2)).toBeLessThan(4 * Math.sqrt(variance));
    expect(Math.sqrt(variance)).toBeLessThan(0.02);
  });
});
