import type { MeasuredParts } from './measured-parts.js';
import { type IntegerRule, integer } from './profile-schema.js';

/** A list of integers: one per cell, one per crosspoint of the forward array, or some cells with what belongs to them. */
export interface ListRule extends IntegerRule {
  readonly each: 'cell' | 'crosspoint' | 'named';
}

type MeasuredRules = {
  readonly [E in Exclude<keyof MeasuredParts, 'source'>]-?: {
    readonly [F in keyof NonNullable<MeasuredParts[E]>]-?: ListRule;
  };
};

/** As gains are when they are drawn. */
const GAIN_MAX = 2097152;
const DEVIATION_MAX = 65536;

const list = (each: ListRule['each'], min: number, max: number, unit: string): ListRule => ({
  ...integer(min, max, unit),
  each,
});
const gain = list('cell', 0, GAIN_MAX, '2⁻²⁰');
const share = list('cell', -1048576, 1048576, '2⁻²⁰');
const deviation = list('cell', -DEVIATION_MAX, DEVIATION_MAX, '1/256 LSB');
const converter = { gain, offset: deviation, bow: deviation };
/** Below the number of cells, which the relations check. */
const cells = list('named', 0, 8191, 'cells, ascending');

export const MEASURED_RULES: MeasuredRules = {
  couplingMismatch: { gain: list('crosspoint', 0, GAIN_MAX, '2⁻²⁰') },
  timeConstantMismatch: { rate: gain },
  noiseMismatch: { gain },
  inputOffset: { offset: list('cell', -16777216, 16777216, '2⁻²⁴ V_fs·G_fs') },
  leakage: { conductance: list('cell', 0, 131072, '2⁻¹⁵ G_fs') },
  driveConverter: converter,
  adc: converter,
  crosstalk: { fromNext: share, fromBefore: share },
  deadCells: { cells },
  stuckAdcChannels: { cells, codes: list('named', -32768, 32767, 'an ADC code') },
};
