import { checkAddress, checkWhole } from '../../argument-checks.js';
import type { RunAddress } from '../../board/run-seed.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { RANDOM_STREAM, randomSource } from '../../linalg/random.js';
import { checkDrawCount } from '../sample.js';
import { type LogisticPosterior, logisticGradient, logisticLogDensity } from './logistic.js';

/** The draws of the host's sampler, and its effort. */
export interface HamiltonianDraws {
  /** draws × N. */
  readonly draws: Matrix;
  /** Share of proposals that were accepted, 0 … 1. */
  readonly acceptance: number;
  /** How many gradients of the density were computed. */
  readonly gradients: number;
}

/** Leapfrog step in standard deviations, and number of steps for each proposal. */
const STEP = 0.35;
const LEAPS = 6;
const BURN_IN = 60;

/**
 * Draws of a logistic regression by Hamiltonian Monte Carlo on the host. It is the exact method for a
 * comparison with a board, because it leaves the posterior invariant exactly. It works in units of the
 * Laplace approximation, θ = mode + L⁻ᵀφ, with six leapfrog steps whose length is varied by 30 %. Errors:
 * BAD_ARGUMENT.
 *
 * Source: Neal, "MCMC using Hamiltonian dynamics" (2011).
 */
export function drawHamiltonian(
  posterior: LogisticPosterior,
  draws: number,
  address: RunAddress,
): HamiltonianDraws {
  checkWhole('draws', draws, 1);
  checkAddress(address);
  const { mode, hessianFactor } = posterior;
  const size = mode.length;
  checkDrawCount(draws, size);
  const { seed, step, block } = address;
  const random = randomSource({ seed, stream: RANDOM_STREAM.exactPosterior, step: step + 1, block });
  const thetaOf = (phi: Float64Array): Float64Array => {
    const theta = backSubstituted(hessianFactor, phi);
    for (let i = 0; i < size; i++) theta[i] += mode[i];
    return theta;
  };
  const gradientOf = (phi: Float64Array): Float64Array =>
    forwardSubstituted(hessianFactor, logisticGradient(posterior, thetaOf(phi)));
  const out = matrix(draws, size);
  let phi = Float64Array.from({ length: size }, () => random.normal());
  let density = logisticLogDensity(posterior, thetaOf(phi));
  let gradient = gradientOf(phi);
  let accepted = 0;
  for (let k = -BURN_IN; k < draws; k++) {
    const length = STEP * (0.7 + 0.6 * random.uniform());
    const momentum = Float64Array.from({ length: size }, () => random.normal());
    const before = density - halfSquare(momentum);
    let moved = Float64Array.from(phi);
    let slope = gradient;
    addTo(momentum, length / 2, slope);
    for (let leap = 0; leap < LEAPS; leap++) {
      addTo(moved, length, momentum);
      slope = gradientOf(moved);
      addTo(momentum, leap < LEAPS - 1 ? length : length / 2, slope);
    }
    const reached = logisticLogDensity(posterior, thetaOf(moved));
    if (Math.log(random.uniform()) < reached - halfSquare(momentum) - before) {
      [phi, moved] = [moved, phi];
      [density, gradient] = [reached, slope];
      if (k >= 0) accepted++;
    }
    if (k >= 0) out.data.set(thetaOf(phi), k * size);
  }
  return { draws: out, acceptance: accepted / draws, gradients: (draws + BURN_IN) * LEAPS };
}

function addTo(x: Float64Array, factor: number, y: Float64Array): void {
  for (let i = 0; i < x.length; i++) x[i] += factor * y[i];
}

function halfSquare(x: Float64Array): number {
  return x.reduce((sum, value) => sum + value * value, 0) / 2;
}

/** L⁻ᵀ x. */
function backSubstituted({ rows, data }: Matrix, x: Float64Array): Float64Array<ArrayBuffer> {
  const out = Float64Array.from(x);
  for (let i = rows - 1; i >= 0; i--) {
    out[i] /= data[i * rows + i];
    for (let j = 0; j < i; j++) out[j] -= data[i * rows + j] * out[i];
  }
  return out;
}

/** L⁻¹ x. */
function forwardSubstituted({ rows, data }: Matrix, x: Float64Array): Float64Array<ArrayBuffer> {
  const out = Float64Array.from(x);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < i; j++) out[i] -= data[i * rows + j] * out[j];
    out[i] /= data[i * rows + i];
  }
  return out;
}
