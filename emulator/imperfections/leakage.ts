import { drawEach } from './die-draws.js';
import { CONDUCTANCE_LOG2, ofPpm, ppmSpreadOf } from './gain.js';
import { anySpreadPpm, imperfection, integer, list, percent } from './imperfection.js';

const DRAWS = { leakage: 6 };

/** A conductance from every cell to ground (device-model.md, "Imperfections"). */
export const leakage = imperfection({
  acts: 'commit',
  rule: 'A conductance, never negative, is added to λ_i before γ_i.',
  size: (effect) => `${percent(effect.meanPpm)} ± ${percent(effect.spreadPpm)} of G_fs`,
  magnitudes: {
    meanPpm: integer(0, 1000000, 'ppm of G_fs'),
    spreadPpm: anySpreadPpm('ppm of G_fs'),
  },
  measured: { conductance: list('cell', 0, 131072, '2⁻¹⁵ G_fs') },
  draws: DRAWS,
  cells(effect, die, measured) {
    const mean = ofPpm(effect.meanPpm, CONDUCTANCE_LOG2);
    const drawn = (z: number) => Math.max(0, mean + ppmSpreadOf(effect.spreadPpm, z, CONDUCTANCE_LOG2));
    return {
      leakage: measured ? Int32Array.from(measured.conductance) : drawEach(die, DRAWS.leakage, drawn),
    };
  },
});
