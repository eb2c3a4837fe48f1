import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimate, type Point } from '../../src/plot/decimate.js';
import { smooth } from '../../src/plot/smooth.js';
import { spread } from '../../src/plot/spread.js';
import { textWidth, wrapText } from '../../src/plot/text-width.js';
import { fillColor, inkOn, lineColor, readableColor } from '../../src/plot/theme.js';

describe('parts of a chart', () => {
  it('a thinned line keeps the first, last, highest and lowest point of every pixel, in order', () => {
    const points = fc.array(
      fc.tuple(fc.double({ min: 0, max: 9, noNaN: true }), fc.double({ noNaN: true })),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(points, fc.boolean(), (points, isSorted) => {
        if (isSorted) points.sort((a, b) => a[0] - b[0]);
        const kept = decimate(points);
        let at = -1;
        for (const point of kept) {
          const next = points.findIndex((other, index) => index > at && other === point);
          expect(next).toBeGreaterThan(at);
          at = next;
        }
        const columns = (all: readonly Point[]) => {
          const ys = new Map<number, number[]>();
          for (const [x, y] of all) ys.set(Math.floor(x), [...(ys.get(Math.floor(x)) ?? []), y]);
          return [...ys].map(([column, list]) => [column, Math.min(...list), Math.max(...list)]);
        };
        expect(columns(kept)).toEqual(columns(points));
        expect([kept[0], kept.at(-1)]).toEqual([points[0], points.at(-1)]);
        if (isSorted) expect(kept.length).toBeLessThanOrEqual(40);
      }),
    );
  });

  it('labels that overlap are moved apart, in their order and within their bounds; others stay', () => {
    const places = fc.array(fc.integer({ min: -50, max: 250 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(places, (places) => {
        const moved = spread(places, 16, 0, 200);
        const order = places.map((_, i) => i).sort((a, b) => places[a] - places[b]);
        for (const [rank, index] of order.entries()) {
          expect(moved[index]).toBeGreaterThanOrEqual(-1e-9);
          expect(moved[index]).toBeLessThanOrEqual(200 + 1e-9);
          if (rank > 0) expect(moved[index] - moved[order[rank - 1]]).toBeGreaterThanOrEqual(16 - 1e-9);
        }
        const isFree = order.every(
          (index, rank) => rank === 0 || places[index] - places[order[rank - 1]] >= 16,
        );
        if (isFree && Math.min(...places) >= 0 && Math.max(...places) <= 200) expect(moved).toEqual(places);
      }),
    );
  });

  it('a moving mean is a mean, keeps gaps, and uses the same number of values on each side', () => {
    const points = [1, 2, 6, Number.NaN, 4, 5, 9].map((y, x): [number, number] => [x, y]);
    expect(smooth(points, 3).map(([, y]) => y)).toEqual([1, 3, 6, Number.NaN, 4, 6, 9]);
    expect(smooth(points, 1)).toEqual(points);
    expect(smooth(points.slice(0, 2), 15)).toEqual(points.slice(0, 2));
  });

  it('a moving mean keeps every straight line of its axis up to the ends', () => {
    const numbers = fc.tuple(
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.double({ min: -3, max: 3, noNaN: true }),
    );
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 40 }), fc.nat(30), ([slope, start], count, window) => {
        const line = Array.from({ length: count }, (_, i): [number, number] => [i, start + slope * i]);
        const falling = line.map(([x, y]): [number, number] => [x, Math.exp(y)]);
        for (const [i, [x, y]] of smooth(line, window).entries()) {
          expect(x).toBe(i);
          expect(y).toBeCloseTo(line[i][1], 9);
        }
        for (const [i, [, y]] of smooth(falling, window, 'log').entries())
          expect(y / falling[i][1]).toBeCloseTo(1, 9);
      }),
    );
  });

  it('on a logarithmic axis values without a logarithm stay as they are and are left out of means', () => {
    const points = [1, 0, 4, -1, 9].map((y, x): [number, number] => [x, y]);
    const close = (y: number) => expect.closeTo(y, 9);
    const middle = (1 * 4 * 9) ** (1 / 3);
    expect(smooth(points, 5, 'log').map(([, y]) => y)).toEqual([close(1), 0, close(middle), -1, close(9)]);
  });

  it('wrapped text keeps all words, no line is wider than asked, and no line has a single word', () => {
    const word = fc.string({
      unit: fc.constantFrom('a', 'm', 'i', '×', '\u00A0'),
      minLength: 1,
      maxLength: 12,
    });
    const text = fc.array(
      word.map((letters) => `w${letters}w`),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(text, fc.integer({ min: 200, max: 800 }), (words, widthPx) => {
        const lines = wrapText(words.join(' '), widthPx, 12);
        expect(lines.join(' ')).toBe(words.join(' '));
        for (const line of lines) expect(textWidth(line, 12)).toBeLessThanOrEqual(widthPx);
      }),
    );
    const subtitle = `an emulated board computes while the host waits (modelled: ticks × h × τ)`;
    for (let widthPx = 150; widthPx < 450; widthPx += 10) {
      const lines = wrapText(subtitle, widthPx, 12);
      expect(lines.at(-1)!.split(' ').length).toBeGreaterThan(1);
    }
    expect(wrapText('W'.repeat(50), 100, 12)).toEqual([expect.stringMatching(/^W+…$/)]);
    expect(wrapText('', 100, 12)).toEqual([]);
  });

  it('colours of text have enough contrast', () => {
    for (let i = 0; i < 9; i++) expect(inkOn(fillColor(i))).toBe('#1f2328');
    expect(inkOn('#000000')).toBe('#ffffff');
    expect(readableColor('#ffffff')).not.toBe('#ffffff');
    expect(readableColor(lineColor(0))).toBe(lineColor(0));
    expect(readableColor('red')).toMatch(/^#/);
  });
});
