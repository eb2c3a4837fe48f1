import { describe, expect, it } from 'vitest';
import { dominantSubspace, projectOut, withoutSubspace } from '../../src/linalg/dominant-subspace.js';
import { matrix } from '../../src/linalg/matrix.js';
import { formDense, gramOfRows, matVec, norm2 } from '../../src/linalg/products.js';
import { randomSource } from '../../src/linalg/random.js';
import { symmetricEigen } from '../../src/linalg/symmetric-eigen.js';

const random = randomSource({ seed: 5, stream: 900 });
const normals = (rows: number, columns: number) =>
  matrix(
    rows,
    columns,
    Float64Array.from({ length: rows * columns }, () => random.normal()),
  );
/** A factor whose columns fall by a factor of 2 from one column to the next. */
const factor = normals(24, 15);
for (let i = 0; i < factor.data.length; i++) factor.data[i] *= 2 ** -(i % 15);
const found = dominantSubspace(factor, normals(4, 15), 12);
const exact = symmetricEigen(formDense(factor, 0)).values;

describe('the dominant subspace of a factor', () => {
  it('is orthonormal and holds the largest eigenvalues', () => {
    const gram = gramOfRows(found.basis);
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 4; j++) expect(gram.data[4 * i + j]).toBeCloseTo(i === j ? 1 : 0, 14);
    const ritz = symmetricEigen(found.gram).values;
    ritz.forEach((value, i) => {
      expect(value / exact[11 + i]).toBeCloseTo(1, 6);
    });
    expect(found.largest / ritz[3]).toBeCloseTo(1, 12);
  });

  it('has a complement with the other eigenvalues', () => {
    const rest = withoutSubspace(factor, found);
    expect(symmetricEigen(formDense(rest, 0)).values[14] / exact[10]).toBeCloseTo(1, 5);
    const x = normals(1, 15).data;
    const outside = projectOut(x, found);
    expect(norm2(matVec(found.basis, outside))).toBeLessThan(1e-13 * norm2(x));
    const difference = matVec(rest, x).map((value, i) => value - matVec(factor, outside)[i]);
    expect(norm2(difference)).toBeLessThan(1e-12 * norm2(x));
  });

  it('is also found from two equal starting vectors', () => {
    const start = normals(3, 15);
    start.data.copyWithin(15, 0, 15);
    const { basis, largest } = dominantSubspace(factor, start, 3);
    expect(basis.data.every(Number.isFinite)).toBe(true);
    expect(largest / exact[14]).toBeCloseTo(1, 2);
  });
});
