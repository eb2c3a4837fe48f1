/**
 * The common part of the imperfect drive DACs and ADC channels of a board. Each cell has one DAC and one
 * channel.
 */
import { FULL_SCALE } from '../../firmware-protocol/limits.js';
import { drawEach, drawGaussians } from './die-draws.js';
import { gainOf, roundShift, spreadOf } from './gain.js';
import {
  anySpreadPpm,
  type DieInfo,
  gains,
  integer,
  type Lists,
  list,
  type Magnitudes,
  percent,
} from './imperfection.js';

/**
 * Deviations of single codes repeat with the low bits. A converter behaves so if all its coarse steps share
 * one fine part.
 */
const CODE_PERIOD_LOG2 = 8;
const CODE_PERIOD = 1 << CODE_PERIOD_LOG2;
const BOW_UNIT = 134217728;
/** Deviations count in units of 1/LSB_PART of an LSB. */
export const LSB_PART = 256;

const deviationRule = integer(0, 4096, '1/256 LSB, a standard deviation');
/**
 * Spreads of gain, offset, bow (integral nonlinearity) at mid-range, and single codes (differential
 * nonlinearity).
 */
export const CONVERTER_MAGNITUDES = {
  gainSpreadPpm: anySpreadPpm(),
  offsetSpreadLsb256: deviationRule,
  bowSpreadLsb256: deviationRule,
  codeSpreadLsb256: deviationRule,
};

const measuredDeviation = list('cell', -65536, 65536, '1/256 LSB');
/** Gain in 2⁻²⁰, offset and bow. The deviations of single codes are drawn, and their mean is subtracted. */
export const CONVERTER_LISTS = { gain: gains('cell'), offset: measuredDeviation, bow: measuredDeviation };

type ConverterEffect = Magnitudes<typeof CONVERTER_MAGNITUDES>;

/**
 * The draw numbers of one kind of converter. For the deviation of a single code, the line of the draw is the
 * cell.
 */
interface ConverterDraws {
  readonly gain: number;
  readonly offset: number;
  readonly bow: number;
  readonly code: number;
}

/** The errors of the converters of a board, one converter per cell. */
export interface ConverterParts {
  /** In 2⁻²⁰. */
  readonly gain: Int32Array;
  /** Offset, bow and each code's own deviation, in 1/256 LSB. */
  readonly offset: Int32Array;
  readonly bow: Int32Array;
  readonly code: Int32Array;
}

export function makeConverters(
  effect: ConverterEffect,
  die: DieInfo,
  draws: ConverterDraws,
  measured: Lists<typeof CONVERTER_LISTS> | undefined,
): ConverterParts {
  const { dieSeed, cells } = die;
  const code = new Int32Array(CODE_PERIOD * cells);
  for (let cell = 0; cell < cells; cell++)
    code.set(
      Int32Array.from(drawGaussians(dieSeed, draws.code, cell, CODE_PERIOD), (z) =>
        spreadOf(effect.codeSpreadLsb256, z),
      ),
      CODE_PERIOD * cell,
    );
  if (measured) {
    centre(code);
    return {
      gain: Int32Array.from(measured.gain),
      offset: Int32Array.from(measured.offset),
      bow: Int32Array.from(measured.bow),
      code,
    };
  }
  return {
    gain: drawEach(die, draws.gain, (z) => gainOf(effect.gainSpreadPpm, z)),
    offset: drawEach(die, draws.offset, (z) => spreadOf(effect.offsetSpreadLsb256, z)),
    bow: drawEach(die, draws.bow, (z) => spreadOf(effect.bowSpreadLsb256, z)),
    code,
  };
}

/**
 * Subtracts from the code deviations of each cell their mean, because a measured offset already includes this
 * mean.
 */
function centre(code: Int32Array): void {
  for (let first = 0; first < code.length; first += CODE_PERIOD) {
    const own = code.subarray(first, first + CODE_PERIOD);
    const mean = roundShift(
      own.reduce((sum, d) => sum + d, 0),
      CODE_PERIOD_LOG2,
    );
    for (let k = 0; k < CODE_PERIOD; k++) own[k] -= mean;
  }
}

/**
 * The error of the code of a cell without the error of its gain, in 1/256 LSB: offset + bow·(1 − x²) + the
 * code's own deviation, x = code / 2^(bits−1).
 */
export function deviation(parts: ConverterParts, cell: number, code: number, bits: number): number {
  const x = code * (1 << (16 - bits));
  const arch = (1 << 30) - x * x;
  const bow = Math.floor((parts.bow[cell] * (arch >> 3) + BOW_UNIT / 2) / BOW_UNIT);
  return parts.offset[cell] + bow + parts.code[CODE_PERIOD * cell + (code & (CODE_PERIOD - 1))];
}

/** One step of the drive DAC in 2⁻²⁴ V_fs·G_fs: its range ± R V_fs·G_fs over 2^driveBits codes. */
export function driveStep({ driveRange, driveBits }: Pick<DieInfo, 'driveRange' | 'driveBits'>): number {
  return (2 * driveRange * FULL_SCALE) / (1 << driveBits);
}

export function converterSize(effect: ConverterEffect): string {
  const deviations = [effect.offsetSpreadLsb256, effect.bowSpreadLsb256, effect.codeSpreadLsb256];
  return `${percent(effect.gainSpreadPpm)}; ${deviations.map((d) => d / LSB_PART).join(', ')} LSB`;
}
