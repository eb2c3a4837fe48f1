import { describe, expect, test } from 'vitest';
import { applySystem, traceOf } from '../../src/linalg/linear-system.js';
import { matrix } from '../../src/linalg/matrix.js';
import {
  formDense,
  gramOfRows,
  matVec,
  matVecTransposed,
  norm2,
  normInf,
} from '../../src/linalg/products.js';
import { normalMatrix, normalVector, problemRandom } from '../support/solver-problems.js';

describe('products', () => {
  const a = matrix(2, 3, Float64Array.of(1, 2, 3, 4, 5, 6));

  test('multiply a matrix and its transpose', () => {
    expect(Array.from(matVec(a, Float64Array.of(1, -1, 2)))).toEqual([5, 11]);
    expect(Array.from(matVecTransposed(a, Float64Array.of(1, -1)))).toEqual([-3, -3, -3]);
  });

  test('form the Gram matrix of rows, and the dense matrix that belongs to a factor', () => {
    expect(Array.from(gramOfRows(a).data)).toEqual([14, 32, 32, 77]);
    expect(Array.from(formDense(a, 0.5).data)).toEqual([17.5, 22, 27, 22, 29.5, 36, 27, 36, 45.5]);
  });

  test('apply a factored system as its dense form does', () => {
    const random = problemRandom(1);
    const factor = normalMatrix(random, 5, 13);
    const x = normalVector(random, 13);
    const factored = { kind: 'factored', factor, damping: 0.7 } as const;
    const dense = { kind: 'dense', matrix: formDense(factor, 0.7) } as const;
    const expected = applySystem(dense, x);
    applySystem(factored, x).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 12);
    });
    expect(traceOf(factored)).toBeCloseTo(traceOf(dense), 12);
  });

  test('take norms without overflow or underflow', () => {
    expect(norm2(Float64Array.of(3e200, -4e200))).toBeCloseTo(5e200, -187);
    expect(norm2(Float64Array.of(3e-200, 4e-200)) / 5e-200).toBeCloseTo(1, 14);
    expect(norm2(new Float64Array(3))).toBe(0);
    expect(norm2(Float64Array.of(1, Number.NaN))).toBeNaN();
    expect(normInf(Float64Array.of(1, -7, 2))).toBe(7);
    expect(normInf(Float64Array.of(Number.NaN, 1))).toBeNaN();
  });
});
