import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatNumber,
  formatPercent,
  formatSeconds,
} from '../../src/cli/output/format.js';
import { formatTable } from '../../src/cli/output/table.js';
import { columnCount, fitColumns, printable } from '../../src/cli/output/text-width.js';

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

  it('what is not finite stays visible', () => {
    for (const format of [formatNumber, formatSeconds, formatBytes, formatPercent, formatCount]) {
      expect(format(Number.NaN)).toMatch(/^NaN/);
      expect(format(Number.POSITIVE_INFINITY)).toMatch(/^∞/);
      expect(format(Number.NEGATIVE_INFINITY)).toMatch(/^-∞/);
    }
    for (const seconds of [Number.NaN, Number.POSITIVE_INFINITY, -1])
      expect(formatClock(seconds)).toBe('-:--');
  });
});

describe('tables', () => {
  it('columns line up whatever is in them', () => {
    const cells = fc.array(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 3, maxLength: 3 }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(cells, (rows) => {
        const lines = formatTable(rows.map((row) => [...row, '|'])).split('\n');
        expect(lines.pop()).toBe('');
        expect(lines).toHaveLength(rows.length);
        expect(new Set(lines.map(columnCount)).size).toBe(1);
      }),
    );
  });

  it('looks as it should', () => {
    const rows = [
      ['x̂', '1.50'],
      ['board', '12.25'],
    ];
    expect(formatTable(rows, { header: ['part', 'ms'], align: ['left', 'right'] })).toBe(
      ['  part      ms', '  ─────  ─────', '  x̂       1.50', '  board  12.25', ''].join('\n'),
    );
  });

  it('text that would steer a terminal is shown instead', () => {
    expect(printable('a\x1b[31m\u202Eb\tc\n d\u0000')).toBe('a\\u001b[31m\\u202eb c d\\u0000');
    expect(fitColumns('abcdef', 4)).toBe('abc…');
    expect(fitColumns('x̂ŷẑ', 3)).toBe('x̂ŷẑ');
  });
});
