import { ppmSpreadOf, roundDivide, VOLTAGE_LOG2 } from './gain.js';
import { imperfection, percent, spreadPpm } from './imperfection.js';
import { OCTAVES_ROOT, slowNoise } from './slow-noise.js';

/**
 * 1/f noise: the offset of every cell wanders, and large changes take longer (device-model.md,
 * "Imperfections").
 */
export const flicker = imperfection({
  acts: 'time',
  rule: 'o_i = spread·Z_i/(3·2¹²) is added to e_i after e_i was multiplied by γ_i. It stays the same for one segment.',
  size: (effect) => `${percent(effect.spreadPpm)} of V_fs·G_fs`,
  magnitudes: { spreadPpm: spreadPpm() },
  wanders:
    (effect, { dieSeed }) =>
    ({ offsets }, runSeed, segment) => {
      const z = slowNoise(dieSeed, runSeed, segment, offsets.length);
      for (let i = 0; i < offsets.length; i++)
        offsets[i] += roundDivide(ppmSpreadOf(effect.spreadPpm, z[i], VOLTAGE_LOG2), OCTAVES_ROOT);
    },
});
