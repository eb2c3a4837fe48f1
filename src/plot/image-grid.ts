import type { Chart, Drawing } from './chart.js';
import { drawHeader } from './header.js';
import { element, textElement } from './svg.js';
import { fitText, textWidth } from './text-width.js';
import { AXIS_INK, FONT_PX, INK } from './theme.js';

/** A row of grey images of one size. */
export interface ImageRow {
  readonly name: string;
  /** Values of each image, row-major; 0 is white and 1 is black. Values outside 0 … 1 are clipped. */
  readonly images: readonly ArrayLike<number>[];
}

export interface ImageGridSpec {
  readonly title: string;
  readonly subtitle?: string;
  /** Height and width of each image, in values. */
  readonly rows: number;
  readonly columns: number;
  readonly lines: readonly ImageRow[];
}

const GAP_PX = 8;
const NAME_GAP_PX = 10;
/** Largest width of an image. */
const IMAGE_PX_MAX = 84;
/** Number of shades of grey. The eye can't distinguish more. */
const SHADES = 32;

/** Rows of images of equal size, each row with its name in front. */
export function imageGrid(spec: ImageGridSpec): Chart {
  const namesPx = Math.max(0, ...spec.lines.map(({ name }) => textWidth(name, FONT_PX))) + NAME_GAP_PX;
  return {
    title: spec.title,
    margins: () => ({ leftPx: namesPx, rightPx: 0 }),
    draw: (widthPx, { leftPx }) => draw(spec, widthPx, leftPx),
  };
}

function draw(spec: ImageGridSpec, widthPx: number, leftPx: number): Drawing {
  const { rows, columns, lines } = spec;
  const header = drawHeader(spec, [], widthPx);
  const most = Math.max(1, ...lines.map(({ images }) => images.length));
  const imagePx = Math.min(IMAGE_PX_MAX, (widthPx - leftPx - (most - 1) * GAP_PX) / most);
  const heightPx = (imagePx * rows) / columns;
  const parts = [header.markup];
  let top = header.heightPx + GAP_PX;
  for (const { name, images } of lines) {
    const at = { x: 0, y: top + heightPx / 2 + FONT_PX / 3, 'font-size': FONT_PX, fill: INK };
    parts.push(textElement(fitText(name, leftPx - NAME_GAP_PX, FONT_PX), at));
    for (const [index, image] of images.entries())
      parts.push(drawImage(image, spec, leftPx + index * (imagePx + GAP_PX), top, imagePx / columns));
    top += heightPx + GAP_PX;
  }
  return { markup: parts.join(''), heightPx: top - GAP_PX };
}

/** One path for each shade, of squares of `size` pixels. */
function drawImage(
  image: ArrayLike<number>,
  { rows, columns }: ImageGridSpec,
  left: number,
  top: number,
  size: number,
): string {
  const paths = new Map<number, string>();
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const value = Math.min(1, Math.max(0, image[y * columns + x]));
      const shade = Number.isFinite(value) ? Math.round(value * SHADES) : 0;
      if (shade > 0) paths.set(shade, `${paths.get(shade) ?? ''}M${x} ${y}h1v1h-1z`);
    }
  const place = `translate(${left.toFixed(1)} ${top.toFixed(1)}) scale(${size.toFixed(3)})`;
  const squares = [...paths].map(([shade, d]) => {
    const grey = Math.round(255 * (1 - shade / SHADES));
    return element('path', { d, fill: `rgb(${grey},${grey},${grey})` });
  });
  const frame = { width: columns, height: rows, fill: 'none', stroke: AXIS_INK, 'stroke-width': '0.1' };
  return element('g', { transform: place }, [...squares, element('rect', frame)].join(''));
}
