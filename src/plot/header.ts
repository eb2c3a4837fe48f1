import type { Drawing } from './chart.js';
import { element, textElement } from './svg.js';
import { fitText, textWidth, wrapText } from './text-width.js';
import { FONT_PX, INK, MUTED_INK, TITLE_FONT_PX } from './theme.js';

/** An entry of the legend row. */
export interface LegendEntry {
  readonly name: string;
  readonly color: string;
  readonly mark: 'line' | 'dot' | 'area';
  readonly dash?: string | undefined;
}

const MARK_PX = 20;
const MARK_GAP_PX = 6;
const ENTRY_GAP_PX = 18;
const LINE_PX = 18;

/** Title, subtitle and, if there are entries, a legend of one or more rows, all below each other. */
export function drawHeader(
  { title, subtitle }: { readonly title: string; readonly subtitle?: string | undefined },
  legend: readonly LegendEntry[],
  widthPx: number,
): Drawing {
  const parts: string[] = [];
  let heightPx = 0;
  function addText(text: string, fontPx: number, fill: string, weight?: string): void {
    for (const line of wrapText(text, widthPx, fontPx)) {
      heightPx += fontPx + 5;
      parts.push(
        textElement(line, { x: 0, y: heightPx - 4, 'font-size': fontPx, 'font-weight': weight, fill }),
      );
    }
  }
  addText(title, TITLE_FONT_PX, INK, '600');
  addText(subtitle ?? '', FONT_PX, MUTED_INK);
  if (legend.length > 0) {
    const rows = drawLegend(legend, widthPx, heightPx + 6);
    parts.push(rows.markup);
    heightPx += 6 + rows.heightPx;
  }
  return { markup: parts.join(''), heightPx };
}

function drawLegend(legend: readonly LegendEntry[], widthPx: number, top: number): Drawing {
  const parts: string[] = [];
  let [x, y] = [0, top];
  for (const entry of legend) {
    const name = fitText(entry.name, widthPx - MARK_PX - MARK_GAP_PX, FONT_PX);
    const markPx = (entry.mark === 'line' ? MARK_PX : 12) + MARK_GAP_PX;
    const entryPx = markPx + textWidth(name, FONT_PX);
    if (x > 0 && x + entryPx > widthPx) {
      x = 0;
      y += LINE_PX;
    }
    parts.push(drawMark(entry, x, y + LINE_PX / 2));
    parts.push(textElement(name, { x: x + markPx, y: y + 13, 'font-size': FONT_PX, fill: INK }));
    x += entryPx + ENTRY_GAP_PX;
  }
  return { markup: parts.join(''), heightPx: y + LINE_PX - top };
}

function drawMark({ mark, color, dash }: LegendEntry, x: number, middle: number): string {
  if (mark === 'area')
    return element('rect', { x, y: middle - 6, width: 12, height: 12, rx: 2, fill: color });
  if (mark === 'dot') return element('circle', { cx: x + 6, cy: middle, r: 3.5, fill: color });
  return element('line', {
    x1: x,
    y1: middle,
    x2: x + MARK_PX,
    y2: middle,
    stroke: color,
    'stroke-width': '2.2',
    'stroke-dasharray': dash,
  });
}
