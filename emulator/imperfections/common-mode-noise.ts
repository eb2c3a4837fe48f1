import { gaussianOfWord } from '../../firmware-protocol/gaussian.js';
import { PHILOX_STREAM, philox4x32, UINT32 } from '../../firmware-protocol/philox.js';
import { ofPpm } from './gain.js';
import { imperfection, percent, sharePpm } from './imperfection.js';

const SHARE_LOG2 = 16;

/**
 * Noise that is the same in all cells, up to the noise amplitude of each cell (device-model.md,
 * "Imperfections").
 */
export const commonModeNoise = imperfection({
  acts: 'time',
  rule:
    'After each tick cell i gets a_i·share·(z[t] + z[t+1])/2^s, rounded half away from zero. All cells have ' +
    'the same z: counter (tick low, high, 0, 2), word 0. share is in 2⁻¹⁶.',
  size: (effect) => percent(effect.sharePpm),
  magnitudes: { sharePpm: sharePpm('ppm of a cell’s own noise amplitude') },
  afterTick(effect, { dieSeed }) {
    const share = ofPpm(effect.sharePpm, SHARE_LOG2);
    if (share === 0) return undefined;
    const words = new Uint32Array(4);
    const z = (runSeed: number, tick: number): number => {
      const high = Math.floor(tick / UINT32);
      philox4x32(tick >>> 0, high, 0, PHILOX_STREAM.commonMode, dieSeed, runSeed, words);
      return gaussianOfWord(words[0]);
    };
    return {
      commonShare: share,
      change(v, { cells, noiseAmplitude, noiseShift }, tick, runSeed) {
        const zeta = z(runSeed, tick) + z(runSeed, tick + 1);
        const unit = (1 << noiseShift) * (1 << SHARE_LOG2);
        const half = unit / 2 - (zeta < 0 ? 1 : 0);
        for (let i = 0; i < cells; i++) v[i] += Math.floor((noiseAmplitude[i] * share * zeta + half) / unit);
      },
    };
  },
});
