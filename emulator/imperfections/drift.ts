import { GAIN_LOG2, ppmSpreadOf, roundDivide } from './gain.js';
import { imperfection, percent, spreadPpm } from './imperfection.js';
import { OCTAVES_ROOT, sharedSlowNoise } from './slow-noise.js';

/** The drive reference wanders with the temperature of the die (device-model.md, "Imperfections"). */
export const drift = imperfection({
  acts: 'time',
  rule: '1 + d multiplies e_i; d = spread·Z/(3·2¹²) is held for a segment.',
  size: (effect) => percent(effect.spreadPpm),
  magnitudes: { spreadPpm: spreadPpm() },
  wanders:
    (effect, { dieSeed }) =>
    (wandering, runSeed, segment) => {
      const z = sharedSlowNoise(dieSeed, runSeed, segment);
      wandering.gain += roundDivide(ppmSpreadOf(effect.spreadPpm, z, GAIN_LOG2), OCTAVES_ROOT);
    },
});
