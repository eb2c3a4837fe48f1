import { drawEachRow } from './die-draws.js';
import { ppmSpreadOf, ROW_OUTPUT_LOG2 } from './gain.js';
import { imperfection, percent, spreadPpm } from './imperfection.js';

const DRAWS = { rowOffset: 23 };

/** The error o_r that is added to the output of a row amplifier (device-model.md, "Imperfections"). */
export const rowOffset = imperfection({
  acts: 'commit',
  rule: 'o_r, in 2⁻¹⁴ V_fs, is added to the output of row r: d_r − o_r takes the place of d_r.',
  size: (effect) => percent(effect.spreadPpm),
  magnitudes: { spreadPpm: spreadPpm('ppm of V_fs') },
  draws: DRAWS,
  rows: (effect, die) => ({
    offset: drawEachRow(die, DRAWS.rowOffset, (z) => ppmSpreadOf(effect.spreadPpm, z, ROW_OUTPUT_LOG2)),
  }),
});
