import { drawEach } from './die-draws.js';
import { ppmSpreadOf, VOLTAGE_LOG2 } from './gain.js';
import { imperfection, list, percent, spreadPpm } from './imperfection.js';

const DRAWS = { inputOffset: 5 };

/**
 * A constant drive of each cell. It is added to the drive of the program (device-model.md, "Imperfections").
 */
export const inputOffset = imperfection({
  acts: 'commit',
  rule: 'o_i, in 2⁻²⁴ V_fs·G_fs, is added to e_i before γ_i.',
  size: (effect) => percent(effect.spreadPpm),
  magnitudes: { spreadPpm: spreadPpm() },
  measured: { offset: list('cell', -16777216, 16777216, '2⁻²⁴ V_fs·G_fs') },
  draws: DRAWS,
  cells: (effect, die, measured) => ({
    inputOffset: measured
      ? Int32Array.from(measured.offset)
      : drawEach(die, DRAWS.inputOffset, (z) => ppmSpreadOf(effect.spreadPpm, z, VOLTAGE_LOG2)),
  }),
});
