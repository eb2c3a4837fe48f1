/**
 * Conversion between codes of a board and volts, with the data of the converters in its identity
 * (device-model.md, "Formats").
 */
import { checkArray, checkObject } from '../argument-checks.js';
import { adcStep, type BoardRange, driveStep, STATE_STEP } from './board-range.js';
import { quantizeVector } from './quantize.js';

/** The properties of a board that these conversions need; a `DeviceIdentity` has them all. */
export interface VoltRange extends BoardRange {
  /** V_fs in µV. */
  readonly fullScaleMicrovolts: number;
}

const STATE_CODE_MAX = 2 ** 15 - 1;

/** V_fs in volts. */
function fullScaleVolts({ fullScaleMicrovolts }: VoltRange): number {
  return fullScaleMicrovolts * 1e-6;
}

/**
 * The cell voltages [N], in volts, that ADC codes [N] stand for: code · 2^(2−b) · V_fs, b = `adcBits`. A mean
 * of codes may be given too. The error is at most half a step, 2^(1−b) · V_fs, if the ADC did not clip.
 * Errors: BAD_ARGUMENT.
 */
export function readingVolts(codes: ArrayLike<number>, range: VoltRange): Float64Array<ArrayBuffer> {
  checkRange(range);
  return scaled(codes, adcStep(range.adcBits) * fullScaleVolts(range));
}

/**
 * The codes [N] of an initial state nearest to `volts` [N]: roundHalfEven(volts / (2⁻¹⁴ V_fs)), clamped to
 * ±32767 (±2 V_fs); the board clamps further to its rail. NaN becomes 0. Errors: BAD_ARGUMENT.
 */
export function stateCodes(volts: Float64Array, range: VoltRange): Int16Array<ArrayBuffer> {
  checkVolts(volts, range);
  return quantizeVector(volts, 1 / (STATE_STEP * fullScaleVolts(range)), STATE_CODE_MAX);
}

/**
 * The voltages [N], in volts, that codes [N] of an initial state stand for: code · 2⁻¹⁴ · V_fs. Errors:
 * BAD_ARGUMENT.
 */
export function stateVolts(codes: ArrayLike<number>, range: VoltRange): Float64Array<ArrayBuffer> {
  checkRange(range);
  return scaled(codes, STATE_STEP * fullScaleVolts(range));
}

/**
 * The drive codes [N] nearest to `volts` [N], clamped to ±(2^(b−1) − 1), b = `driveBits`. A drive is a
 * current. Here it is given as a voltage: the drive would hold a cell at this voltage if its only conductance
 * were G_fs to ground. A full code is ±`driveRange` · V_fs. NaN becomes 0. Errors: BAD_ARGUMENT.
 */
export function driveCodes(volts: Float64Array, range: VoltRange): Int16Array<ArrayBuffer> {
  checkVolts(volts, range);
  return quantizeVector(
    volts,
    1 / (driveStep(range) * fullScaleVolts(range)),
    2 ** (range.driveBits - 1) - 1,
  );
}

/**
 * The voltages [N], in volts, that drive codes [N] stand for, in the sense of `driveCodes`. Errors:
 * BAD_ARGUMENT.
 */
export function driveVolts(codes: ArrayLike<number>, range: VoltRange): Float64Array<ArrayBuffer> {
  checkRange(range);
  return scaled(codes, driveStep(range) * fullScaleVolts(range));
}

function checkRange(range: VoltRange): void {
  checkObject('range', range, 'device.identity');
}

function checkVolts(volts: Float64Array, range: VoltRange): void {
  checkArray('volts', volts, 'Float64Array');
  checkRange(range);
}

function scaled(codes: ArrayLike<number>, stepVolts: number): Float64Array<ArrayBuffer> {
  if (!Array.isArray(codes)) checkObject('codes', codes, 'Int16Array.of(1, 2)');
  const volts = new Float64Array(codes.length);
  for (let i = 0; i < codes.length; i++) volts[i] = codes[i] * stepVolts;
  return volts;
}
