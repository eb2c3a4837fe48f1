import {
  NOISE_AMPLITUDE_MAX,
  NOISE_AMPLITUDE_MIN,
  NOISE_SHIFT_MAX,
  NOISE_SHIFT_MIN,
  RAIL_MAX,
  ROW_SCALE_MAX,
} from '../../firmware-protocol/limits.js';
import type { BoardProfile } from './board-profile.js';

/**
 * The common part of all ideal boards: 16-bit converters and couplings, no imperfection. Sizes and τ are
 * assumed.
 */
export const IDEAL = {
  banks: 2,
  factored: true,
  rowElement: true,
  couplingBits: 16,
  driveBits: 16,
  adcBits: 16,
  tauNs: 1000,
  fullScaleMicrovolts: 1_000_000,
  rail: RAIL_MAX,
  driveRange: 4,
  noiseAmplitudeMin: NOISE_AMPLITUDE_MIN,
  noiseAmplitudeMax: NOISE_AMPLITUDE_MAX,
  noiseShiftMin: NOISE_SHIFT_MIN,
  noiseShiftMax: NOISE_SHIFT_MAX,
  // 10⁻⁸ V_fs². At a smaller κ the noise of the carries is no longer negligible (device-model.md, "One
  // tick").
  noiseTemperatureMin: 10000,
  rowScaleMax: ROW_SCALE_MAX,
  effects: null,
} as const;

/**
 * An all-to-all board. Its tick is τ/16, twice that of the crossbar, so the emulator needs half the ticks.
 * The equilibrium covariance is exact at any stable step; only the transient is coarser.
 */
function idealDense(cells: number): BoardProfile {
  return { ...IDEAL, name: `ideal-${cells}`, cells, rows: cells, dense: true, tickLog2: 4 };
}

/**
 * A crossbar with row amplifiers, for A = KᵀK + λI. Its tick of τ/32 is finer than that of the dense boards,
 * because users read results from its transient.
 */
const IDEAL_CROSSBAR: BoardProfile = {
  ...IDEAL,
  name: 'ideal-crossbar',
  cells: 8192,
  rows: 1024,
  dense: false,
  tickLog2: 5,
};

export const IDEAL_PROFILES: readonly BoardProfile[] = [
  idealDense(8),
  idealDense(64),
  idealDense(256),
  idealDense(1024),
  IDEAL_CROSSBAR,
];
