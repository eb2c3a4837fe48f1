import {
  CELLS_MAX,
  COUPLING_BITS_MAX,
  COUPLING_BITS_MIN,
  IDENTITY_TEXT_BYTES_MAX,
  NOISE_AMPLITUDE_MAX,
  NOISE_AMPLITUDE_MIN,
  NOISE_SHIFT_MAX,
  NOISE_SHIFT_MIN,
  RAIL_MAX,
  ROW_SCALE_MAX,
  TICK_LOG2_MAX,
  TICK_LOG2_MIN,
} from '../../firmware-protocol/limits.js';
import { IMPERFECTION_LIST } from '../imperfections/table.js';
import type { BoardProfile } from './board-profile.js';

const U32_MAX = 4294967295;
const CONVERTER_BITS_MIN = 8;
const CONVERTER_BITS_MAX = 16;
export const TEXT_MAX = 200;

export interface IntegerRule {
  readonly kind: 'integer';
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  readonly multipleOf?: number;
  readonly powerOfTwo?: true;
}
export type ProfileRule =
  | IntegerRule
  | { readonly kind: 'flag' }
  | { readonly kind: 'text'; readonly max: number; readonly ascii?: true };

/** Every field of a profile but `effects` and `measured`, and every magnitude of an effect but its `source`: the compiler counts them. */
type ProfileRules = { readonly [F in Exclude<keyof BoardProfile, 'effects' | 'measured'>]-?: ProfileRule };
export function integer(
  min: number,
  max: number,
  unit: string,
  more: { readonly multipleOf?: number; readonly powerOfTwo?: true } = {},
): IntegerRule {
  return { kind: 'integer', min, max, unit, ...more };
}

const flag = { kind: 'flag' } as const;

export const PROFILE_RULES: ProfileRules = {
  name: { kind: 'text', max: IDENTITY_TEXT_BYTES_MAX, ascii: true },
  cells: integer(1, CELLS_MAX, 'cells'),
  rows: integer(1, CELLS_MAX, 'rows'),
  banks: integer(1, 2, 'banks'),
  dense: flag,
  factored: flag,
  couplingBits: integer(COUPLING_BITS_MIN, COUPLING_BITS_MAX, 'bits'),
  driveBits: integer(CONVERTER_BITS_MIN, CONVERTER_BITS_MAX, 'bits'),
  adcBits: integer(CONVERTER_BITS_MIN, CONVERTER_BITS_MAX, 'bits'),
  tauNs: integer(1, U32_MAX, 'ns'),
  tickLog2: integer(TICK_LOG2_MIN, TICK_LOG2_MAX, 'k of a tick of 2⁻ᵏ τ'),
  fullScaleMicrovolts: integer(1, U32_MAX, 'µV'),
  rail: integer(1024, RAIL_MAX, '2⁻²⁴ V_fs', { multipleOf: 1024 }),
  driveRange: integer(1, 4, 'V_fs·G_fs', { powerOfTwo: true }),
  noiseAmplitudeMin: integer(NOISE_AMPLITUDE_MIN, NOISE_AMPLITUDE_MAX, 'of noise register a'),
  noiseAmplitudeMax: integer(NOISE_AMPLITUDE_MIN, NOISE_AMPLITUDE_MAX, 'of noise register a'),
  noiseShiftMin: integer(NOISE_SHIFT_MIN, NOISE_SHIFT_MAX, 'of noise register s'),
  noiseShiftMax: integer(NOISE_SHIFT_MIN, NOISE_SHIFT_MAX, 'of noise register s'),
  noiseTemperatureMin: integer(0, U32_MAX, '10⁻¹² V_fs²'),
  rowScaleMax: integer(1, ROW_SCALE_MAX, 'm · 2^ρ'),
};

/** The magnitudes of every effect, by its name. */
export const EFFECT_RULES: Readonly<Record<string, Readonly<Record<string, IntegerRule>>>> =
  Object.fromEntries(
    IMPERFECTION_LIST.map(([name, { magnitudes }]) => [
      name,
      Object.fromEntries(
        Object.entries(magnitudes).map(([field, { min, max, unit }]) => [field, integer(min, max, unit)]),
      ),
    ]),
  );
