import { expect, test } from 'vitest';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import { matrix } from '../../src/linalg/matrix.js';
import { formDense, norm2, subtract } from '../../src/linalg/products.js';
import { solveByWoodbury } from '../../src/linalg/woodbury.js';
import { normalMatrix, normalVector, problemRandom } from '../support/solver-problems.js';

test('equals the dense solution of (KᵀK + λI)x = b', () => {
  const random = problemRandom(91);
  const factor = normalMatrix(random, 5, 30);
  const b = normalVector(random, 30);
  for (const damping of [1e-3, 1, 100]) {
    const outcome = cholesky(formDense(factor, damping));
    if (!outcome.ok) throw new Error('definite');
    const exact = choleskySolve(outcome.factor, b);
    expect(norm2(subtract(solveByWoodbury(factor, damping, b)!, exact))).toBeLessThan(1e-10 * norm2(exact));
  }
});

test('has no answer for a factor that is not finite, or if λ is lost in rounding', () => {
  const b = Float64Array.of(1, 1);
  expect(solveByWoodbury(matrix(1, 2, Float64Array.of(Infinity, 1)), 1, b)).toBeUndefined();
  const twice = matrix(2, 2, Float64Array.of(2, 0, 2, 0));
  expect(solveByWoodbury(twice, 1e-20, b)).toBeUndefined();
});
