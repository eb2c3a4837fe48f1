import { expect, it } from 'vitest';
import { figure } from '../../src/plot/figure.js';
import { imageGrid } from '../../src/plot/image-grid.js';
import { parseXml } from '../cli/support/parse-xml.js';

it('images are drawn pixel by pixel in shades of grey, with the name of their line', () => {
  const svg = figure([
    imageGrid({
      title: 'Images & more',
      rows: 1,
      columns: 3,
      lines: [
        {
          name: 'read',
          images: [
            [0, 0.5, 1],
            [2, -1, Number.NaN],
          ],
        },
        { name: 'put out', images: [[0, 0, 0]] },
      ],
    }),
  ]);
  expect(() => parseXml(svg)).not.toThrow();
  expect(svg).toContain('put out');
  // White pixels are not drawn. The others are half grey, black, and black for values above 1.
  const squares = [...svg.matchAll(/<path d="([^"]*)" fill="([^"]*)"/g)].map(([, d, fill]) => [d, fill]);
  expect(squares).toEqual([
    ['M1 0h1v1h-1z', 'rgb(128,128,128)'],
    ['M2 0h1v1h-1z', 'rgb(0,0,0)'],
    ['M0 0h1v1h-1z', 'rgb(0,0,0)'],
  ]);
});
