import { expect, test } from 'vitest';
import { ConjugateDirections } from '../../src/algorithms/solve/conjugate-directions.js';
import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import { dot, matVec, norm2, subtract, sum } from '../../src/linalg/products.js';
import { eigenvalues, normalVector, problemRandom, symmetricWith } from '../support/solver-problems.js';

const n = 12;
const random = problemRandom(4711);
const a = symmetricWith(eigenvalues('log-uniform', 1e4, n), random);
const b = normalVector(random, n);
const outcome = cholesky(a);
if (!outcome.ok) throw new Error('bug: the problem is not positive definite');
const exact = choleskySolve(outcome.factor, b);

/** ‖x − A⁻¹b‖_A². */
function energyOf(x: Float64Array): number {
  const error = subtract(exact, x);
  return dot(error, matVec(a, error));
}

function counted() {
  const count = { products: 0 };
  const directions = new ConjugateDirections((x) => {
    count.products++;
    return matVec(a, x);
  });
  return { count, directions };
}

test('for any readings the A-norm of the error falls as each step says, and is 0 after N steps', () => {
  const { count, directions } = counted();
  let x = new Float64Array(n);
  let residual = Float64Array.from(b);
  for (let k = 0; k < n; k++) {
    const before = energyOf(x);
    const { step, image, energy } = directions.step(normalVector(random, n), residual)!;
    x = sum(x, step);
    residual = subtract(residual, image);
    expect(energy).toBeGreaterThanOrEqual(0);
    expect(Math.abs(before - energyOf(x) - energy)).toBeLessThan(1e-9 * energyOf(new Float64Array(n)));
  }
  expect(count.products).toBe(n);
  expect(norm2(subtract(x, exact))).toBeLessThan(1e-8 * norm2(exact));
});

test('a reading of A⁻¹r is the step itself, and a reading of 0 gives no direction', () => {
  const { directions } = counted();
  const { step } = directions.step(exact, b)!;
  expect(norm2(subtract(step, exact))).toBeLessThan(1e-9 * norm2(exact));
  expect(directions.step(new Float64Array(n), b)).toBeUndefined();
});

test('known directions reduce another residual without a product', () => {
  const { count, directions } = counted();
  for (let k = 0; k < n; k++) directions.step(normalVector(random, n), b);
  const { step } = directions.again(b);
  expect(count.products).toBe(n);
  expect(norm2(subtract(step, exact))).toBeLessThan(1e-8 * norm2(exact));
});

test('after a reading that is a combination of earlier directions the method begins anew', () => {
  const { directions } = counted();
  const along = normalVector(random, n);
  directions.step(along, b);
  const other = normalVector(random, n);
  const { step } = directions.step(along, other)!;
  const length = dot(along, other) / dot(along, matVec(a, along));
  expect(
    norm2(
      subtract(
        step,
        along.map((value) => length * value),
      ),
    ),
  ).toBeLessThan(1e-9 * norm2(step));
});
