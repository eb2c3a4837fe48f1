import { badArgument, checkNumber, checkObject, checkWhole } from '../../argument-checks.js';
import { ThermolinkError } from '../../errors.js';
import type { Matrix } from '../../linalg/matrix.js';
import { denseMatrix } from '../../linalg/matrix-kernel/dense-matrix.js';
import { formatNumber, formatPercent } from '../../number-text.js';
import type { Figures, Problem } from '../problem/contract.js';
import { AmplitudeRatios } from './amplitude-ratios.js';
import {
  type BoltzmannShape,
  boltzmannParameterCount,
  exactEnergy,
  initialBoltzmann,
  logAmplitude,
} from './boltzmann-state.js';
import { type Chains, chainsAt, localEnergies, startChains, walk } from './sampler.js';
import {
  diagonalEnergy,
  ENUMERATED_SITES_MAX,
  groundEnergyOf,
  heisenbergModel,
  isingModel,
  largestEnergy,
  type SpinChain,
} from './spin-chain.js';

/** Settings of every variational energy. */
export interface VariationalSettings {
  /** N ≥ 3, the number of spins in a ring; even for the Heisenberg model. */
  readonly sites: number;
  /** Hidden units for each spin: M = density · N. Default 1; 2 for the Heisenberg model. */
  readonly density?: number;
  /**
   * The number of chains. Each gives one sample in a step, and so one row of the factor K. Default 1024.
   */
  readonly chains?: number;
  /** The number of sweeps of N proposals between two steps. Default 1. */
  readonly sweeps?: number;
}

/** Settings of the Ising problem. */
export interface IsingSettings extends VariationalSettings {
  /** Γ > 0, in units of the coupling. Default 1, the critical point. */
  readonly field?: number;
}

/** Figures of a step beside its loss, which is the mean local energy. */
export type EnergyMeasures = {
  /**
   * Variance of the local energy, in units of the coupling squared; it tends to 0 with the error of the
   * energy.
   */
  readonly variance: number;
  /** Share of proposals that were accepted. */
  readonly acceptance: number;
};

/**
 * The problem of minimising the energy of a quantum state; the parameters have length P. Errors: `evaluate`
 * throws SAMPLER_STUCK and DIVERGED.
 */
export interface VariationalEnergy extends Problem<EnergyMeasures, Figures> {
  /** E₀ in units of the coupling; undefined if it is not known. */
  readonly groundEnergy: number | undefined;
}

/** Sweeps before the first step; they make the chains independent of their initial patterns. */
const FIRST_SWEEPS = 20;
/** A sampler that accepts less than this share of its proposals is stuck. */
const ACCEPTANCE_MIN = 1e-3;
/**
 * Largest |E| as a multiple of the largest energy that any state can have. With a larger |E| the samples no
 * longer follow |ψ|².
 */
const ENERGY_EXCESS_MAX = 1000;
const SITES_MAX = 64;

/**
 * The energy of the ring H = −Σ σᶻ_i σᶻ_{i+1} − Γ Σ σˣ_i. The state is a restricted Boltzmann machine, and
 * the energy is estimated by Monte Carlo; see `variationalEnergy`. Errors: BAD_ARGUMENT.
 */
export function isingChain(settings: IsingSettings): VariationalEnergy {
  checkObject('settings', settings, '{ sites: 16 }');
  const { sites, density = 1, field = 1 } = settings;
  checkWhole('sites', sites, 3, SITES_MAX);
  checkNumber('field', field, 0);
  if (field === 0)
    throw badArgument('field', field, 'a number above 0', 'Without a field no spin ever flips.');
  return variationalEnergy(isingModel(sites, field), { ...settings, density }, { field });
}

/**
 * The energy of the antiferromagnetic ring H = Σ σ_i·σ_{i+1}. The state is a restricted Boltzmann machine
 * with Marshall's signs and Σ s = 0, and the energy is estimated by Monte Carlo; see `variationalEnergy`.
 * Errors: BAD_ARGUMENT.
 */
export function heisenbergChain(settings: VariationalSettings): VariationalEnergy {
  checkObject('settings', settings, '{ sites: 12 }');
  const { sites, density = 2 } = settings;
  checkWhole('sites', sites, 4, SITES_MAX);
  if (sites % 2 !== 0)
    throw badArgument('sites', sites, 'an even number', 'Half of the spins point up, and half down.');
  return variationalEnergy(heisenbergModel(sites), { ...settings, density }, {});
}

/**
 * ⟨H⟩ of a positive state ψ(s; θ), estimated from m samples s of |ψ|². With O = ∂ ln ψ/∂θ and its mean Ō,
 *
 *     E = mean E_loc,   ∇E = 2 mean((E_loc − E)(O − Ō)),   K = (O − Ō)/√m.
 *
 * KᵀK is the quantum geometric tensor S. A natural gradient step is therefore a step of imaginary time
 * evolution (stochastic reconfiguration). Each step continues the chains of the step before. Initially θ is
 * close to 0.
 *
 * Errors: `evaluate` throws SAMPLER_STUCK when fewer than one in 1000 proposals is accepted. It throws
 * DIVERGED when |E| is more than 1000 times the largest energy of any state. Source: Sorella, "Green function
 * Monte Carlo with stochastic reconfiguration", Phys. Rev. Lett. 80 (1998).
 */
function variationalEnergy(
  chain: SpinChain,
  settings: VariationalSettings & { readonly density: number },
  extra: Readonly<Record<string, unknown>>,
): VariationalEnergy {
  const { sites, density, chains: chainCount = 1024, sweeps = 1 } = settings;
  checkWhole('chains', chainCount, 2);
  checkWhole('sweeps', sweeps, 1);
  checkWhole('density', density, 1);
  const shape: BoltzmannShape = { sites, hidden: density * sites };
  const parameterCount = boltzmannParameterCount(shape);
  let room: Matrix | undefined;
  let ground: { energy: number | undefined } | undefined;
  const groundEnergy = (): number | undefined => {
    ground ??= { energy: groundEnergyOf(chain) };
    return ground.energy;
  };
  return {
    name: chain.name,
    settings: { name: chain.name, sites, density, chains: chainCount, sweeps, ...extra },
    parameterCount,
    curvatureRows: chainCount,
    get groundEnergy() {
      return groundEnergy();
    },
    init: (seed) => initialBoltzmann(shape, seed),
    initialState: (seed) => ({ spins: Float64Array.from(startChains(chain, chainCount, seed)) }),
    evaluate: ({ parameters, state, step, seed }) => {
      const ratios = new AmplitudeRatios(shape, parameters);
      const chains = chainsAt(shape, parameters, Int8Array.from(state['spins']));
      const acceptance = walk(chain, ratios, chains, {
        sweeps: step === 0 ? Math.max(FIRST_SWEEPS, sweeps) : sweeps,
        seed,
        step,
      });
      if (acceptance < ACCEPTANCE_MIN) throw stuckError(step, acceptance);
      const { energy, variance, gradient } = energyGradient(chain, ratios, chains);
      refuseImpossibleEnergy(step, energy, largestEnergy(chain));
      return {
        first: {
          loss: energy,
          gradient,
          measures: { variance, acceptance },
          state: { spins: Float64Array.from(chains.spins) },
        },
        lossAt: (other) => reweightedEnergy(chain, shape, chains, parameters, other),
        factor: () => {
          room ??= denseMatrix(chainCount, parameterCount);
          fillFactor(room, chains);
          return room;
        },
      };
    },
    test: (parameters): Figures => {
      if (sites > ENUMERATED_SITES_MAX) return {};
      const energy = exactEnergy(chain, shape, parameters);
      const lowest = groundEnergy();
      return lowest === undefined
        ? { energy }
        : { energy, energyError: (energy - lowest) / Math.abs(lowest) };
    },
  };
}

/** Energy, variance and ∇E from the present state of the chains. */
export function energyGradient(
  chain: SpinChain,
  ratios: AmplitudeRatios,
  chains: Chains,
): { energy: number; variance: number; gradient: Float64Array } {
  const { count, spins, tanhs } = chains;
  const { sites } = chain;
  const hidden = tanhs.length / count;
  const energies = localEnergies(chain, ratios, chains, (all, start) => diagonalEnergy(chain, all, start));
  const energy = energies.reduce((sum, value) => sum + value, 0) / count;
  const gradient = new Float64Array(sites + hidden + hidden * sites);
  let variance = 0;
  for (let c = 0; c < count; c++) {
    const excess = energies[c] - energy;
    variance += (excess * excess) / count;
    const weight = (2 * excess) / count;
    for (let i = 0; i < sites; i++) gradient[i] += weight * spins[c * sites + i];
    for (let j = 0; j < hidden; j++) {
      const factor = weight * tanhs[c * hidden + j];
      gradient[sites + j] += factor;
      const row = sites + hidden + j * sites;
      for (let i = 0; i < sites; i++) gradient[row + i] += factor * spins[c * sites + i];
    }
  }
  return { energy, variance, gradient };
}

/** Smallest effective number of reweighted samples, as a share of their count. */
const EFFECTIVE_SHARE_MIN = 0.5;

/**
 * E at `other` parameters from samples of |ψ|² at `parameters`: Σ w E_loc/Σ w with w = |ψ_other/ψ|². Infinite
 * if the effective number of samples is too small, (Σ w)²/Σ w² < m/2: the samples then say nothing about
 * these parameters.
 */
export function reweightedEnergy(
  chain: SpinChain,
  shape: BoltzmannShape,
  { count, spins }: Pick<Chains, 'count' | 'spins'>,
  parameters: Float64Array,
  other: Float64Array,
): number {
  const chains = chainsAt(shape, other, spins);
  const ratios = new AmplitudeRatios(shape, other);
  const energies = localEnergies(chain, ratios, chains, (all, start) => diagonalEnergy(chain, all, start));
  const logs = new Float64Array(count);
  for (let c = 0; c < count; c++) {
    const pattern = spins.subarray(c * shape.sites, (c + 1) * shape.sites);
    logs[c] = 2 * (logAmplitude(shape, other, pattern) - logAmplitude(shape, parameters, pattern));
  }
  const largest = logs.reduce((a, b) => Math.max(a, b), -Infinity);
  let [sum, squares, energy] = [0, 0, 0];
  for (let c = 0; c < count; c++) {
    const weight = Math.exp(logs[c] - largest);
    sum += weight;
    squares += weight * weight;
    energy += weight * energies[c];
  }
  // With weights that are NaN this comparison is false, and the energy is infinite.
  return sum * sum >= EFFECTIVE_SHARE_MIN * count * squares ? energy / sum : Infinity;
}

/** K = (O − Ō)/√m, one row for each chain; O = [s, tanh T, tanh T ⊗ s]. */
export function fillFactor(
  { rows, columns, data }: Matrix,
  { spins, tanhs }: Pick<Chains, 'spins' | 'tanhs'>,
): void {
  const sites = spins.length / rows;
  const hidden = tanhs.length / rows;
  const mean = new Float64Array(columns);
  for (let c = 0; c < rows; c++) {
    const row = data.subarray(c * columns, (c + 1) * columns);
    for (let i = 0; i < sites; i++) row[i] = spins[c * sites + i];
    for (let j = 0; j < hidden; j++) {
      const t = tanhs[c * hidden + j];
      row[sites + j] = t;
      const start = sites + hidden + j * sites;
      for (let i = 0; i < sites; i++) row[start + i] = t * row[i];
    }
    for (let p = 0; p < columns; p++) mean[p] += row[p];
  }
  for (let p = 0; p < columns; p++) mean[p] /= rows;
  const scale = 1 / Math.sqrt(rows);
  for (let c = 0; c < rows; c++) {
    const start = c * columns;
    for (let p = 0; p < columns; p++) data[start + p] = (data[start + p] - mean[p]) * scale;
  }
}

/** Errors: DIVERGED. An energy that is not a number is left to the trainer. */
function refuseImpossibleEnergy(step: number, energy: number, largest: number): void {
  const bound = ENERGY_EXCESS_MAX * largest;
  if (!(Math.abs(energy) > bound)) return;
  throw new ThermolinkError(
    'DIVERGED',
    `Training diverged at step ${step}: the samples give the energy ${formatNumber(energy)}, but the energy of every state lies within ±${formatNumber(largest)}.`,
    {
      hint: 'Lower `rate` or bound the steps by `clip`; with curvature, a larger `damping` helps too.',
      data: { step, loss: energy, bound },
    },
  );
}

function stuckError(step: number, acceptance: number): ThermolinkError {
  return new ThermolinkError(
    'SAMPLER_STUCK',
    `The sampler is stuck at step ${step}: it accepted ${formatPercent(acceptance, 3)} of its proposals.`,
    {
      hint: 'The state has collapsed to few patterns: lower `rate` or `clip`. With curvature, a larger `damping` helps too.',
      data: { step, acceptance, acceptanceMin: ACCEPTANCE_MIN },
    },
  );
}
