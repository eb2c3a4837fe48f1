import { drawEachRow } from './die-draws.js';
import { gainOf } from './gain.js';
import { imperfection, percent, spreadPpm } from './imperfection.js';

const DRAWS = { rowGain: 22 };

/**
 * The error g_r of a row amplifier's gain into the transposed array (device-model.md, "Imperfections"). It
 * acts after the row element and the row drive, so it scales the whole difference F − d.
 */
export const rowGain = imperfection({
  acts: 'commit',
  rule: 'Row r of the transposed array has the gain (1 + ε)·(1 + g_r). The output of the row is multiplied by it.',
  size: (effect) => percent(effect.spreadPpm),
  magnitudes: { spreadPpm: spreadPpm() },
  draws: DRAWS,
  rows: (effect, die) => ({
    gain: drawEachRow(die, DRAWS.rowGain, (z) => gainOf(effect.spreadPpm, z)),
  }),
});
