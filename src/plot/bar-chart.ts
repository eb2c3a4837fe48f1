import { drawAxes, overhang, X_AXIS_PX, xTicks } from './axes.js';
import type { Box, Chart, Drawing, Margins } from './chart.js';
import { drawHeader } from './header.js';
import { makeScale, type Scale } from './scale.js';
import { element, escapeXml, group, textElement } from './svg.js';
import { fitText, textWidth } from './text-width.js';
import { BACKGROUND, FONT_PX, fillColor, INK, inkOn, MUTED_INK, SMALL_FONT_PX } from './theme.js';

export interface BarSegment {
  readonly name: string;
  /** The length. It counts as 0 if it is below 0, NaN or beyond 1e200. */
  readonly value: number;
}

export interface Bar {
  readonly name: string;
  readonly segments: readonly BarSegment[];
}

export interface BarChartSpec {
  readonly title: string;
  readonly subtitle?: string;
  readonly x: {
    readonly label: string;
    /** Writes ticks, lengths and totals. Default: ticks as round numbers, lengths with three digits. */
    readonly format?: (value: number) => string;
  };
  readonly bars: readonly Bar[];
}

const BAR_PX = 24;
const BAR_GAP_PX = 12;
const NAME_GAP_PX = 10;
const TOTAL_GAP_PX = 6;
/** Largest share of the width for a name. A longer name is cut. */
const NAME_SHARE = 0.35;

/**
 * Horizontal bars of stacked segments from 0. The total is written after the bar. If a bar has several
 * segments, the length of each is written into the segment if it fits.
 */
export function barChart(spec: BarChartSpec): Chart {
  const bars = spec.bars.map(({ name, segments }) => ({
    name,
    segments: segments.map((segment) => ({ ...segment, value: lengthOf(segment.value) })),
  }));
  const totals = bars.map(({ segments }) => segments.reduce((sum, { value }) => sum + value, 0));
  const write = spec.x.format ?? ((value: number) => String(Number(value.toPrecision(3))));
  const format = (value: number) => withoutZeros(write(value));
  const scale = makeScale({ label: '', include: [0], format }, totals, 0);
  return {
    title: spec.title,
    margins: (widthPx) => marginsOf(bars, totals.map(write), scale, widthPx),
    draw: (widthPx, margins) => draw(spec, bars, totals, scale, write, widthPx, margins),
  };
}

/** Writes `5 ms` for `5.00 ms`: a tick is a round number, so its zeros carry no information. */
function withoutZeros(text: string): string {
  return text.replace(/(\.\d*?)0+(?!\d)/, '$1').replace(/\.(?!\d)/, '');
}

function lengthOf(value: number): number {
  // The upper bound keeps sums finite.
  return value > 0 && value < 1e200 ? value : 0;
}

function marginsOf(bars: readonly Bar[], totals: readonly string[], scale: Scale, widthPx: number): Margins {
  const namesPx = Math.max(0, ...bars.map(({ name }) => textWidth(name, FONT_PX))) + NAME_GAP_PX;
  const totalsPx = Math.max(0, ...totals.map((total) => textWidth(total, FONT_PX))) + TOTAL_GAP_PX;
  const leftPx = Math.min(namesPx, widthPx * NAME_SHARE);
  const beyond = overhang(xTicks(scale, widthPx * 0.6), scale, widthPx * 0.6);
  return {
    leftPx: Math.ceil(Math.max(leftPx, beyond.left)),
    rightPx: Math.ceil(Math.max(totalsPx, beyond.right)),
  };
}

function draw(
  spec: BarChartSpec,
  bars: readonly Bar[],
  totals: readonly number[],
  scale: Scale,
  write: (value: number) => string,
  widthPx: number,
  { leftPx, rightPx }: Margins,
): Drawing {
  // Segments of the same name have the same colour in all bars.
  const segments = bars.flatMap((bar) => bar.segments).filter(({ value }) => value > 0);
  const names = [...new Set(segments.map(({ name }) => name))];
  const legend = names.map((name, index) => ({ name, color: fillColor(index), mark: 'area' as const }));
  const header = drawHeader(spec, legend, widthPx);
  const heightPx = bars.length * (BAR_PX + BAR_GAP_PX) + BAR_GAP_PX;
  const plot: Box = { left: leftPx, top: 0, right: widthPx - rightPx, bottom: heightPx };
  const ticks = xTicks(scale, plot.right - plot.left);
  const parts = [
    drawAxes(plot, { scale, ticks, label: spec.x.label }, { scale, ticks: [], label: '' }),
    ...bars.map((bar, index) => {
      const top = BAR_GAP_PX + index * (BAR_PX + BAR_GAP_PX);
      const colorOf = (name: string) => fillColor(names.indexOf(name));
      return (
        drawBarName(bar.name, plot.left, top) +
        drawSegments(bar, top, plot, scale, colorOf, write) +
        drawTotal(
          write(totals[index]),
          plot.left + scale.place(totals[index]) * (plot.right - plot.left),
          top,
        )
      );
    }),
  ];
  const topPx = header.heightPx + 4;
  return {
    markup: header.markup + group(0, topPx, parts.join('')),
    heightPx: topPx + heightPx + X_AXIS_PX,
  };
}

function drawBarName(name: string, left: number, top: number): string {
  return textElement(fitText(name, left - NAME_GAP_PX, FONT_PX), {
    x: left - NAME_GAP_PX,
    y: top + BAR_PX / 2 + 4,
    'text-anchor': 'end',
    'font-size': FONT_PX,
    fill: INK,
  });
}

function drawSegments(
  bar: Bar,
  top: number,
  plot: Box,
  scale: Scale,
  colorOf: (name: string) => string,
  write: (value: number) => string,
): string {
  const parts: string[] = [];
  let sum = 0;
  for (const { name, value } of bar.segments) {
    const left = plot.left + scale.place(sum) * (plot.right - plot.left);
    sum += value;
    const right = plot.left + scale.place(sum) * (plot.right - plot.left);
    const width = right - left;
    if (width < 0.05) continue;
    const text = write(value);
    const fill = colorOf(name);
    // A white edge separates neighbours even if their colours look alike. Thin segments have no edge, because
    // it would hide them.
    const edge = width > 3 ? { stroke: BACKGROUND, 'stroke-width': 1 } : {};
    const title = element('title', {}, escapeXml(`${bar.name}, ${name}: ${text}`));
    parts.push(element('rect', { x: left, y: top, width, height: BAR_PX, fill, ...edge }, title));
    // The length of a bar with one segment is already written after the bar.
    if (bar.segments.length > 1 && textWidth(text, SMALL_FONT_PX) + 8 <= width)
      parts.push(
        textElement(text, {
          x: (left + right) / 2,
          y: top + BAR_PX / 2 + 4,
          'text-anchor': 'middle',
          'font-size': SMALL_FONT_PX,
          fill: inkOn(fill),
        }),
      );
  }
  return parts.join('');
}

function drawTotal(text: string, end: number, top: number): string {
  return textElement(text, {
    x: end + TOTAL_GAP_PX,
    y: top + BAR_PX / 2 + 4,
    'font-size': FONT_PX,
    fill: MUTED_INK,
  });
}
