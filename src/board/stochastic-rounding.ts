import type { LinearSystem } from '../linalg/linear-system.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { RANDOM_STREAM, randomSource } from '../linalg/random.js';
import type { RunAddress } from './run-seed.js';
import type { SystemScaling } from './scaling.js';

/**
 * The system with a random number, uniform within ±½ step, added to each coupling before it is rounded. Its
 * codes are then those of stochastic rounding: a value of c + f steps becomes c + 1 with probability f, so
 * the mean over members is the value itself. The address and `member` name the random numbers. A coupling
 * next to the largest code may saturate.
 *
 * The average of the answers A⁻¹b of such systems has an error of second order in the error of one answer,
 * since the errors of first order have the mean 0.
 * Source: Aifer et al., "Error mitigation for thermodynamic computing", arXiv 2401.16231.
 */
export function dithered(
  system: LinearSystem,
  { systemScale, couplingBits }: SystemScaling,
  address: RunAddress,
  member: number,
): LinearSystem {
  const { seed, step, block } = address;
  const random = randomSource({
    seed,
    stream: RANDOM_STREAM.stochasticRounding,
    step,
    block: member * 2 ** 16 + block,
  });
  const unit = 2 ** (1 - couplingBits);
  if (system.kind === 'dense') {
    const { rows, columns, data } = system.matrix;
    const noisy = matrix(rows, columns, Float64Array.from(data));
    // Both sides of the diagonal get the same number, so the codes stay symmetric.
    for (let i = 0; i < rows; i++)
      for (let j = 0; j <= i; j++) {
        const added = (random.uniform() - 0.5) * unit * systemScale;
        noisy.data[i * columns + j] += added;
        if (i !== j) noisy.data[j * columns + i] += added;
      }
    return { ...system, matrix: noisy };
  }
  return { ...system, factor: ditheredFactor(system.factor, unit * Math.sqrt(systemScale), random) };
}

function ditheredFactor(
  { rows, columns, data }: Matrix,
  step: number,
  random: ReturnType<typeof randomSource>,
): Matrix {
  const noisy = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) noisy[i] = data[i] + (random.uniform() - 0.5) * step;
  return matrix(rows, columns, noisy);
}
