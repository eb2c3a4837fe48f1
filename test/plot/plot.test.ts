import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { barChart } from '../../src/plot/bar-chart.js';
import type { Chart } from '../../src/plot/chart.js';
import type { Point } from '../../src/plot/decimate.js';
import { figure } from '../../src/plot/figure.js';
import { type LineChartSpec, lineChart } from '../../src/plot/line-chart.js';
import { textWidth } from '../../src/plot/text-width.js';
import { descendants, parseXml, type XmlElement } from '../cli/support/parse-xml.js';
import { anyCharacters, law } from '../support/law.js';

const WIDTH_PX = 760;

interface Panel {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly points: Point[];
  readonly elements: readonly XmlElement[];
}

/** The panels of a figure with all points of their curves, in the coordinates of the panel. */
function panelsOf(svg: XmlElement): Panel[] {
  return [...descendants(svg)].flatMap(({ children }) => {
    const area = children.find(({ attributes }) => attributes['class'] === 'plot-area');
    if (area === undefined) return [];
    const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((name) => Number(area.attributes[name]));
    const curves = children.filter(({ attributes }) => attributes['class'] === undefined);
    const points = curves.flatMap((element): Point[] => {
      const { cx, cy, d } = element.attributes;
      if (element.name === 'circle') return [[Number(cx), Number(cy)]];
      return element.name === 'path'
        ? [...d.matchAll(/(-?[\d.]+) (-?[\d.]+)/g)].map((m) => [+m[1], +m[2]])
        : [];
    });
    return [{ left: x, top: y, right: x + width, bottom: y + height, points, elements: children }];
  });
}

/** Draws a figure, and checks the rules that hold for every figure. */
function draw(charts: readonly Chart[], title?: string): XmlElement {
  const svg = figure(charts, title === undefined ? {} : { title });
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  expect(svg).not.toMatch(/(?:href|url\(|@import|<script)/);
  const root = parseXml(svg);
  expect(root.attributes['viewBox']).toBe(`0 0 ${WIDTH_PX} ${root.attributes['height']}`);
  const [background] = root.children.filter(({ name }) => name === 'rect');
  expect(background.attributes).toMatchObject({ width: `${WIDTH_PX}`, fill: '#ffffff' });
  for (const panel of panelsOf(root))
    for (const [x, y] of panel.points) {
      expect(x).toBeGreaterThanOrEqual(panel.left);
      expect(x).toBeLessThanOrEqual(panel.right);
      expect(y).toBeGreaterThanOrEqual(panel.top);
      expect(y).toBeLessThanOrEqual(panel.bottom);
    }
  for (const element of descendants(root)) {
    checkText(element);
    expect(element.attributes).not.toHaveProperty('onload');
  }
  return root;
}

/** Text is not white on white, and lies on the paper (all groups are moved by the padding of 20). */
function checkText({ name, attributes, text }: XmlElement): void {
  if (name !== 'text') return;
  const width = textWidth(text, Number(attributes['font-size']));
  const anchor = { start: 0, middle: 0.5, end: 1 }[attributes['text-anchor'] ?? 'start']!;
  const left = Number(attributes['x']) - anchor * width;
  expect(left).toBeGreaterThanOrEqual(-20);
  expect(left + width).toBeLessThanOrEqual(WIDTH_PX);
  expect(attributes['fill']).toMatch(/^#[0-9a-f]{6}$/);
}

const STEPS = Array.from({ length: 50 }, (_, i) => i);
const XY = { x: { label: 'step' }, y: { label: 'loss' } };

function chartOf(spec: Partial<LineChartSpec>): Chart {
  return lineChart({ title: 'T', ...XY, series: [], ...spec });
}

describe('line charts', () => {
  const anyNumber = fc.oneof(
    fc.double(),
    fc.double({ min: -10, max: 10 }),
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 5e-324, 1e308, -1e308),
  );
  const anyText = fc.oneof(
    fc.string(),
    anyCharacters,
    fc.constantFrom('<a b="&">', ']]>', '\ud800', 'a long text '.repeat(40), 'W'.repeat(300)),
  );
  const scales = fc.constantFrom('linear' as const, 'log' as const);
  const anySeries = fc.record({
    name: anyText,
    points: fc.array(fc.tuple(anyNumber, anyNumber), { maxLength: 30 }),
    dashed: fc.boolean(),
    faint: fc.boolean(),
    color: fc.constantFrom('#e0e0e0', 'red" onload="<x>'),
  });
  const annotation = fc.record({
    axis: fc.constantFrom('x' as const, 'y' as const),
    at: anyNumber,
    label: anyText,
  });

  law(
    'of any numbers and texts are well-formed, with all points in the plot area',
    { seed: 71, numRuns: 60 },
    (runs) => {
      const axis = fc.record({
        label: anyText,
        scale: scales,
        include: fc.array(anyNumber, { maxLength: 2 }),
      });
      const spec = fc.record({
        title: anyText,
        subtitle: anyText,
        x: axis,
        y: axis,
        series: fc.array(anySeries, { maxLength: 8 }),
        annotations: fc.array(annotation, { maxLength: 3 }),
      });
      fc.assert(
        fc.property(fc.array(spec, { minLength: 1, maxLength: 2 }), (specs) => {
          draw(specs.map(lineChart));
        }),
        runs,
      );
    },
  );

  it('place points at their values on the axis', () => {
    const chart = chartOf({
      y: { label: '', scale: 'log', include: [0.01, 1] },
      series: [
        {
          name: '',
          points: [
            [0, 1],
            [10, 0.1],
            [20, 0.01],
          ],
        },
      ],
    });
    const [{ points, left, top, right, bottom }] = panelsOf(draw([chart]));
    expect(points).toEqual([
      [left, top],
      [expect.closeTo((left + right) / 2, 0), (top + bottom) / 2],
      [right, bottom],
    ]);
  });

  it('break the line at gaps and show a single point as a dot', () => {
    const points = STEPS.map((x): [number, number] => [x, x === 10 || x === 12 ? Number.NaN : x]);
    const [{ elements }] = panelsOf(draw([chartOf({ series: [{ name: 'a', points }] })]));
    const [path] = elements.filter(({ name, attributes }) => name === 'path' && !attributes['class']);
    expect(path.attributes['d'].match(/M/g)).toHaveLength(2);
    expect(elements.filter(({ name }) => name === 'circle')).toHaveLength(1);
  });

  it('show a dot in the legend for a curve that is drawn as dots', () => {
    const dots = STEPS.slice(0, 5).flatMap((x): [number, number][] => [
      [x, x],
      [x, Number.NaN],
    ]);
    const line = STEPS.map((x): [number, number] => [x, -x]);
    const series = [
      { name: 'dots', points: dots },
      { name: 'line', points: line },
    ];
    const root = draw([chartOf({ series })]);
    const circles = [...descendants(root)].filter(({ name }) => name === 'circle');
    expect(circles).toHaveLength(5 + 1);
  });

  it('with very many points have small files and keep every peak', { tags: 'long' }, () => {
    const count = 300_000;
    const points = Array.from({ length: count }, (_, i): [number, number] => [
      i,
      i === 123_456 ? 9 : Math.sin(i),
    ]);
    const svg = figure([chartOf({ series: [{ name: 'a', points }] })]);
    expect(svg.length).toBeLessThan(60_000);
    const [panel] = panelsOf(parseXml(svg));
    const highest = Math.min(...panel.points.map(([, y]) => y));
    expect(highest).toBeLessThan(panel.top + 0.06 * (panel.bottom - panel.top));
  });

  it('name curves at their ends without overlap, in readable colours, or in a row above the plot', () => {
    const series = Array.from({ length: 9 }, (_, i) => ({
      name: `series ${i}`,
      points: STEPS.map((x): [number, number] => [x, x + 0.001 * i]),
    }));
    const root = draw([chartOf({ series })]);
    const [panel] = panelsOf(root);
    const names = panel.elements.filter(({ text }) => text.startsWith('series'));
    expect(names).toHaveLength(9);
    const middles = names.map(({ attributes }) => Number(attributes['y'])).sort((a, b) => a - b);
    for (let i = 1; i < middles.length; i++) expect(middles[i] - middles[i - 1]).toBeGreaterThan(15);
    for (const { attributes } of names) expect(Number(attributes['x'])).toBeGreaterThan(panel.right);
    // A curve that ends early has no free place beside it. Then all names go above the plot.
    const short = { name: 'series 9', points: series[0].points.slice(0, 20) };
    const [above] = panelsOf(draw([chartOf({ series: [...series, short] })]));
    expect(above.elements.filter(({ text }) => text.startsWith('series'))).toHaveLength(0);
  });

  it('say that there is no data', () => {
    expect(draw([chartOf({})]).text).toContain('no data');
    const only = [[1, Number.NaN]] as const;
    expect(draw([chartOf({ series: [{ name: 'a', points: only }] })]).text).toContain('no data');
  });
});

describe('figures', () => {
  it('align their panels, and have the same bytes every time', () => {
    const wide = chartOf({
      y: { label: '', format: (v) => `${v} of a long unit` },
      series: [
        {
          name: 'a',
          points: [
            [0, 1],
            [9, 2],
          ],
        },
      ],
    });
    const narrow = chartOf({
      series: [
        {
          name: 'a much longer name',
          points: [
            [0, 1],
            [9, 2],
          ],
        },
      ],
    });
    const bars = barChart({
      title: 'B',
      x: { label: 's' },
      bars: [{ name: 'b', segments: [{ name: 'c', value: 1 }] }],
    });
    const panels = panelsOf(draw([wide, narrow, bars], 'All'));
    expect(panels).toHaveLength(3);
    for (const { left, right } of panels) expect([left, right]).toEqual([panels[0].left, panels[0].right]);
    expect(figure([wide, narrow, bars])).toBe(figure([wide, narrow, bars]));
  });
});

describe('bar charts', () => {
  it('stack any segments from 0 without overlap, in proportion', () => {
    const values = fc.oneof(fc.double(), fc.double({ min: 0, max: 10 }), fc.constantFrom(0, Number.NaN, -1));
    const segments = fc.array(fc.record({ name: fc.string(), value: values }), { maxLength: 12 });
    const bars = fc.array(fc.record({ name: fc.string(), segments }), { maxLength: 4 });
    fc.assert(
      fc.property(bars, (bars) => {
        const [{ elements, left, right }] = panelsOf(
          draw([barChart({ title: 'B', x: { label: 's' }, bars })]),
        );
        const rects = elements.filter(({ name, attributes }) => name === 'rect' && !attributes['class']);
        const tops = new Set(rects.map(({ attributes }) => attributes['y']));
        for (const top of tops) {
          let end = left;
          for (const { attributes } of rects.filter((rect) => rect.attributes['y'] === top)) {
            expect(Number(attributes['x'])).toBeGreaterThanOrEqual(end - 0.2);
            end = Number(attributes['x']) + Number(attributes['width']);
          }
          expect(end).toBeLessThanOrEqual(right + 0.2);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('with one segment write its length once, and do not cut names up to a third of the width', () => {
    const name = 'tuned: kept state, t_d 0.2 τ';
    const svg = draw([
      barChart({
        title: 'B',
        x: { label: 's' },
        bars: [{ name, segments: [{ name: 'loss', value: 1.57 }] }],
      }),
    ]);
    const texts = [...descendants(svg)].filter((e) => e.name === 'text').map((e) => JSON.stringify(e));
    expect(texts.filter((text) => text.includes('1.57'))).toHaveLength(1);
    expect(texts.filter((text) => text.includes(name))).toHaveLength(1);
  });

  it('write lengths into segments that are wide enough, and totals after the bars', () => {
    const text = draw([
      barChart({
        title: 'B',
        x: { label: 'time', format: (value) => `${value.toFixed(1)} s` },
        bars: [
          {
            name: 'tngd',
            segments: [
              { name: 'map', value: 6 },
              { name: 'board', value: 0.01 },
              { name: 'read', value: 2 },
            ],
          },
        ],
      }),
    ]);
    const texts = [...descendants(text)].filter(({ name }) => name === 'text').map((element) => element.text);
    expect(texts).toEqual(expect.arrayContaining(['6.0 s', '2.0 s', '8.0 s', 'map', 'board', 'tngd', '4 s']));
    expect(texts).not.toContain('0.0 s');
  });
});
