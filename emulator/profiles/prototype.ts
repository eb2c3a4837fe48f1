import { effectsOf } from '../imperfections/table.js';
import type { BoardProfile } from './board-profile.js';
import { IDEAL } from './ideal.js';

const ASSUMED = 'assumed';

/** Matched discrete parts without a calibration. */
const PROTOTYPE_EFFECTS = effectsOf({
  couplingMismatch: {
    spreadPpm: 5000,
    source: 'matched resistors: 0.1–1 %; phase-change cells: 1–4 % of G_max',
  },
  timeConstantMismatch: { spreadPpm: 10000, source: 'film capacitors of 1 %' },
  noiseMismatch: { spreadPpm: 20000, source: ASSUMED },
  inputOffset: { spreadPpm: 1000, source: 'assumed: 1 mV at V_fs = 1 V, an untrimmed amplifier' },
  driveConverter: {
    gainSpreadPpm: 5000,
    offsetSpreadLsb256: 256,
    bowSpreadLsb256: 256,
    codeSpreadLsb256: 128,
    source: 'assumed: 0.5 %, 1 LSB, 1 LSB, ½ LSB',
  },
  adc: {
    gainSpreadPpm: 5000,
    offsetSpreadLsb256: 256,
    bowSpreadLsb256: 256,
    codeSpreadLsb256: 128,
    source: 'assumed: 0.5 %, 1 LSB, 1 LSB, ½ LSB',
  },
  crosstalk: { sharePpm: 1000, spreadPpm: 300, source: ASSUMED },
  commonModeNoise: { sharePpm: 5000, source: ASSUMED },
});

/** A worn board: every effect is on, and larger than on a prototype board. All magnitudes are assumed. */
const HARSH_EFFECTS = effectsOf({
  couplingMismatch: { spreadPpm: 20000, source: 'phase-change cells: 1–4 % of G_max' },
  timeConstantMismatch: { spreadPpm: 50000, source: 'capacitors of 5 %' },
  noiseMismatch: { spreadPpm: 50000, source: ASSUMED },
  inputOffset: { spreadPpm: 5000, source: ASSUMED },
  leakage: { meanPpm: 500, spreadPpm: 200, source: ASSUMED },
  driveConverter: {
    gainSpreadPpm: 10000,
    offsetSpreadLsb256: 512,
    bowSpreadLsb256: 512,
    codeSpreadLsb256: 256,
    source: ASSUMED,
  },
  adc: {
    gainSpreadPpm: 10000,
    offsetSpreadLsb256: 512,
    bowSpreadLsb256: 512,
    codeSpreadLsb256: 256,
    source: ASSUMED,
  },
  crosstalk: { sharePpm: 5000, spreadPpm: 3000, source: ASSUMED },
  rowGain: { spreadPpm: 10000, source: ASSUMED },
  rowOffset: { spreadPpm: 2500, source: 'assumed: 0.2 % of where a row saturates' },
  softSaturation: { knee: 16777216, slopeLog2: 6, source: 'assumed: a clamp diode that begins at V_fs' },
  noiseColour: { correlation256: 64, source: 'assumed: a noise source of limited bandwidth' },
  commonModeNoise: { sharePpm: 20000, source: ASSUMED },
  drift: { spreadPpm: 2000, source: ASSUMED },
  flicker: { spreadPpm: 1000, source: ASSUMED },
  deadCells: { sharePpm: 1000, source: ASSUMED },
  stuckAdcChannels: { sharePpm: 1000, source: ASSUMED },
});

/** Couplings of 12 bits, as small crossbars have them; converters of 16 bits, as in arXiv 2405.13817. */
const PROTOTYPE = { ...IDEAL, couplingBits: 12, effects: PROTOTYPE_EFFECTS } as const;

function prototypeDense(cells: number): BoardProfile {
  return { ...PROTOTYPE, name: `prototype-${cells}`, cells, rows: cells, dense: true, tickLog2: 4 };
}

export const PROTOTYPE_PROFILES: readonly BoardProfile[] = [
  prototypeDense(8),
  prototypeDense(64),
  prototypeDense(256),
  prototypeDense(1024),
  { ...PROTOTYPE, name: 'prototype-crossbar', cells: 8192, rows: 1024, dense: false, tickLog2: 5 },
  { ...prototypeDense(64), name: 'harsh-64', effects: HARSH_EFFECTS },
];
