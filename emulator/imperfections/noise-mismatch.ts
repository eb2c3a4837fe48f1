import { drawEach } from './die-draws.js';
import { gainOf } from './gain.js';
import { gains, imperfection, percent, spreadPpm } from './imperfection.js';

const DRAWS = { noiseAmplitude: 4 };

/**
 * 1 + ν on the noise amplitude of every cell: noise temperatures differ (device-model.md, "Imperfections").
 */
export const noiseMismatch = imperfection({
  acts: 'commit',
  rule: '1 + ν_i multiplies a_i.',
  size: (effect) => percent(effect.spreadPpm),
  magnitudes: { spreadPpm: spreadPpm() },
  measured: { gain: gains('cell') },
  draws: DRAWS,
  cells: (effect, die, measured) => ({
    noiseGain: measured
      ? Int32Array.from(measured.gain)
      : drawEach(die, DRAWS.noiseAmplitude, (z) => gainOf(effect.spreadPpm, z)),
  }),
});
