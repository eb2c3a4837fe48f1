import { RANDOM_STREAM, randomSource } from '../../linalg/random.js';
import { applyHamiltonian, eachPattern, type SpinChain, spinsOf } from './spin-chain.js';

/**
 * The real restricted Boltzmann machine
 *
 *     ln ψ(s) = a·s + Σ_j ln cosh T_j,   T = b + W s,
 *
 * of N spins and M hidden units. The parameters are a [N], b [M], W [M × N], in this order. Source: Carleo,
 * Troyer, "Solving the quantum many-body problem with artificial neural networks", Science 355 (2017).
 */
export interface BoltzmannShape {
  readonly sites: number;
  readonly hidden: number;
}

/** P = N + M + MN. */
export function boltzmannParameterCount({ sites, hidden }: BoltzmannShape): number {
  return sites + hidden + hidden * sites;
}

/** Standard deviation of the initial parameters. All patterns then have nearly the same amplitude. */
const INITIAL_SPREAD = 0.01;

/** Initial parameters: 0.01 times standard normal numbers, a pure function of the seed. */
export function initialBoltzmann(shape: BoltzmannShape, seed: number): Float64Array {
  const random = randomSource({ seed, stream: RANDOM_STREAM.parameters });
  return Float64Array.from(
    { length: boltzmannParameterCount(shape) },
    () => INITIAL_SPREAD * random.normal(),
  );
}

/** T = b + W s for the spins that begin at `start`, written to `out` from `outStart` on. */
export function hiddenFields(
  { sites, hidden }: BoltzmannShape,
  parameters: Float64Array,
  spins: Int8Array,
  start: number,
  out: Float64Array,
  outStart: number,
): void {
  for (let j = 0; j < hidden; j++) {
    const row = sites + hidden + j * sites;
    let field = parameters[sites + j];
    for (let i = 0; i < sites; i++) field += parameters[row + i] * spins[start + i];
    out[outStart + j] = field;
  }
}

/** ln ψ of the spins, up to a constant. */
export function logAmplitude(shape: BoltzmannShape, parameters: Float64Array, spins: Int8Array): number {
  const fields = new Float64Array(shape.hidden);
  hiddenFields(shape, parameters, spins, 0, fields, 0);
  let log = 0;
  for (let i = 0; i < shape.sites; i++) log += parameters[i] * spins[i];
  for (const field of fields) {
    const magnitude = Math.abs(field);
    log += magnitude + Math.log1p(Math.exp(-2 * magnitude));
  }
  return log;
}

/** ⟨ψ|H|ψ⟩/⟨ψ|ψ⟩ by enumeration of all patterns. O(2ᴺ N M). */
export function exactEnergy(chain: SpinChain, shape: BoltzmannShape, parameters: Float64Array): number {
  const psi = new Float64Array(2 ** chain.sites);
  const spins = new Int8Array(chain.sites);
  let largest = -Infinity;
  eachPattern(chain, (pattern) => {
    spinsOf(pattern, chain.sites, spins);
    psi[pattern] = logAmplitude(shape, parameters, spins);
    largest = Math.max(largest, psi[pattern]);
  });
  eachPattern(chain, (pattern) => {
    psi[pattern] = Math.exp(psi[pattern] - largest);
  });
  const applied = applyHamiltonian(chain, psi);
  let energy = 0;
  let norm = 0;
  for (let pattern = 0; pattern < psi.length; pattern++) {
    energy += psi[pattern] * applied[pattern];
    norm += psi[pattern] * psi[pattern];
  }
  return energy / norm;
}
