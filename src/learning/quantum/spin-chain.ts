import { lanczosExtremes } from '../../linalg/lanczos.js';

/**
 * A ring of N spins s_i = ±1. In the basis of spin patterns its Hamiltonian has the diagonal
 * `diagonalEnergy`, and one off-diagonal entry for each of N moves. A move flips one spin or exchanges two
 * different neighbours. All off-diagonal entries are −`coefficient`, so the ground state is positive.
 */
export interface SpinChain {
  readonly name: 'ising' | 'heisenberg';
  readonly sites: number;
  /** Sign of the term Σ s_i s_{i+1}: with −1 equal neighbours have the lower energy. */
  readonly sign: 1 | -1;
  /** Γ for flips, 2 for exchanges. */
  readonly coefficient: number;
  /** Whether a move exchanges two sites; Σ s then stays 0. */
  readonly exchanges: boolean;
}

/** Largest number of sites for which all patterns are enumerated. */
export const ENUMERATED_SITES_MAX = 16;

/** H = −Σ σᶻ_i σᶻ_{i+1} − Γ Σ σˣ_i, periodic; `field` Γ > 0, critical at 1. */
export function isingModel(sites: number, field: number): SpinChain {
  return { name: 'ising', sites, sign: -1, coefficient: field, exchanges: false };
}

/**
 * H = Σ σ_i·σ_{i+1}, periodic with an even N, in the sector Σ s = 0. Marshall's signs make every off-diagonal
 * entry negative.
 */
export function heisenbergModel(sites: number): SpinChain {
  return { name: 'heisenberg', sites, sign: 1, coefficient: 2, exchanges: true };
}

/** `sign` · Σ_i s_i s_{i+1}, for the spins that begin at `start`. */
export function diagonalEnergy({ sites, sign }: SpinChain, spins: Int8Array, start: number): number {
  let sum = spins[start + sites - 1] * spins[start];
  for (let i = 0; i + 1 < sites; i++) sum += spins[start + i] * spins[start + i + 1];
  return sign * sum;
}

/** A bound of |⟨H⟩| of every state: no row of H has a larger sum of absolute entries (Gershgorin). */
export function largestEnergy({ sites, coefficient }: SpinChain): number {
  return sites * (1 + coefficient);
}

/** Calls `visit` with the pattern of each allowed state: bit i is set if spin i is −1. */
export function eachPattern({ sites, exchanges }: SpinChain, visit: (pattern: number) => void): void {
  for (let pattern = 0; pattern < 2 ** sites; pattern++)
    if (!exchanges || bitCount(pattern) * 2 === sites) visit(pattern);
}

/** Writes the spins of a pattern to `spins`. */
export function spinsOf(pattern: number, sites: number, spins: Int8Array): void {
  for (let i = 0; i < sites; i++) spins[i] = 1 - 2 * ((pattern >> i) & 1);
}

/** The pattern after the move at site i; undefined if the move is not allowed. */
function moved({ sites, exchanges }: SpinChain, pattern: number, i: number): number | undefined {
  if (!exchanges) return pattern ^ (1 << i);
  const next = (i + 1) % sites;
  if (((pattern >> i) & 1) === ((pattern >> next) & 1)) return undefined;
  return pattern ^ (1 << i) ^ (1 << next);
}

/** H ψ for the amplitudes of all 2ᴺ patterns; the amplitudes of patterns that are not allowed stay 0. */
export function applyHamiltonian(chain: SpinChain, psi: Float64Array): Float64Array<ArrayBuffer> {
  const { sites, coefficient } = chain;
  const out = new Float64Array(psi.length);
  const spins = new Int8Array(sites);
  eachPattern(chain, (pattern) => {
    spinsOf(pattern, sites, spins);
    let value = diagonalEnergy(chain, spins, 0) * psi[pattern];
    for (let i = 0; i < sites; i++) {
      const other = moved(chain, pattern, i);
      if (other !== undefined) value -= coefficient * psi[other];
    }
    out[pattern] = value;
  });
  return out;
}

/** Residual at which Lanczos' method stops. The error of the energy is about the square of the residual. */
const GROUND_RESIDUAL = 1e-7;
const GROUND_STEPS_MAX = 400;

/**
 * E₀, or undefined if it is not known. For the Ising ring of any size E₀ = −Σ_n √(1 + Γ² − 2Γ cos((2n +
 * 1)π/N)) (Pfeuty, 1970). For other rings of up to 16 sites Lanczos' method computes it on all patterns.
 */
export function groundEnergyOf(chain: SpinChain): number | undefined {
  const { sites, coefficient } = chain;
  if (chain.name === 'ising') {
    let energy = 0;
    for (let n = 0; n < sites; n++) {
      const cosine = Math.cos(((2 * n + 1) * Math.PI) / sites);
      energy -= Math.sqrt(1 + coefficient * coefficient - 2 * coefficient * cosine);
    }
    return energy;
  }
  if (sites > ENUMERATED_SITES_MAX) return undefined;
  // The ground state is positive, so it is not orthogonal to this start vector without negative entries.
  const start = new Float64Array(2 ** sites);
  eachPattern(chain, (pattern) => {
    start[pattern] = 1;
  });
  return lanczosExtremes((psi) => applyHamiltonian(chain, psi), start, {
    relativeResidual: GROUND_RESIDUAL,
    stepsMax: GROUND_STEPS_MAX,
    end: 'min',
  }).min;
}

function bitCount(pattern: number): number {
  let count = 0;
  for (let rest = pattern; rest !== 0; rest &= rest - 1) count++;
  return count;
}
