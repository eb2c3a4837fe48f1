import type { ConverterEffect } from '../profiles/die-effects.js';
import type { MeasuredConverter } from '../profiles/measured-parts.js';
import { type DieDraw, drawGaussians } from './die-draws.js';
import { gainOf, roundShift, spreadOf } from './gain.js';

/** The deviations of neighbouring codes repeat with the low bits, as where one fine converter serves every coarse step. */
const CODE_PERIOD_LOG2 = 8;
const CODE_PERIOD = 1 << CODE_PERIOD_LOG2;
const BOW_UNIT = 134217728;

/** One converter per cell, each a little wrong. Deviations are in 1/256 LSB. */
export interface ConverterParts {
  /** In 2⁻²⁰. */
  readonly gain: Int32Array;
  readonly offset: Int32Array;
  readonly bow: Int32Array;
  readonly code: Int32Array;
}

/** Which draws a kind of converter takes. */
export interface ConverterDraws {
  readonly gain: DieDraw;
  readonly offset: DieDraw;
  readonly bow: DieDraw;
  readonly code: DieDraw;
}

export function makeConverters(
  dieSeed: number,
  effect: ConverterEffect,
  draws: ConverterDraws,
  cells: number,
  measured?: MeasuredConverter,
): ConverterParts {
  const each = (draw: DieDraw, value: (z: number) => number) =>
    Int32Array.from(drawGaussians(dieSeed, draw, 0, cells), value);
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
    gain: each(draws.gain, (z) => gainOf(effect.gainSpreadPpm, z)),
    offset: each(draws.offset, (z) => spreadOf(effect.offsetSpreadLsb256, z)),
    bow: each(draws.bow, (z) => spreadOf(effect.bowSpreadLsb256, z)),
    code,
  };
}

/** Takes each cell's mean off its codes' deviations: it is in a measured offset. */
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
 * How far the code of cell i lies from where it should, gain apart, in 1/256 LSB: offset + bow·(1 − x²) + the code's own,
 * x = code / 2^(bits−1).
 */
export function deviation(parts: ConverterParts, cell: number, code: number, bits: number): number {
  const x = code * (1 << (16 - bits));
  const arch = (1 << 30) - x * x;
  const bow = Math.floor((parts.bow[cell] * (arch >> 3) + BOW_UNIT / 2) / BOW_UNIT);
  return parts.offset[cell] + bow + parts.code[CODE_PERIOD * cell + (code & (CODE_PERIOD - 1))];
}
