import type { Chart } from './chart.js';
import { element, escapeXml, group, textElement } from './svg.js';
import { wrapText } from './text-width.js';
import { BACKGROUND, FONT_FAMILY, INK } from './theme.js';

export interface FigureOptions {
  /** A title above all panels. */
  readonly title?: string;
  /** Default 760. */
  readonly widthPx?: number;
}

const PADDING_PX = 20;
const PANEL_GAP_PX = 26;
const TITLE_FONT_PX = 18;

/**
 * An SVG document with charts below each other and aligned axes. It is well-formed XML on a white background,
 * without references to other files. The same charts give the same bytes.
 */
export function figure(charts: readonly Chart[], { title, widthPx = 760 }: FigureOptions = {}): string {
  const innerPx = widthPx - 2 * PADDING_PX;
  const all = charts.map((chart) => chart.margins(innerPx));
  const margins = {
    leftPx: Math.max(0, ...all.map(({ leftPx }) => leftPx)),
    rightPx: Math.max(0, ...all.map(({ rightPx }) => rightPx)),
  };
  const parts: string[] = [];
  let y = PADDING_PX;
  for (const line of wrapText(title ?? '', innerPx, TITLE_FONT_PX)) {
    const place = { x: PADDING_PX, y: y + TITLE_FONT_PX };
    parts.push(textElement(line, { ...place, 'font-size': TITLE_FONT_PX, 'font-weight': '700', fill: INK }));
    y += TITLE_FONT_PX + 6;
  }
  if (title !== undefined) y += 14;
  for (const [index, chart] of charts.entries()) {
    if (index > 0) y += PANEL_GAP_PX;
    const { markup, heightPx } = chart.draw(innerPx, margins);
    parts.push(group(PADDING_PX, y, markup));
    y += heightPx;
  }
  const heightPx = Math.ceil(y + PADDING_PX);
  const name = title ?? charts.map((chart) => chart.title).join('; ');
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${widthPx} ${heightPx}`,
    width: widthPx,
    height: heightPx,
    role: 'img',
    'font-family': FONT_FAMILY,
    // This keeps browsers with a dark theme from changing the colours.
    style: 'color-scheme: light; background: #ffffff',
  };
  const background = element('rect', { width: widthPx, height: heightPx, fill: BACKGROUND });
  const body = [element('title', {}, escapeXml(name)), background, ...parts].join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('svg', attributes, `\n${body}\n`)}\n`;
}
