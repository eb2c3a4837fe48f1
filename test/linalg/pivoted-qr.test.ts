import { expect, test } from 'vitest';
import { matrix } from '../../src/linalg/matrix.js';
import { nullBasis, pivotedQr, shortestCombination, shortestWithImage } from '../../src/linalg/pivoted-qr.js';
import { dot, matVec, matVecTransposed, normInf, subtract } from '../../src/linalg/products.js';
import { normalMatrix, normalVector, problemRandom } from '../support/solver-problems.js';

const random = problemRandom(720);

/** A random n×k matrix of rank r. */
function ofRank(n: number, k: number, r: number) {
  const left = normalMatrix(random, n, r);
  const right = normalMatrix(random, k, r);
  const e = matrix(n, k);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < k; j++)
      e.data[i * k + j] = dot(
        left.data.subarray(i * r, (i + 1) * r),
        right.data.subarray(j * r, (j + 1) * r),
      );
  return e;
}

test.each([
  [5, 3, 3],
  [5, 3, 2],
  [4, 7, 4],
  [6, 6, 3],
  [3, 0, 0],
])('of %d×%d with rank %d: rank, null space, shortest solutions', (n, k, r) => {
  const e = ofRank(n, k, r);
  const qr = pivotedQr(e);
  expect(qr.rank).toBe(r);
  const z = nullBasis(qr);
  expect(z.columns).toBe(n - r);
  for (let j = 0; j < z.columns; j++) {
    const unit = new Float64Array(z.columns);
    unit[j] = 1;
    const column = matVec(z, unit);
    expect(normInf(matVecTransposed(e, column))).toBeLessThan(1e-12);
    expect(
      matVecTransposed(z, column)
        .map((value, i) => value - unit[i])
        .every((value) => Math.abs(value) < 1e-12),
    ).toBe(true);
  }
  // The shortest solution of Eᵀx = b is orthogonal to the null space of Eᵀ. The combination y makes E·y the
  // projection of g: the columns of E are orthogonal to E·y − g.
  const b = matVecTransposed(e, normalVector(random, n));
  const x = shortestWithImage(qr, b);
  expect(normInf(subtract(matVecTransposed(e, x), b))).toBeLessThan(1e-11);
  expect(normInf(matVecTransposed(z, x))).toBeLessThan(1e-12);
  const g = normalVector(random, n);
  const y = shortestCombination(qr, g);
  expect(normInf(matVecTransposed(e, subtract(matVec(e, y), g)))).toBeLessThan(1e-11);
});
