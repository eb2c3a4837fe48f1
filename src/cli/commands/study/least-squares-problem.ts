import type { NoFigures, Problem } from '../../../learning/problem/contract.js';
import { type Matrix, matrix } from '../../../linalg/matrix.js';
import { matVec, matVecTransposed, norm2 } from '../../../linalg/products.js';
import { RANDOM_STREAM, randomSource } from '../../../linalg/random.js';
import { eigenvalues, normalVector, symmetricWith } from '../../../linalg/random-system.js';

type LeastSquaresTest = { readonly relativeResidual: number };

/**
 * The loss ½‖A(θ − θ*)‖². A is symmetric of size n. It has eigenvalues from condition^(−½) to 1 and a random
 * basis of eigenvectors, so diagonal scaling does not help. The curvature AᵀA then has the requested
 * condition. The test figure is ‖A(θ − θ*)‖/‖Aθ*‖.
 */
export function leastSquares(
  n: number,
  condition: number,
  seed: number,
): Problem<NoFigures, LeastSquaresTest> {
  const random = randomSource({ seed, stream: RANDOM_STREAM.benchProblem, step: 1 });
  const root = Math.sqrt(condition);
  const values = eigenvalues('log-uniform', root, n).map((value) => value / root);
  const a: Matrix = symmetricWith(values, random);
  const solution = normalVector(random, n);
  const image = matVec(a, solution);
  const residual = (parameters: Float64Array): Float64Array =>
    matVec(a, parameters).map((value, i) => value - image[i]);
  return {
    name: 'least-squares',
    settings: { name: 'least-squares', n, condition, seed },
    parameterCount: n,
    curvatureRows: n,
    init: () => new Float64Array(n),
    evaluate: ({ parameters }) => {
      const r = residual(parameters);
      return {
        first: { loss: norm2(r) ** 2 / 2, gradient: matVecTransposed(a, r) },
        factor: () => matrix(n, n, Float64Array.from(a.data)),
      };
    },
    test: (parameters) => ({ relativeResidual: norm2(residual(parameters)) / norm2(image) }),
  };
}
