import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import { problemRandom } from './solver-problems.js';

/**
 * Stiffness matrix of a rail on an elastic bed, in N, mm and rad: 24 free nodes, each with a deflection and a
 * rotation. Euler-Bernoulli elements and a consistent (Winkler) bed. Source of both element matrices:
 * Cook et al., "Concepts and Applications of Finite Element Analysis", 4th ed., chapters 2 and 8.
 */
export function railStiffness(): Matrix {
  const nodes = 24;
  const length = 600;
  const bending = 2.1e5 * 3.05e7;
  const bed = 50;
  const size = 2 * nodes;
  const stiffness = matrix(size, size);
  const l = length;
  const beam = [
    [12, 6 * l, -12, 6 * l],
    [6 * l, 4 * l * l, -6 * l, 2 * l * l],
    [-12, -6 * l, 12, -6 * l],
    [6 * l, 2 * l * l, -6 * l, 4 * l * l],
  ];
  const foundation = [
    [156, 22 * l, 54, -13 * l],
    [22 * l, 4 * l * l, 13 * l, -3 * l * l],
    [54, 13 * l, 156, -22 * l],
    [-13 * l, -3 * l * l, -22 * l, 4 * l * l],
  ];
  for (let element = 0; element < nodes - 1; element++)
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 4; j++)
        stiffness.data[(2 * element + i) * size + 2 * element + j] +=
          (bending / l ** 3) * beam[i][j] + ((bed * l) / 420) * foundation[i][j];
  return stiffness;
}

/** Covariance of ten correlated features of 400 examples. Their units differ by up to ten powers of ten. */
export function featureCovariance(): Matrix {
  const units = [1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1e3, 1e5, 1e6];
  const size = units.length;
  const examples = 400;
  const random = problemRandom(1210);
  const covariance = matrix(size, size);
  for (let k = 0; k < examples; k++) {
    const common = random.normal();
    const example = units.map((unit) => unit * (random.normal() + 0.7 * common));
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) covariance.data[i * size + j] += (example[i] * example[j]) / examples;
  }
  return covariance;
}
