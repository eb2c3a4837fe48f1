import { type Matrix, matrix } from './matrix.js';
import { dot } from './products.js';
import type { RandomSource } from './random.js';

/** Independent standard normal numbers. */
export function normalVector(random: RandomSource, length: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length }, () => random.normal());
}

/** Spacing of the eigenvalues between the smallest and the largest: uniform in the logarithm, or uniform. */
export type SpectrumShape = 'log-uniform' | 'linear';

/** Eigenvalues from 1 to `condition`. */
export function eigenvalues(shape: SpectrumShape, condition: number, n: number): number[] {
  return Array.from({ length: n }, (_, i) => {
    const share = n === 1 ? 0 : i / (n - 1);
    return shape === 'linear' ? 1 + (condition - 1) * share : condition ** share;
  });
}

/** An exactly symmetric matrix with the given eigenvalues and a random orthogonal eigenbasis. */
export function symmetricWith(values: readonly number[], random: RandomSource): Matrix {
  const n = values.length;
  const basis: Float64Array[] = [];
  while (basis.length < n) {
    const vector = normalVector(random, n);
    for (let sweep = 0; sweep < 2; sweep++) {
      for (const other of basis) {
        const overlap = dot(vector, other);
        for (let i = 0; i < n; i++) vector[i] -= overlap * other[i];
      }
    }
    const length = Math.sqrt(dot(vector, vector));
    basis.push(vector.map((x) => x / length));
  }
  const a = matrix(n, n);
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < n; i++) {
      const left = values[k] * basis[k][i];
      for (let j = 0; j <= i; j++) a.data[i * n + j] += left * basis[k][j];
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) a.data[j * n + i] = a.data[i * n + j];
  return a;
}
