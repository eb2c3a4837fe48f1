import type { Box } from './chart.js';
import type { Scale } from './scale.js';
import { element, escapeXml, textElement } from './svg.js';
import { fitText, textWidth } from './text-width.js';
import { AXIS_INK, FAINT_GRID, FONT_PX, GRID, MUTED_INK, SMALL_FONT_PX } from './theme.js';
import type { Tick } from './ticks.js';

/** Room below the plot area for tick labels and the name of the axis. */
export const X_AXIS_PX = 40;
/** Room above the plot area for the name of the vertical axis. */
export const Y_NAME_PX = 36;

const TICK_GAP_PX = 8;
const RAISED_FONT_PX = 8;

/** Ticks of the vertical axis: as many as are easy to read on `heightPx`, but at least three if possible. */
export function yTicks(scale: Scale, heightPx: number): Tick[] {
  const fewest = Math.max(2, Math.floor(heightPx / 42));
  for (let count = fewest; count < fewest + 4; count++) {
    const ticks = scale.ticks(count);
    if (ticks.filter(hasLabel).length >= 3) return ticks;
  }
  return scale.ticks(fewest);
}

/** Ticks of the horizontal axis. Their number is limited by the room for their labels on `widthPx`. */
export function xTicks(scale: Scale, widthPx: number): Tick[] {
  let ticks: Tick[] = [];
  for (let count = Math.max(1, Math.floor(widthPx / 70)); count >= 1; count--) {
    ticks = scale.ticks(count);
    if (!overlap(ticks.filter(hasLabel), scale, widthPx)) return ticks;
  }
  return ticks.filter((tick, index) => index === 0 || !hasLabel(tick));
}

/** Width of the widest label plus its distance to the axis. */
export function labelsWidth(ticks: readonly Tick[]): number {
  return Math.ceil(Math.max(0, ...ticks.map(tickWidth))) + TICK_GAP_PX;
}

/** How far labels reach beyond the ends of a horizontal axis of `widthPx`. */
export function overhang(
  ticks: readonly Tick[],
  scale: Scale,
  widthPx: number,
): { left: number; right: number } {
  let [left, right] = [0, 0];
  for (const tick of ticks.filter(hasLabel)) {
    const x = scale.place(tick.value) * widthPx;
    left = Math.max(left, tickWidth(tick) / 2 - x);
    right = Math.max(right, x + tickWidth(tick) / 2 - widthPx);
  }
  return { left: Math.ceil(left), right: Math.ceil(right) };
}

/** Draws grid, plot area, ticks and names. Call it before the data are drawn. */
export function drawAxes(
  plot: Box,
  x: { readonly scale: Scale; readonly ticks: readonly Tick[]; readonly label: string },
  y: { readonly scale: Scale; readonly ticks: readonly Tick[]; readonly label: string },
): string {
  const parts: string[] = [];
  const [width, height] = [plot.right - plot.left, plot.bottom - plot.top];
  for (const tick of y.ticks) {
    const at = plot.bottom - y.scale.place(tick.value) * height;
    const stroke = hasLabel(tick) ? GRID : FAINT_GRID;
    parts.push(element('line', { x1: plot.left, y1: at, x2: plot.right, y2: at, stroke }));
    if (hasLabel(tick)) parts.push(tickText(tick, plot.left - TICK_GAP_PX, at + 4, 'end'));
  }
  for (const tick of x.ticks) {
    const at = plot.left + x.scale.place(tick.value) * width;
    const length = hasLabel(tick) ? 5 : 3;
    parts.push(
      element('line', { x1: at, y1: plot.bottom, x2: at, y2: plot.bottom + length, stroke: AXIS_INK }),
    );
    if (hasLabel(tick)) parts.push(tickText(tick, at, plot.bottom + 18, 'middle'));
  }
  parts.push(
    element('rect', { class: 'plot-area', x: plot.left, y: plot.top, width, height, fill: 'none' }),
    element('line', {
      x1: plot.left,
      y1: plot.bottom,
      x2: plot.right,
      y2: plot.bottom,
      stroke: AXIS_INK,
    }),
    textElement(fitText(x.label, width, FONT_PX), {
      x: (plot.left + plot.right) / 2,
      y: plot.bottom + 36,
      'text-anchor': 'middle',
      'font-size': FONT_PX,
      fill: MUTED_INK,
    }),
    textElement(fitText(y.label, plot.right, FONT_PX), {
      x: 0,
      y: plot.top - 15,
      'font-size': FONT_PX,
      fill: MUTED_INK,
    }),
  );
  return parts.join('');
}

function tickText(tick: Tick, x: number, y: number, anchor: 'middle' | 'end'): string {
  const raised =
    tick.exponent === undefined
      ? ''
      : element('tspan', { dy: -4, 'font-size': RAISED_FONT_PX }, escapeXml(tick.exponent));
  return element(
    'text',
    { x, y, 'text-anchor': anchor, 'font-size': SMALL_FONT_PX, fill: MUTED_INK },
    escapeXml(tick.label) + raised,
  );
}

function tickWidth(tick: Tick): number {
  return textWidth(tick.label, SMALL_FONT_PX) + textWidth(tick.exponent ?? '', RAISED_FONT_PX);
}

function hasLabel(tick: Tick): boolean {
  return tick.label !== '';
}

function overlap(ticks: readonly Tick[], scale: Scale, widthPx: number): boolean {
  for (let i = 1; i < ticks.length; i++) {
    const distance = (scale.place(ticks[i].value) - scale.place(ticks[i - 1].value)) * widthPx;
    if (distance < (tickWidth(ticks[i]) + tickWidth(ticks[i - 1])) / 2 + 10) return true;
  }
  return false;
}
