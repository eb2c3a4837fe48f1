import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeScale } from '../../src/plot/scale.js';
import { linearTicks, logTicks, type Tick } from '../../src/plot/ticks.js';

function text({ label, exponent }: Tick): string {
  return exponent === undefined ? label : `${label}^${exponent}`;
}

/** The number in a label. */
function read({ label, exponent }: Tick): number {
  const plain = label.replaceAll('\u2212', '-').replaceAll(',', '');
  if (exponent === undefined) return Number(plain);
  const mantissa = plain === '10' ? '1' : plain.replace(/×10$/, '');
  return Number(`${mantissa}e${exponent.replace('\u2212', '-')}`);
}

const anyDouble = fc.oneof(
  fc.double({ noNaN: true }),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.integer({ min: -10_000, max: 10_000 }),
);

describe('ticks', () => {
  it.each([
    [linearTicks(0, 1, 5), '0 0.2 0.4 0.6 0.8 1.0'],
    [linearTicks(-0.3, 0.3, 3), '−0.2 0 0.2'],
    [linearTicks(0, 1400, 7), '0 200 400 600 800 1,000 1,200 1,400'],
    [linearTicks(0, 3, 9, { isWhole: true }), '0 1 2 3'],
    [linearTicks(3e-9, 5e-9, 2), '3×10^−9 4×10^−9 5×10^−9'],
    [linearTicks(0, 2e7, 2), '0 1×10^7 2×10^7'],
    [logTicks(0.05, 2, 6), '0.05 0.1 0.2 0.5 1 2'],
    [logTicks(1e-8, 1, 4), '10^−8 10^−6 10^−4 10^−2 10^0'],
    [logTicks(0.3, 0.5, 4), '0.30 0.35 0.40 0.45 0.50'],
  ])('%#', (ticks, expected) => {
    expect(
      ticks
        .filter(({ label }) => label !== '')
        .map(text)
        .join(' '),
    ).toBe(expected);
  });

  it('are on the axis, in order, and have different labels with their values', () => {
    fc.assert(
      fc.property(
        fc.array(anyDouble, { maxLength: 5 }),
        fc.constantFrom('linear' as const, 'log' as const),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(0, 0.04),
        (values, kind, count, padding) => {
          const scale = makeScale({ label: '', scale: kind }, values, padding);
          expect(scale.low).toBeLessThan(scale.high);
          expect(Number.isFinite(scale.low) && Number.isFinite(scale.high)).toBe(true);
          for (const value of values.filter(scale.canPlace)) {
            expect(scale.place(value)).toBeGreaterThanOrEqual(0);
            expect(scale.place(value)).toBeLessThanOrEqual(1);
          }
          const ticks = scale.ticks(count);
          const labelled = ticks.filter(({ label }) => label !== '');
          expect(labelled.length).toBeLessThanOrEqual(2.3 * count + 3);
          expect(new Set(labelled.map(text)).size).toBe(labelled.length);
          const span = scale.high - scale.low;
          for (const tick of ticks) {
            expect(tick.value).toBeGreaterThanOrEqual(scale.low - 1e-6 * span);
            expect(tick.value).toBeLessThanOrEqual(scale.high + 1e-6 * span);
          }
          for (const tick of labelled)
            expect(Math.abs(read(tick) - tick.value)).toBeLessThanOrEqual(
              1e-6 * (kind === 'log' ? tick.value : span),
            );
        },
      ),
      { numRuns: 300, examples: [[[9.4e-323, 0], 'linear', 1, 0.04]] },
    );
  });
});
