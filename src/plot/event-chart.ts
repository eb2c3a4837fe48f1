import { drawAxes, overhang, X_AXIS_PX, xTicks } from './axes.js';
import type { Box, Chart, Drawing, Margins } from './chart.js';
import { drawHeader } from './header.js';
import { type AxisSpec, makeScale, type Scale } from './scale.js';
import { element, escapeXml, group, textElement } from './svg.js';
import { fitText, textWidth } from './text-width.js';
import { FAINT_GRID, FONT_PX, INK, lineColor, MUTED_INK, SMALL_FONT_PX } from './theme.js';

/** One row: events of a kind along the horizontal axis. */
export interface EventRow {
  readonly name: string;
  /** Places of events without duration. */
  readonly marks?: readonly number[];
  /** Events with duration, from `from` to `to`. `text` is written into the bar if it fits. */
  readonly spans?: readonly { readonly from: number; readonly to: number; readonly text?: string }[];
  /** Text after the row, for example the number of events. */
  readonly note?: string;
  /** `#rrggbb`. Default: a colour of the palette. */
  readonly color?: string;
}

export interface EventChartSpec {
  readonly title: string;
  readonly subtitle?: string;
  readonly x: AxisSpec;
  readonly rows: readonly EventRow[];
}

const ROW_PX = 20;
const ROW_GAP_PX = 6;
const NAME_GAP_PX = 10;
const NOTE_GAP_PX = 8;
const SPAN_WIDTH_MIN_PX = 1.5;

/**
 * Rows of events below each other, on one horizontal axis. Events on the same pixel are drawn as one line.
 */
export function eventChart(spec: EventChartSpec): Chart {
  const scale = makeScale(spec.x, coordinates(spec.rows), 0);
  return {
    title: spec.title,
    margins: (widthPx) => marginsOf(spec.rows, scale, widthPx),
    draw: (widthPx, margins) => draw(spec, scale, widthPx, margins),
  };
}

function* coordinates(rows: readonly EventRow[]): Generator<number> {
  for (const { marks = [], spans = [] } of rows) {
    yield* marks;
    for (const { from, to } of spans) yield* [from, to];
  }
}

function marginsOf(rows: readonly EventRow[], scale: Scale, widthPx: number): Margins {
  const widest = (texts: readonly (string | undefined)[]): number =>
    Math.max(0, ...texts.map((text) => textWidth(text ?? '', FONT_PX)));
  const beyond = overhang(xTicks(scale, widthPx * 0.6), scale, widthPx * 0.6);
  const namesPx = Math.min(widest(rows.map(({ name }) => name)) + NAME_GAP_PX, widthPx * 0.25);
  const notesPx = widest(rows.map(({ note }) => note)) + NOTE_GAP_PX;
  return {
    leftPx: Math.ceil(Math.max(namesPx, beyond.left)),
    rightPx: Math.ceil(Math.max(notesPx, beyond.right)),
  };
}

function draw(spec: EventChartSpec, scale: Scale, widthPx: number, { leftPx, rightPx }: Margins): Drawing {
  const { rows, x } = spec;
  const header = drawHeader(spec, [], widthPx);
  const heightPx = rows.length * (ROW_PX + ROW_GAP_PX) + ROW_GAP_PX;
  const plot: Box = { left: leftPx, top: 0, right: widthPx - rightPx, bottom: heightPx };
  const ticks = xTicks(scale, plot.right - plot.left);
  const parts = [
    drawAxes(plot, { scale, ticks, label: x.label }, { scale, ticks: [], label: '' }),
    ...rows.map((row, index) => drawRow(row, index, plot, scale)),
  ];
  const topPx = header.heightPx + 4;
  return {
    markup: header.markup + group(0, topPx, parts.join('')),
    heightPx: topPx + heightPx + X_AXIS_PX,
  };
}

function drawRow(row: EventRow, index: number, plot: Box, scale: Scale): string {
  const top = ROW_GAP_PX + index * (ROW_PX + ROW_GAP_PX);
  const middle = top + ROW_PX / 2;
  const color = row.color ?? lineColor(index);
  const place = (value: number): number => plot.left + scale.place(value) * (plot.right - plot.left);
  const name = textElement(fitText(row.name, plot.left - NAME_GAP_PX, FONT_PX), {
    x: plot.left - NAME_GAP_PX,
    y: middle + 4,
    'text-anchor': 'end',
    'font-size': FONT_PX,
    fill: INK,
  });
  const note = textElement(row.note ?? '', {
    x: plot.right + NOTE_GAP_PX,
    y: middle + 4,
    'font-size': FONT_PX,
    fill: MUTED_INK,
  });
  const line = element('line', {
    x1: plot.left,
    y1: middle,
    x2: plot.right,
    y2: middle,
    stroke: FAINT_GRID,
  });
  const spans = (row.spans ?? []).filter(({ from, to }) => scale.canPlace(from) && scale.canPlace(to));
  const marks = (row.marks ?? []).filter((mark) => scale.canPlace(mark));
  return [
    line,
    ...spans.map(({ from, to, text = '' }) => drawSpan(place(from), place(to), text, top, color)),
    drawMarks(marks.map(place), top, color),
    name,
    note,
  ].join('');
}

function drawSpan(left: number, right: number, text: string, top: number, color: string): string {
  const width = Math.max(SPAN_WIDTH_MIN_PX, right - left);
  const title = text === '' ? '' : element('title', {}, escapeXml(text));
  const bar = element(
    'rect',
    {
      x: left,
      y: top + 2,
      width,
      height: ROW_PX - 4,
      rx: 2,
      fill: color,
      'fill-opacity': '0.25',
      stroke: color,
      'stroke-width': '0.8',
    },
    title,
  );
  if (textWidth(text, SMALL_FONT_PX) + 8 > width) return bar;
  const place = { x: left + width / 2, y: top + ROW_PX / 2 + 4, 'text-anchor': 'middle' };
  return bar + textElement(text, { ...place, 'font-size': SMALL_FONT_PX, fill: INK });
}

/** One path for all marks of a row. It has one line for each half pixel with marks. */
function drawMarks(places: readonly number[], top: number, color: string): string {
  const columns = [...new Set(places.map((x) => Math.round(2 * x) / 2))].sort((a, b) => a - b);
  if (columns.length === 0) return '';
  const d = columns.map((x) => `M${x} ${top + 2}v${ROW_PX - 4}`).join('');
  return element('path', { d, stroke: color, fill: 'none', 'stroke-width': '1' });
}
