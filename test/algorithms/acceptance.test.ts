import { describe, expect, test } from 'vitest';
import { certify } from '../../src/algorithms/acceptance.js';
import { checkSystem, type EvenedSystem } from '../../src/board/checked-system.js';
import { unweighted } from '../../src/board/diagonal-scaling.js';
import { applySystem, dimensionOf, type LinearSystem } from '../../src/linalg/linear-system.js';
import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import { norm2 } from '../../src/linalg/products.js';
import { symmetricEigen } from '../../src/linalg/symmetric-eigen.js';
import { denseOf } from '../support/dense-of.js';
import {
  eigenvalues,
  normalMatrix,
  normalVector,
  problemRandom,
  symmetricWith,
} from '../support/solver-problems.js';

const CELLS = 6;

/** The matrix for unknowns in units from 1 to 2⁻¹². The factors between the units are whole numbers. */
function inUnlikeUnits({ rows, columns, data }: Matrix): Matrix {
  const units = Float64Array.from({ length: rows }, (_, i) => 2 ** ((12 * i) / (rows - 1)));
  const out = matrix(rows, columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      out.data[i * columns + j] = data[i * columns + j] * Math.round(units[i]) * Math.round(units[j]);
  return out;
}

const plain = symmetricWith(eigenvalues('log-uniform', 50, CELLS), problemRandom(81));
const systems: readonly { name: string; system: LinearSystem }[] = [
  { name: 'dense', system: { kind: 'dense', matrix: plain } },
  { name: 'in unlike units', system: { kind: 'dense', matrix: inUnlikeUnits(plain) } },
  {
    name: 'factored, of low rank',
    system: { kind: 'factored', factor: normalMatrix(problemRandom(82), 3, CELLS), damping: 0.2 },
  },
  {
    name: 'factored, in unlike units',
    system: {
      kind: 'factored',
      factor: matrix(3, 2, Float64Array.of(1e4, 1, 0, 1, 2e3, 0)),
      damping: 0,
    },
  },
];

/** A checked answer. `error` is ŷ − y, in the unknowns of the system with the even diagonal. */
function certified(evened: EvenedSystem, exact: Float64Array, error: Float64Array) {
  const { weights } = evened;
  const y = unweighted(exact, weights);
  const b = applySystem(evened.checked.system, y);
  const { relativeErrorBound } = certify(
    evened,
    b,
    Float64Array.from(y, (value, i) => value + error[i]),
  );
  const wrong = Float64Array.from(error, (value, i) => value * weights[i]);
  return { bound: relativeErrorBound, truth: norm2(wrong) / norm2(exact) };
}

describe.each(systems)('the certificate of a residual, $name', ({ system }) => {
  const size = dimensionOf(system);
  const { evened } = checkSystem(system);
  const random = problemRandom(83);

  /** Every unit vector and ten random vectors, as solutions and as errors. */
  const vectors = [
    ...Array.from({ length: size }, (_, i) => Float64Array.from({ length: size }, (_, j) => +(i === j))),
    ...Array.from({ length: 10 }, () => normalVector(random, size)),
  ];

  test('is never below the true error', () => {
    for (const exact of vectors)
      for (const direction of vectors)
        for (const scale of [1e-9, 1e-4, 1e-2, 0.3]) {
          const length = (scale * norm2(exact)) / norm2(direction);
          const { bound, truth } = certified(
            evened,
            exact,
            direction.map((value) => value * length),
          );
          expect(bound).toBeGreaterThanOrEqual(truth * (1 - 1e-6));
        }
  });

  test('is nearly reached by an error in the slowest mode, so a smaller bound would be wrong', () => {
    const { values, vectors: modes } = symmetricEigen(denseOf(evened.checked.system));
    const slowest = values.indexOf(Math.min(...values));
    const mode = Float64Array.from(values, (_, i) => modes.data[i * size + slowest]);
    for (const exact of vectors) {
      const error = mode.map((value) => 1e-3 * norm2(exact) * value);
      const { bound } = certified(evened, exact, error);
      // ‖ŷ − y‖₂/‖x‖₂ is 1e-3 here, and λ₋ is within a few percent of λ_min.
      expect(bound).toBeGreaterThanOrEqual(1e-3);
      expect(bound).toBeLessThan(1.1e-3);
    }
  });
});
