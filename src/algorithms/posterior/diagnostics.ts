import { badArgument, checkArray } from '../../argument-checks.js';
import { ThermolinkError } from '../../errors.js';
import { normalQuantile } from '../../linalg/normal-quantile.js';

/** Summary of the draws of several chains for one number. */
export interface DrawSummary {
  /** The mean, in the unit of the draws. */
  readonly mean: number;
  /** Standard deviation, in the unit of the draws. */
  readonly sd: number;
  /** Monte Carlo standard error of the mean, in the unit of the draws. */
  readonly mcse: number;
  /** The 5 % quantile, linear between draws, in their unit. */
  readonly q5: number;
  /** The 50 % quantile, in the unit of the draws. */
  readonly median: number;
  /** The 95 % quantile, in the unit of the draws. */
  readonly q95: number;
  /** Effective number of draws for the centre of the distribution, from normalised ranks. */
  readonly essBulk: number;
  /** The smaller effective number of draws of the 5 % and 95 % quantiles. */
  readonly essTail: number;
  /**
   * Rank-normalised split R-hat, a ratio: 1 when chains agree. It is the larger of two values: that of the
   * draws, and that of the folded draws.
   */
  readonly rHat: number;
}

/** Draws of one number: one array for each chain, all of the same length. */
type Chains = readonly Float64Array[];

const DRAWS_MIN = 4;

/**
 * Mean, quantiles and convergence of the draws of one number. Each chain is cut into two halves, so a drift
 * within a chain counts as a disagreement. A number that never changes has R-hat 1.
 *
 * Errors: BAD_ARGUMENT for no chain, chains of unequal lengths, or fewer than 4 draws a chain.
 *
 * Source: Vehtari, Gelman, Simpson, Carpenter, Bürkner, Bayesian Analysis 16 (2021) 667.
 */
export function summarizeDraws(chains: readonly Float64Array[]): DrawSummary {
  checkChains(chains);
  const all = Float64Array.from(chains.flatMap((chain) => [...chain]));
  const sorted = all.toSorted();
  const mean = meanOf(all);
  const sd = Math.sqrt(varianceOf(all));
  const median = quantileOf(sorted, 0.5);
  const [q5, q95] = [quantileOf(sorted, 0.05), quantileOf(sorted, 0.95)];
  const halves = splitChains(chains);
  const indicator = (limit: number): Chains =>
    halves.map((half) => half.map((draw) => (draw <= limit ? 1 : 0)));
  const ranks = normalRanks(halves);
  const folded = normalRanks(halves.map((half) => half.map((draw) => Math.abs(draw - median))));
  return {
    mean,
    sd,
    mcse: sd / Math.sqrt(effectiveDraws(halves)),
    q5,
    median,
    q95,
    essBulk: effectiveDraws(ranks),
    essTail: Math.min(effectiveDraws(indicator(q5)), effectiveDraws(indicator(q95))),
    rHat: Math.max(splitRHat(ranks), splitRHat(folded)),
  };
}

function checkChains(chains: Chains): void {
  if (!Array.isArray(chains)) throw badArgument('chains', chains, 'an array of Float64Array');
  for (const [k, chain] of chains.entries()) checkArray(`chain ${k + 1}`, chain, 'Float64Array');
  const length = chains[0]?.length ?? 0;
  if (length >= DRAWS_MIN && chains.every((chain) => chain.length === length)) return;
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `These are no chains: ${chains.length === 0 ? 'there is none' : `their lengths are ${chains.map((chain) => chain.length).join(', ')}`}.`,
    { hint: `Give chains of one length, at least ${DRAWS_MIN} draws each.` },
  );
}

/** The quantile of sorted values, linear between neighbours. */
export function quantileOf(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const next = sorted[Math.min(below + 1, sorted.length - 1)];
  return sorted[below] + (at - below) * (next - sorted[below]);
}

/** The first and the last half of each chain; the middle draw of an odd length is left out. */
function splitChains(chains: Chains): Float64Array[] {
  const half = Math.floor(chains[0].length / 2);
  return chains.flatMap((chain) => [chain.subarray(0, half), chain.subarray(chain.length - half)]);
}

/** Φ⁻¹((rank − 3/8)/(S + 1/4)) over all S draws; equal draws share the mean of their ranks. */
function normalRanks(chains: Chains): Float64Array[] {
  const length = chains[0].length;
  const total = chains.length * length;
  const valueAt = (index: number): number => chains[Math.floor(index / length)][index % length];
  const order = Uint32Array.from({ length: total }, (_, index) => index).sort(
    (i, j) => valueAt(i) - valueAt(j),
  );
  const scores = chains.map(() => new Float64Array(length));
  for (let first = 0; first < total; ) {
    let last = first;
    while (last + 1 < total && valueAt(order[last + 1]) === valueAt(order[first])) last++;
    const score = normalQuantile(((first + last) / 2 + 1 - 3 / 8) / (total + 1 / 4));
    for (let k = first; k <= last; k++) scores[Math.floor(order[k] / length)][order[k] % length] = score;
    first = last + 1;
  }
  return scores;
}

/** √(var⁺/W) of half chains. */
function splitRHat(chains: Chains): number {
  const length = chains[0].length;
  const within = meanOf(chains.map(varianceOf));
  const between = length * varianceOf(chains.map(meanOf));
  if (within === 0) return between === 0 ? 1 : Infinity;
  return Math.sqrt((between / within + length - 1) / length);
}

/**
 * S/τ with τ = −1 + 2 Σ ρ_t over Geyer's initial monotone sequence of the combined autocorrelations. It is at
 * most S log₁₀ S; antithetic draws can reach this bound.
 */
function effectiveDraws(chains: Chains): number {
  const length = chains[0].length;
  const total = chains.length * length;
  const centred = chains.map((chain) => {
    const mean = meanOf(chain);
    return chain.map((draw) => draw - mean);
  });
  const autocovariance = (lag: number): number => meanOf(centred.map((chain) => laggedProduct(chain, lag)));
  const within = (autocovariance(0) * length) / (length - 1);
  const between = chains.length > 1 ? varianceOf(chains.map(meanOf)) : 0;
  const variance = (within * (length - 1)) / length + between;
  if (variance === 0) return total;
  const correlation = (lag: number): number => 1 - (within - autocovariance(lag)) / variance;
  const rho = new Float64Array(length);
  let [even, odd] = [1, correlation(1)];
  rho.set([even, odd]);
  let lag = 1;
  for (; lag < length - 4 && even + odd > 0; lag += 2) {
    even = correlation(lag + 1);
    odd = correlation(lag + 2);
    if (even + odd >= 0) rho.set([even, odd], lag + 1);
  }
  const last = lag - 2;
  // The first even term after the sequence improves the estimate.
  if (even > 0) rho[last + 1] = even;
  for (let k = 1; k <= last - 2; k += 2) {
    const before = rho[k - 1] + rho[k];
    if (rho[k + 1] + rho[k + 2] > before) rho.fill(before / 2, k + 1, k + 3);
  }
  const tau = -1 + 2 * rho.subarray(0, last + 1).reduce((sum, value) => sum + value, 0) + rho[last + 1];
  return total / Math.max(tau, 1 / Math.log10(total));
}

/** Σ x_t x_{t+lag} divided by the number of draws. */
function laggedProduct(x: Float64Array, lag: number): number {
  let sum = 0;
  for (let t = 0; t + lag < x.length; t++) sum += x[t] * x[t + lag];
  return sum / x.length;
}

function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k];
  return sum / values.length;
}

/** The variance with n − 1 in the denominator. */
function varianceOf(values: ArrayLike<number>): number {
  const mean = meanOf(values);
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += (values[k] - mean) ** 2;
  return sum / (values.length - 1);
}
