import { drawEach } from './die-draws.js';
import { GAIN_LOG2, ofPpm, ppmSpreadOf } from './gain.js';
import { anySpreadPpm, imperfection, integer, list, percent } from './imperfection.js';

const DRAWS = { crosstalkFromNext: 15, crosstalkFromBefore: 16 };
const measuredShare = list('cell', -1048576, 1048576, '2⁻²⁰');

/**
 * A cell's line of the array picks up currents of the lines beside it (device-model.md, "Imperfections"). The
 * shares act after ε and before γ, with the one rounding of `baked-couplings.ts`.
 */
export const crosstalk = imperfection({
  acts: 'commit',
  rule:
    'The line of cell i picks up currents of the lines beside it: g̃_i + x⁺_i·g̃_{i+1} + x⁻_i·g̃_{i−1}, ' +
    'with x = share + spread·z in 2⁻²⁰.',
  size: (effect) => `${percent(effect.sharePpm)} ± ${percent(effect.spreadPpm)}`,
  magnitudes: {
    sharePpm: integer(-200000, 200000, 'ppm of a neighbour’s current'),
    spreadPpm: anySpreadPpm(),
  },
  measured: { fromNext: measuredShare, fromBefore: measuredShare },
  draws: DRAWS,
  cells(effect, die, measured) {
    if (measured)
      return {
        fromNext: Int32Array.from(measured.fromNext),
        fromBefore: Int32Array.from(measured.fromBefore),
      };
    const share = (z: number) =>
      ofPpm(effect.sharePpm, GAIN_LOG2) + ppmSpreadOf(effect.spreadPpm, z, GAIN_LOG2);
    return {
      fromNext: drawEach(die, DRAWS.crosstalkFromNext, share),
      fromBefore: drawEach(die, DRAWS.crosstalkFromBefore, share),
    };
  },
});
