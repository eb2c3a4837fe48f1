import type { Box } from './chart.js';
import type { Point } from './decimate.js';
import { element, textElement } from './svg.js';
import { fitText, textWidth } from './text-width.js';
import { BACKGROUND, MUTED_INK, SMALL_FONT_PX } from './theme.js';

/**
 * A straight line across the plot at a value of one axis, with a word on it: a target, or the end of an
 * epoch.
 */
export interface Annotation {
  readonly axis: 'x' | 'y';
  readonly at: number;
  readonly label: string;
}

/** An annotation at its place in pixels. */
export interface PlacedAnnotation {
  readonly axis: 'x' | 'y';
  readonly pixel: number;
  readonly label: string;
}

/** Draws only the lines. Call it before the data are drawn. */
export function drawAnnotationLines(annotations: readonly PlacedAnnotation[], plot: Box): string {
  return annotations
    .map(({ axis, pixel }) =>
      element('line', {
        x1: axis === 'x' ? pixel : plot.left,
        y1: axis === 'x' ? plot.top : pixel,
        x2: axis === 'x' ? pixel : plot.right,
        y2: axis === 'x' ? plot.bottom : pixel,
        stroke: MUTED_INK,
        'stroke-dasharray': '4 3',
        'stroke-opacity': '0.7',
      }),
    )
    .join('');
}

/**
 * The words of the annotations. Each is placed so that it covers as little as possible of the curves and of
 * the other words. `points` must contain many points of each curve.
 */
export function drawAnnotationLabels(
  annotations: readonly PlacedAnnotation[],
  plot: Box,
  curves: readonly Point[],
): string {
  const taken: Box[] = [];
  const parts: string[] = [];
  for (const annotation of annotations) {
    if (annotation.label === '') continue;
    const label = fitText(annotation.label, plot.right - plot.left - 6, SMALL_FONT_PX);
    const candidates = candidateBoxes({ ...annotation, label }, plot);
    const costs = candidates.map(
      (box) =>
        curves.filter((point) => contains(box, point)).length +
        // At the edge of the plot one side has no room, and the word would cover its own line.
        (isOnLine(box, annotation) ? 500 : 0) +
        1000 * taken.filter((other) => intersect(box, other)).length,
    );
    const best = candidates[costs.indexOf(Math.min(...costs))];
    taken.push(best);
    parts.push(
      textElement(label, {
        x: best.left + 3,
        y: best.bottom - 4,
        'font-size': SMALL_FONT_PX,
        fill: MUTED_INK,
        stroke: BACKGROUND,
        'stroke-width': 3,
        'stroke-linejoin': 'round',
        'paint-order': 'stroke',
      }),
    );
  }
  return parts.join('');
}

/** Possible boxes along the line, inside the plot area, on both sides if there is room. */
function candidateBoxes({ axis, pixel, label }: PlacedAnnotation, plot: Box): Box[] {
  const width = textWidth(label, SMALL_FONT_PX) + 6;
  const height = SMALL_FONT_PX + 5;
  const boxes: Box[] = [];
  function add(left: number, top: number): void {
    const x = Math.max(plot.left, Math.min(plot.right - width, left));
    const y = Math.max(plot.top, Math.min(plot.bottom - height, top));
    boxes.push({ left: x, top: y, right: x + width, bottom: y + height });
  }
  for (const part of [1, 0, 0.5, 0.75, 0.25])
    for (const side of [0, 1]) {
      if (axis === 'y')
        add(plot.left + part * (plot.right - plot.left - width), side === 0 ? pixel - height : pixel + 1);
      else
        add(
          side === 0 ? pixel + 1 : pixel - width - 1,
          plot.top + (1 - part) * (plot.bottom - plot.top - height),
        );
    }
  return boxes;
}

function isOnLine(box: Box, { axis, pixel }: PlacedAnnotation): boolean {
  return axis === 'x' ? pixel > box.left && pixel < box.right : pixel > box.top && pixel < box.bottom;
}

function contains(box: Box, [x, y]: Point): boolean {
  return x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
}

function intersect(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
