import { checkAddress, checkWhole } from '../../argument-checks.js';
import type { RunAddress } from '../../board/run-seed.js';
import { ThermolinkError } from '../../errors.js';
import { cholesky, choleskySolve } from '../../linalg/cholesky.js';
import type { LinearSystem } from '../../linalg/linear-system.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { formDense } from '../../linalg/products.js';
import { RANDOM_STREAM, randomSource } from '../../linalg/random.js';
import { checkDrawCount } from '../sample.js';
import type { GaussianPosterior } from './gaussian.js';

/** A Gaussian posterior, computed in float64. */
export interface ExactGaussian {
  /** A⁻¹b, length N. */
  readonly mean: Float64Array<ArrayBuffer>;
  /** The square roots of the diagonal of A⁻¹, length N. */
  readonly sd: Float64Array<ArrayBuffer>;
  /** The lower triangular L of A = L Lᵀ. */
  readonly factor: Matrix;
}

/**
 * Mean and standard deviations of a Gaussian posterior by a Cholesky factorisation, O(N³), for comparison
 * with a board. Errors: NOT_POSITIVE_DEFINITE.
 */
export function exactGaussian({ precision, drive }: GaussianPosterior): ExactGaussian {
  const dense = denseOf(precision.system);
  const outcome = cholesky(dense);
  if (!outcome.ok)
    throw new ThermolinkError('NOT_POSITIVE_DEFINITE', 'The precision is not positive definite in float64.', {
      hint: 'Scale the unknowns, or choose a prior with a larger precision.',
      data: { pivot: outcome.pivot },
    });
  const { factor } = outcome;
  const sd = Float64Array.from(drive, (_, i) => {
    const unit = new Float64Array(drive.length);
    unit[i] = 1;
    return Math.sqrt(choleskySolve(factor, unit)[i]);
  });
  return { mean: choleskySolve(factor, drive), sd, factor };
}

/**
 * Independent draws of N(A⁻¹b, A⁻¹), draws × N: mean + L⁻ᵀz with z standard normal. Errors: BAD_ARGUMENT.
 */
export function drawExact({ mean, factor }: ExactGaussian, draws: number, address: RunAddress): Matrix {
  checkWhole('draws', draws, 1);
  checkAddress(address);
  const size = mean.length;
  checkDrawCount(draws, size);
  const { seed, step, block } = address;
  const random = randomSource({ seed, stream: RANDOM_STREAM.exactPosterior, step, block });
  const out = matrix(draws, size);
  for (let k = 0; k < draws; k++) {
    const draw = out.data.subarray(k * size, (k + 1) * size);
    for (let i = size - 1; i >= 0; i--) {
      let rest = random.normal();
      for (let j = i + 1; j < size; j++) rest -= factor.data[j * size + i] * draw[j];
      draw[i] = rest / factor.data[i * size + i];
    }
    for (let i = 0; i < size; i++) draw[i] += mean[i];
  }
  return out;
}

function denseOf(system: LinearSystem): Matrix {
  return system.kind === 'dense' ? system.matrix : formDense(system.factor, system.damping);
}
