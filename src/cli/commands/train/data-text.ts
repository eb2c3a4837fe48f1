import type { Dataset } from '../../../learning/data/dataset.js';
import { counted, formatCount, formatNumber } from '../../../number-text.js';

/** More empty classes than this are counted, not listed. */
const LISTED_MAX = 12;
/**
 * Images without a brighter pixel are nearly black. Images that were scaled to 0 … 1 before they were stored
 * as bytes have no brighter pixel.
 */
const DARK = 1 / 255;

/** Describes the training data on one line. */
export function dataText({ train, test, rows, columns, classes, encoding }: Dataset): string {
  if (encoding !== undefined)
    return (
      `${formatCount(train.count)} training and ${formatCount(test.count)} test rows of ` +
      `${counted(columns, 'input')}, ${formatCount(classes)} classes of ${encoding.label.name}`
    );
  return (
    `${formatCount(train.count)} training and ${formatCount(test.count)} test images of ` +
    `${rows} × ${columns} pixels, ${formatCount(classes)} classes`
  );
}

/** One line `warning: …` for each fact that makes a data set look like a mistake. */
export function dataWarnings({ train, classes, encoding }: Dataset): string {
  const warnings: string[] = [];
  const present = new Set(train.labels);
  const empty = Array.from({ length: classes }, (_, label) => label).filter((label) => !present.has(label));
  if (empty.length > 0) {
    const list = empty.slice(0, LISTED_MAX).join(', ') + (empty.length > LISTED_MAX ? ', …' : '');
    warnings.push(
      `${formatCount(empty.length)} of ${formatCount(classes)} classes have no training example: ${list}.`,
    );
  }
  const brightest = train.inputs.reduce((a, b) => Math.max(a, b), 0);
  // Inputs are float32, and rounding must not hide the fault.
  if (encoding === undefined && brightest <= Math.fround(DARK))
    warnings.push(
      `the brightest training pixel is ${formatNumber(brightest * 255)} of 255, so the images are nearly black; store pixels as 0 to 255.`,
    );
  return warnings.map((text) => `warning: ${text}\n`).join('');
}
