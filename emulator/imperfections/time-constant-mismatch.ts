import { drawEach } from './die-draws.js';
import { gainOf, squareRootGain } from './gain.js';
import { gains, imperfection, percent, spreadPpm } from './imperfection.js';

const DRAWS = { timeConstant: 3 };

/**
 * The rate γ_i at which every cell integrates, in 1/τ (device-model.md, "Imperfections"). Fluctuation and
 * dissipation change together, so equilibria do not change: the noise amplitude gets √γ, rounded down to
 * 2⁻²⁰.
 */
export const timeConstantMismatch = imperfection({
  acts: 'commit',
  rule:
    'γ_i multiplies the line that leads to cell i (row of g, column of k′), e_i and λ_i. √γ_i multiplies ' +
    'a_i; it is rounded down to 2⁻²⁰.',
  size: (effect) => percent(effect.spreadPpm),
  magnitudes: { spreadPpm: spreadPpm() },
  measured: { rate: gains('cell') },
  draws: DRAWS,
  cells(effect, die, measured) {
    const rate = measured
      ? Int32Array.from(measured.rate)
      : drawEach(die, DRAWS.timeConstant, (z) => gainOf(effect.spreadPpm, z));
    return { rate, noiseGain: rate.map(squareRootGain) };
  },
});
