import { FULL_SCALE, RAIL_MAX } from '../../firmware-protocol/limits.js';
import { imperfection, integer } from './imperfection.js';

/**
 * Rails that act softly before the voltage reaches them: beyond a knee, each tick pulls v back
 * (device-model.md, "Imperfections").
 */
export const softSaturation = imperfection({
  acts: 'time',
  rule: 'After each tick v beyond ± knee loses (∣v∣ − knee) >> s.',
  size: (effect) => `from ${effect.knee / FULL_SCALE} V_fs, s = ${effect.slopeLog2}`,
  magnitudes: {
    knee: integer(1, RAIL_MAX, '2⁻²⁴ V_fs'),
    slopeLog2: integer(1, 24, 's of a loss of 2⁻ˢ per tick'),
  },
  afterTick: ({ knee, slopeLog2 }) => ({
    actsWithoutNoise: true,
    change(v, { cells }) {
      for (let i = 0; i < cells; i++) {
        const x = v[i];
        if (x > knee) v[i] = x - ((x - knee) >> slopeLog2);
        else if (x < -knee) v[i] = x + ((-knee - x) >> slopeLog2);
      }
    },
  }),
});
