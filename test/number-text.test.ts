import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  counted,
  formatBytes,
  formatClock,
  formatCount,
  formatExact,
  formatMeasured,
  formatNumber,
  formatPercent,
  formatSeconds,
} from '../src/number-text.js';

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

function sizeOf(text: string): number {
  const [number, unit = 's'] = text.split(' ');
  return Number(number.replaceAll(',', '')) * UNITS[unit];
}

describe('numbers as text', () => {
  it('read back to three digits', () => {
    const sizes = fc.double({ min: 1e-9, max: 1e14, noNaN: true });
    fc.assert(
      fc.property(sizes, fc.boolean(), (size, isNegative) => {
        const value = isNegative ? -size : size;
        const within = 0.00501 * size;
        expect(Math.abs(sizeOf(formatNumber(value)) - value)).toBeLessThanOrEqual(within);
        expect(Math.abs(sizeOf(formatSeconds(value)) - value)).toBeLessThanOrEqual(within);
        if (size >= 1000) expect(Math.abs(sizeOf(formatBytes(value)) - value)).toBeLessThanOrEqual(within);
      }),
    );
  });

  it('a count has its noun in the right number', () => {
    expect([0, 1, 2, 1234].map((count) => counted(count, 'code'))).toEqual([
      '0 codes',
      '1 code',
      '2 codes',
      '1,234 codes',
    ]);
    expect([1, 2].map((count) => counted(count, 'pass', 'passes'))).toEqual(['1 pass', '2 passes']);
  });

  it('a formatted exact value reads back to the same bits', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(numberOf(formatExact(value))).toBe(value + 0);
      }),
    );
    expect([1e-9, 0.01, 2e-5, 1e6, 1234.5, -0].map(formatExact)).toEqual([
      '1e-9',
      '0.01',
      '2e-5',
      '1e6',
      '1,234.5',
      '0',
    ]);
  });

  it('a zero has no sign, and no exponent is 0', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.double({ min: 1e-9, max: 1 }),
        (x, e) => {
          const { value, error } = formatMeasured(x, e);
          for (const text of [formatNumber(x), formatExact(x), formatPercent(x), value, error]) {
            expect(text).not.toMatch(/^-[0.]+(e|$| )/);
            expect(text).not.toMatch(/e-?0$/);
            expect(text).not.toContain('\u2212');
          }
        },
      ),
    );
  });

  it.each([
    [formatNumber(0.12345), '0.123'],
    [formatNumber(999.96), '1,000'],
    [formatNumber(-0), '0'],
    [formatNumber(12.3456, 5), '12.346'],
    [formatNumber(3.21e-7), '3.21e-7'],
    [formatNumber(1234567), '1.23e6'],
    [formatSeconds(0), '0 s'],
    [formatSeconds(1.5e-10), '0.150 ns'],
    [formatSeconds(0.9999), '1.00 s'],
    [formatSeconds(754), '754 s'],
    [formatBytes(812), '812 B'],
    [formatBytes(999.7), '1.00 kB'],
    [formatBytes(12_345), '12.3 kB'],
    [formatBytes(5e15), '5,000 TB'],
    [formatPercent(0.97541), '97.5 %'],
    [formatPercent(1, 0), '100 %'],
    [formatCount(1234567), '1,234,567'],
    [formatClock(7.9), '0:07'],
    [formatClock(754), '12:34'],
    [formatClock(3723), '1:02:03'],
  ])('%s is %s', (actual, expected) => expect(actual).toBe(expected));

  it('a value that is not finite stays visible', () => {
    for (const format of [formatNumber, formatSeconds, formatBytes, formatPercent, formatCount]) {
      expect(format(Number.NaN)).toMatch(/^NaN/);
      expect(format(Number.POSITIVE_INFINITY)).toMatch(/^∞/);
      expect(format(Number.NEGATIVE_INFINITY)).toMatch(/^-∞/);
    }
    for (const seconds of [Number.NaN, Number.POSITIVE_INFINITY, -1])
      expect(formatClock(seconds)).toBe('-:--');
  });
});

/** The power of ten of the last digit that a text shows. */
function lastPlaceOf(text: string): number {
  const [, decimals = '', exponent = '0'] = /^-?[\d,]+(?:\.(\d*))?(?:e(-?\d+))?$/.exec(text)!;
  return Number(exponent) - decimals.length;
}

const numberOf = (text: string): number => Number(text.replaceAll(',', ''));

describe('a value with its standard error', () => {
  const sizes = fc.tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -12, max: 9 }));
  const values = sizes.map(([mantissa, order]) => mantissa * 10 ** order);

  it('has the digits that the error leaves significant, and both numbers end at the same place', () => {
    fc.assert(
      fc.property(values, values, fc.boolean(), (size, error, isNegative) => {
        // The digits of a float64 value beyond the 15th mean nothing.
        fc.pre(error > size * 1e-13);
        const x = isNegative ? -size : size;
        const texts = formatMeasured(x, error);
        expect(Math.abs(numberOf(texts.error) - error)).toBeLessThanOrEqual(0.0501 * error);
        expect(Math.abs(numberOf(texts.value) - x)).toBeLessThanOrEqual(0.0502 * error);
        // The last zeros of a whole number may not be significant digits.
        if (/[.e]/.test(texts.error)) expect(lastPlaceOf(texts.value)).toBe(lastPlaceOf(texts.error));
      }),
    );
  });

  it.each([
    [0.0909090909, 0.00123, '0.0909', '0.0012'],
    [0.45454545445, 8.8e-11, '0.454545454450', '8.8e-11'],
    [-0.816656, 0.00099, '-0.81666', '0.00099'],
    [-0.816656, 0.000999, '-0.8167', '0.0010'],
    [9.0909e-9, 1.2e-10, '9.09e-9', '0.12e-9'],
    [-0.00001, 0.012, '0.000', '0.012'],
    [1234.5, 98, '1,235', '98'],
    [123_456, 1234, '123,500', '1,200'],
    [2, 0, '2.00000', '0'],
    [2, Number.NaN, '2.00000', 'NaN'],
    [2, Number.POSITIVE_INFINITY, '2.00000', '∞'],
  ])('%d ± %d', (value, error, valueText, errorText) => {
    expect(formatMeasured(value, error)).toEqual({ value: valueText, error: errorText });
  });
});
