import { effectsOf } from '../imperfections/table.js';
import type { BoardProfile } from './board-profile.js';
import { IDEAL } from './ideal.js';

/**
 * The 8-cell board of arXiv 2312.04836: switched capacitors, all-to-all. The values of its components are not
 * public. The magnitudes here are chosen to match a reported result: on three such boards the inverse of an
 * 8×8 matrix, read from 12,000 samples, was wrong by 25–31 %. More samples did not reduce this error.
 */
export const SPU_PROFILE: BoardProfile = {
  ...IDEAL,
  name: 'spu-8',
  cells: 8,
  rows: 8,
  dense: true,
  factored: false,
  rowElement: false,
  couplingBits: 8,
  tickLog2: 4,
  effects: effectsOf({
    couplingMismatch: { spreadPpm: 30000, source: 'assumed, to match the published plateau' },
    timeConstantMismatch: { spreadPpm: 50000, source: 'assumed: capacitors of 5 %' },
    noiseMismatch: { spreadPpm: 30000, source: 'assumed, to match the published plateau' },
    inputOffset: { spreadPpm: 1000, source: 'assumed' },
    leakage: { meanPpm: 40000, spreadPpm: 8000, source: 'assumed, to match the published plateau' },
    adc: {
      gainSpreadPpm: 5000,
      offsetSpreadLsb256: 256,
      bowSpreadLsb256: 256,
      codeSpreadLsb256: 128,
      source: 'assumed',
    },
    crosstalk: { sharePpm: 2000, spreadPpm: 1000, source: 'assumed' },
    commonModeNoise: { sharePpm: 10000, source: 'assumed' },
  }),
};
