import { adcStep } from '../../board/board-range.js';
import type { Average } from '../../board/equilibrium-pass.js';
import type { EquilibriumPlan } from '../../board/equilibrium-plan.js';
import { norm2 } from '../../linalg/products.js';

/** The noise is chosen so that its part of the error bound is the tolerance times this share. */
export const NOISE_SHARE = 1 / 4;
/** The error of an answer that is not noise stays below this share of its standard error. */
export const SYSTEMATIC_SHARE = 1 / 4;
/** Probability that the residual of a correct board is called unexplained. */
const FALSE_ALARM_RATE = 1e-6;

/**
 * κ, in the problem's units, for the pass that is averaged. S samples are worth S/τ independent ones. Their
 * mean has the error covariance κτA⁻¹/S, so its residual has E‖A e‖² = κτ tr(A)/S. That residual proves a
 * bound of √(κτ tr(A)/S)/λ₋ on the error. This bound is set to ‖x̂‖·tolerance/4:
 *
 *     κ = S (λ₋ ‖x̂‖ tolerance/4)² / (τ tr A)
 *
 * The standard error √(κτ tr(A⁻¹)/S) is then below ‖x̂‖·tolerance/4 too, because λ₋² tr(A⁻¹) ≤ tr(A). Each
 * earlier average that was refused halves √κ.
 */
export function wantedNoise(
  plan: EquilibriumPlan,
  tolerance: number,
  averages: number,
  norm: number,
): number {
  const { spectrum, samplesMin, correlationTimeMax } = plan;
  const share = NOISE_SHARE * 2 ** -averages;
  const residual = spectrum.eigenvalueMin * norm * tolerance * share;
  return (samplesMin * residual * residual) / (correlationTimeMax * spectrum.trace);
}

/**
 * κ, in the problem's units, with which the standard error of an average is `norm`·tolerance/4, where `norm`
 * is ‖x̂‖. The mean of S samples has the error variance κτ tr(A⁻¹)/S. Each earlier average that was refused
 * halves √κ.
 */
export function noiseOfStandardError(
  { spectrum, samplesMin, correlationTimeMax }: EquilibriumPlan,
  tolerance: number,
  averages: number,
  norm: number,
): number {
  const error = norm * tolerance * NOISE_SHARE * 2 ** -averages;
  return (samplesMin * error * error) / (correlationTimeMax * spectrum.inverseTrace);
}

/**
 * Bound on ‖A e‖₂ for the noise error e of an average. A correct board exceeds it with a probability below
 * 1e-6:
 *
 *     √(κτ/S) · (√tr A + √(2 λ₊ ln 10⁶))
 *
 * κ is that of the register, or the measured one if the board is noisier than its register says. Half an ADC
 * step of rounding is added. Source: Laurent, Massart, Ann. Statist. 28 (2000), lemma 1, with ‖A‖_F² ≤ λ₊ tr
 * A.
 */
export function noiseResidualBound(plan: EquilibriumPlan, averaged: Average): number {
  const { spectrum, correlationTimeMax } = plan;
  const programmed = (averaged.noiseTemperature * correlationTimeMax) / averaged.samples;
  const measured = norm2(averaged.standardError) ** 2 / spectrum.inverseTrace;
  const tail = Math.sqrt(2 * spectrum.eigenvalueMax * -Math.log(FALSE_ALARM_RATE));
  const noise = Math.sqrt(Math.max(programmed, measured)) * (Math.sqrt(spectrum.trace) + tail);
  const step = averaged.solutionScale * adcStep(plan.identity.adcBits);
  return noise + (step / 2) * Math.sqrt(spectrum.trace * spectrum.eigenvalueMax);
}

/**
 * If the variance of samples is below this share of the least physical variance, they did not come from a
 * relaxing board.
 */
const QUIETNESS = 1 / 10;

/**
 * Smallest ‖standard error‖₂ that a board with its noise on can show. S samples have at least the covariance
 * κA⁻¹/S, and tr A⁻¹ ≥ max(1/λ₋, N²/tr A). 30 independent samples of one mode show less than a tenth of that
 * variance with a probability of 1e-9.
 */
export function quietestStandardError(plan: EquilibriumPlan, averaged: Average): number {
  const { eigenvalueMin, dimension, trace } = plan.spectrum;
  const inverseTraceMin = Math.max(1 / eigenvalueMin, dimension ** 2 / trace);
  return Math.sqrt((QUIETNESS * averaged.noiseTemperature * inverseTraceMin) / averaged.samples);
}
