import { RANDOM_STREAM, randomSource } from '../../linalg/random.js';
import type { AmplitudeRatios } from './amplitude-ratios.js';
import { type BoltzmannShape, hiddenFields } from './boltzmann-state.js';
import type { SpinChain } from './spin-chain.js';

/** Chains of a sampler: one pattern each, with T and tanh T of the hidden units. */
export interface Chains {
  readonly count: number;
  /** count × N. */
  readonly spins: Int8Array;
  /** T, count × M. */
  readonly fields: Float64Array;
  /** tanh T, count × M. */
  readonly tanhs: Float64Array;
}

/**
 * Random initial patterns. With flips each spin is drawn separately; with exchanges half of the spins are +1,
 * in random order.
 */
export function startChains({ sites, exchanges }: SpinChain, count: number, seed: number): Int8Array {
  const spins = new Int8Array(count * sites);
  for (let chain = 0; chain < count; chain++) {
    const random = randomSource({ seed, stream: RANDOM_STREAM.spinStarts, block: chain });
    let ups = sites / 2;
    for (let i = 0; i < sites; i++) {
      const share = exchanges ? ups / (sites - i) : 0.5;
      const spin = random.uniform() < share ? 1 : -1;
      if (spin > 0) ups--;
      spins[chain * sites + i] = spin;
    }
  }
  return spins;
}

/** Makes chains from spins, with T and tanh T at these parameters. */
export function chainsAt(shape: BoltzmannShape, parameters: Float64Array, spins: Int8Array): Chains {
  const { sites, hidden } = shape;
  const count = spins.length / sites;
  const fields = new Float64Array(count * hidden);
  for (let chain = 0; chain < count; chain++)
    hiddenFields(shape, parameters, spins, chain * sites, fields, chain * hidden);
  return { count, spins, fields, tanhs: fields.map(Math.tanh) };
}

/** How the chains move in a step. */
export interface Walk {
  readonly sweeps: number;
  /** Seed, step and chain together select the random numbers. */
  readonly seed: number;
  readonly step: number;
}

/**
 * Moves every chain by the rule of Metropolis, so that its patterns follow |ψ|². Each chain gets `sweeps`
 * times N proposals. A proposal flips one spin or exchanges two random sites, and is accepted with
 * probability min(1, |ψ(s′)/ψ(s)|²). Changes the chains in place. Returns the share of accepted proposals;
 * exchanges of two equal spins are not counted.
 */
export function walk(
  { sites, exchanges }: SpinChain,
  ratios: AmplitudeRatios,
  { count, spins, fields, tanhs }: Chains,
  { sweeps, seed, step }: Walk,
): number {
  const hidden = fields.length / count;
  let accepted = 0;
  let proposed = 0;
  for (let chain = 0; chain < count; chain++) {
    const random = randomSource({ seed, stream: RANDOM_STREAM.spinMoves, step, block: chain });
    const row = chain * sites;
    const start = chain * hidden;
    for (let proposal = 0; proposal < sweeps * sites; proposal++) {
      const i = Math.floor(random.uniform() * sites);
      const k = exchanges ? Math.floor(random.uniform() * sites) : i;
      const chance = random.uniform();
      const spin = spins[row + i];
      if (exchanges && spins[row + k] === spin) continue;
      proposed++;
      const ratio = exchanges
        ? ratios.exchange(i, k, spin, tanhs, start)
        : ratios.flip(i, spin, tanhs, start);
      if (!(chance < ratio * ratio)) continue;
      accepted++;
      spins[row + i] = -spin;
      ratios.applyFlip(i, spin, fields, tanhs, start);
      if (!exchanges) continue;
      spins[row + k] = spin;
      ratios.applyFlip(k, -spin, fields, tanhs, start);
    }
  }
  return accepted / Math.max(1, proposed);
}

/** E_loc(s) = ⟨s|H|ψ⟩/⟨s|ψ⟩ of every chain. */
export function localEnergies(
  chain: SpinChain,
  ratios: AmplitudeRatios,
  chains: Chains,
  diagonal: (spins: Int8Array, start: number) => number,
): Float64Array<ArrayBuffer> {
  const { sites, exchanges, coefficient } = chain;
  const { count, spins, fields, tanhs } = chains;
  const hidden = fields.length / count;
  const energies = new Float64Array(count);
  for (let c = 0; c < count; c++) {
    const row = c * sites;
    let sum = 0;
    for (let i = 0; i < sites; i++) {
      const spin = spins[row + i];
      if (!exchanges) {
        sum += ratios.flip(i, spin, tanhs, c * hidden);
        continue;
      }
      const next = (i + 1) % sites;
      if (spins[row + next] !== spin) sum += ratios.exchange(i, next, spin, tanhs, c * hidden);
    }
    energies[c] = diagonal(spins, row) - coefficient * sum;
  }
  return energies;
}
