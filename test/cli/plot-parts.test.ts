import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimate, type Point } from '../../src/cli/plot/decimate.js';
import { smooth } from '../../src/cli/plot/smooth.js';
import { spread } from '../../src/cli/plot/spread.js';
import { fillColor, inkOn, lineColor, readableColor } from '../../src/cli/plot/theme.js';

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

  it('places are moved apart, in their order, within their bounds, and not without need', () => {
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

  it('a moving average keeps constants and gaps, and is a mean', () => {
    expect(
      smooth(
        [
          [0, 1],
          [1, 2],
          [2, 6],
          [3, Number.NaN],
          [4, 4],
        ],
        3,
      ),
    ).toEqual([
      [0, 1.5],
      [1, 3],
      [2, 4],
      [3, Number.NaN],
      [4, 4],
    ]);
    expect(
      smooth(
        [
          [0, 5],
          [1, 7],
        ],
        1,
      ),
    ).toEqual([
      [0, 5],
      [1, 7],
    ]);
  });

  it('colours of text can be read', () => {
    for (let i = 0; i < 9; i++) expect(inkOn(fillColor(i))).toBe('#1f2328');
    expect(inkOn('#000000')).toBe('#ffffff');
    expect(readableColor('#ffffff')).not.toBe('#ffffff');
    expect(readableColor(lineColor(0))).toBe(lineColor(0));
    expect(readableColor('red')).toMatch(/^#/);
  });
});
