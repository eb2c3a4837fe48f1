import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import { type RandomSource, randomSource } from '../../src/linalg/random.js';
import { normalVector } from '../../src/linalg/random-system.js';

export {
  eigenvalues,
  normalVector,
  type SpectrumShape,
  symmetricWith,
} from '../../src/linalg/random-system.js';

/** Random numbers for problems, from a stream that the product never uses. */
export function problemRandom(seed: number): RandomSource {
  return randomSource({ seed, stream: 9999 });
}

export function normalMatrix(random: RandomSource, rows: number, columns: number): Matrix {
  return matrix(rows, columns, normalVector(random, rows * columns));
}
