import { describe, expect, test } from 'vitest';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import { lanczosExtremes } from '../../src/linalg/lanczos.js';
import { matrix } from '../../src/linalg/matrix.js';
import { matVec, norm2, subtract } from '../../src/linalg/products.js';
import { symmetricEigen } from '../../src/linalg/symmetric-eigen.js';
import { tridiagonalEigen } from '../../src/linalg/tridiagonal-eigen.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';

const random = problemRandom(11);

describe('Cholesky', () => {
  test('solves to the accuracy that the condition allows', () => {
    const a = symmetricWith(eigenvalues('log-uniform', 1e4, 40), random);
    const x = normalVector(random, 40);
    const outcome = cholesky(a);
    if (!outcome.ok) throw new Error('definite');
    const found = choleskySolve(outcome.factor, matVec(a, x));
    // ‖error‖ ≤ about n·κ·u·‖x‖ = 40 · 1e4 · 1.1e-16.
    expect(norm2(subtract(found, x))).toBeLessThan(5e-11 * norm2(x));
  });

  test.each([
    ['a zero', [0], 0],
    ['a negative eigenvalue', [1, 2, 2, 1], 1],
    ['a singular matrix', [1, 1, 1, 1], 1],
    ['an infinite entry', [Infinity], 0],
    ['a NaN', [1, Number.NaN, Number.NaN, 1], 1],
  ])('names the pivot at %s', (_, entries, pivot) => {
    const n = Math.sqrt(entries.length);
    expect(cholesky(matrix(n, n, Float64Array.from(entries)))).toEqual({ ok: false, pivot });
  });
});

describe('tridiagonal eigenvalues', () => {
  test('are those of the second-difference matrix, with the ends of its eigenvectors', () => {
    const n = 30;
    const { values, first, last } = tridiagonalEigen(
      new Float64Array(n).fill(2),
      new Float64Array(n - 1).fill(-1),
    );
    const order = Array.from(values.keys()).sort((i, j) => values[i] - values[j]);
    order.forEach((k, rank) => {
      const angle = ((rank + 1) * Math.PI) / (n + 1);
      expect(values[k]).toBeCloseTo(2 - 2 * Math.cos(angle), 13);
      const end = Math.sqrt(2 / (n + 1)) * Math.sin(angle);
      expect(Math.abs(first[k])).toBeCloseTo(end, 12);
      expect(Math.abs(last[k])).toBeCloseTo(end, 12);
    });
  });
});

describe('Lanczos', () => {
  test.each([1, 3, 50, 200])(
    'brackets the extreme eigenvalues of a symmetric matrix of size %i within its residuals',
    (n) => {
      const a = symmetricWith(eigenvalues('log-uniform', 100, n), random);
      const found = lanczosExtremes((x) => matVec(a, x), normalVector(random, n));
      const largest = n === 1 ? 1 : 100;
      expect(found.min).toBeGreaterThanOrEqual(1 - 1e-12);
      expect(found.min - found.minResidual).toBeLessThanOrEqual(1 + 1e-12);
      expect(found.max).toBeLessThanOrEqual(largest * (1 + 1e-12));
      expect(found.max + found.maxResidual).toBeGreaterThanOrEqual(largest * (1 - 1e-12));
      expect(found.minResidual).toBeLessThanOrEqual(0.02 * found.min);
    },
  );

  test('is exact when the Krylov space is exhausted: a matrix with two eigenvalues', () => {
    const a = symmetricWith([1, 1, 1, 1, 5, 5, 5], random);
    const found = lanczosExtremes((x) => matVec(a, x), normalVector(random, 7));
    expect(found.steps).toBe(2);
    expect(found.min).toBeCloseTo(1, 12);
    expect(found.max).toBeCloseTo(5, 12);
  });

  test('finds a negative eigenvalue', () => {
    const a = symmetricWith([-0.01, ...eigenvalues('linear', 50, 99)], random);
    const found = lanczosExtremes((x) => matVec(a, x), normalVector(random, 100));
    expect(found.min + found.minResidual).toBeLessThan(0);
    expect(found.inverseMoment).toBe(Infinity);
  });

  test('gives moments whose mean estimates the trace of the inverse', () => {
    const n = 60;
    const values = eigenvalues('linear', 20, n);
    const a = symmetricWith(values, random);
    let estimate = 0;
    for (let probe = 0; probe < 40; probe++) {
      const start = normalVector(random, n);
      estimate += (n * lanczosExtremes((x) => matVec(a, x), start).inverseMoment) / 40;
    }
    const exact = values.reduce((sum, value) => sum + 1 / value, 0);
    // The variance of one probe is at most 2 tr A⁻². The limit is six standard errors of the mean of 40
    // probes, which gives false alarms with a probability below 1e-8.
    const spread = Math.sqrt((2 * values.reduce((sum, value) => sum + value ** -2, 0)) / 40);
    expect(Math.abs(estimate - exact)).toBeLessThan(6 * spread);
  });
});

describe('symmetric eigendecomposition', () => {
  test('rebuilds the matrix, eigenvalues ascending', () => {
    const n = 20;
    const wanted = eigenvalues('log-uniform', 1000, n);
    const a = symmetricWith(wanted, random);
    const { values, vectors } = symmetricEigen(a);
    wanted.forEach((value, k) => {
      expect(values[k]).toBeCloseTo(value, 9);
      const vector = Float64Array.from({ length: n }, (_, i) => vectors.data[i * n + k]);
      expect(norm2(vector)).toBeCloseTo(1, 12);
      const difference = subtract(
        matVec(a, vector),
        vector.map((x) => x * value),
      );
      expect(norm2(difference)).toBeLessThan(1e-9);
    });
  });
});
