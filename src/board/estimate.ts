/** The equilibrium mean, estimated from samples; voltages are in ADC steps. */
export interface Estimate {
  /** Mean of each cell, length N. */
  readonly mean: Float64Array<ArrayBuffer>;
  /** Standard error of each mean, length N; all infinite while there are too few samples. */
  readonly standardError: Float64Array<ArrayBuffer>;
  /** Number of independent samples that the correlated ones are worth, pooled over the cells. */
  readonly effectiveSamples: number;
  readonly samples: number;
}

/** ADC codes, or the float samples of an ideal sampler. */
type Readings = Int16Array | Float64Array;

/** With fewer effective samples than this, a standard error is meaningless. */
const EFFECTIVE_SAMPLES_MIN = 6;

/**
 * Ticks after which a mode with h·λ̂ = `decayPerTick` has `remainder` = ε of its initial deviation left: ⌈ln
 * ε / ln(1 − hλ̂)⌉. The slowest mode needs the most ticks.
 */
export function burnInTicks(remainder: number, decayPerTick: number): number {
  return decayPerTick >= 1 ? 1 : Math.max(1, Math.ceil(Math.log(remainder) / Math.log1p(-decayPerTick)));
}

/**
 * Mean and standard error of S samples of N cells at equilibrium; `codes` is S×N, row-major.
 *
 * The samples of one cell are correlated in time, so S of them are worth S/τ independent ones, with τ = 1 + 2
 * Σ_k ρ_k. Here ρ_k is the autocorrelation pooled over the cells, Σ_i c_i(k) / Σ_i c_i(0). The sum ends at
 * the first ρ_k that is not positive: a reversible relaxation has no such ρ_k, so the later terms are
 * estimation noise (Geyer, "Practical Markov chain Monte Carlo", 1992). The variance s_i² of a cell is its
 * own. Then
 *
 *     standardError_i² = s_i² / (S/τ − 3).
 *
 * The divisor is not S/τ, because the variance is estimated too: (mean − true)/error has Student's
 * distribution with S/τ − 1 degrees of freedom, and the 3 makes its variance 1 (measured on simulated
 * relaxations: 0.96 to 1.08).
 */
export function estimateMean(codes: Readings, cells: number): Estimate {
  const samples = Math.floor(codes.length / cells);
  const mean = meanOf(codes, samples, cells);
  const variance = varianceOf(codes, mean, samples);
  const effectiveSamples = samples / correlationTime(codes, mean, samples);
  const standardError = new Float64Array(cells);
  for (let i = 0; i < cells; i++) {
    standardError[i] =
      effectiveSamples < EFFECTIVE_SAMPLES_MIN ? Infinity : Math.sqrt(variance[i] / (effectiveSamples - 3));
  }
  return { mean, standardError, effectiveSamples, samples };
}

function meanOf(codes: Readings, samples: number, cells: number): Float64Array<ArrayBuffer> {
  const mean = new Float64Array(cells);
  for (let s = 0; s < samples; s++) {
    for (let i = 0; i < cells; i++) mean[i] += codes[s * cells + i];
  }
  for (let i = 0; i < cells; i++) mean[i] /= samples;
  return mean;
}

function varianceOf(codes: Readings, mean: Float64Array, samples: number): Float64Array {
  const cells = mean.length;
  const variance = new Float64Array(cells);
  for (let s = 0; s < samples; s++) {
    for (let i = 0; i < cells; i++) variance[i] += (codes[s * cells + i] - mean[i]) ** 2 / samples;
  }
  return variance;
}

/** τ = 1 + 2 Σ ρ_k, pooled over the cells. */
function correlationTime(codes: Readings, mean: Float64Array, samples: number): number {
  const power = laggedPower(codes, mean, samples, 0);
  if (power === 0) return 1;
  let time = 1;
  for (let lag = 1; lag < samples / 2; lag++) {
    const correlation = laggedPower(codes, mean, samples, lag) / power;
    if (correlation <= 0) break;
    time += 2 * correlation;
  }
  return time;
}

/** Σ_i Σ_s (x_i(s) − mean_i)(x_i(s + lag) − mean_i). */
function laggedPower(codes: Readings, mean: Float64Array, samples: number, lag: number): number {
  const cells = mean.length;
  let power = 0;
  for (let s = 0; s + lag < samples; s++) {
    const now = s * cells;
    const later = (s + lag) * cells;
    for (let i = 0; i < cells; i++) power += (codes[now + i] - mean[i]) * (codes[later + i] - mean[i]);
  }
  return power;
}
