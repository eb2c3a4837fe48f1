import { describe, expect, it } from 'vitest';
import { quantizeCouplings } from '../../src/board/quantize.js';
import { measureSystem } from '../../src/board/system-measure.js';
import { type Matrix, matrix } from '../../src/linalg/matrix.js';
import {
  addCenteredProducts,
  centeredProductsBytes,
} from '../../src/linalg/matrix-kernel/centered-products.js';
import { ProductMatrix, type ProductShape } from '../../src/linalg/matrix-kernel/product-matrix.js';
import { wild } from '../support/wild-numbers.js';

/** Shapes with odd and even rows, and with short and long stretches that begin at odd and even columns. */
const SHAPES: readonly ProductShape[] = [
  { groups: 1, rowsPerGroup: 1, blocks: [{ columns: 1 }] },
  { groups: 1, rowsPerGroup: 1, blocks: [{ columns: 1, stretches: 1 }] },
  { groups: 3, rowsPerGroup: 1, blocks: [{ columns: 1, stretches: 7 }] },
  { groups: 1, rowsPerGroup: 3, blocks: [{ columns: 5, stretches: 2 }, { columns: 2 }] },
  { groups: 2, rowsPerGroup: 2, blocks: [{ columns: 3 }, { columns: 17, stretches: 3 }, { columns: 3 }] },
  { groups: 2, rowsPerGroup: 5, blocks: [{ columns: 16, stretches: 4 }] },
  {
    groups: 3,
    rowsPerGroup: 3,
    blocks: [
      { columns: 4, stretches: 1 },
      { columns: 33, stretches: 2 },
    ],
  },
];

/** Fills `product`. Returns a plain matrix with the same entries, computed by their definition. */
function fill(product: ProductMatrix, { groups, rowsPerGroup, blocks }: ProductShape, seed: number): Matrix {
  const written = matrix(product.rows, product.columns);
  let step = seed;
  for (let group = 0; group < groups; group++) {
    let column = 0;
    for (const [b, { columns, stretches }] of blocks.entries()) {
      const x = wild((stretches ?? 1) * rowsPerGroup, step++);
      const y = wild((stretches === undefined ? rowsPerGroup : 1) * columns, step++);
      if (stretches !== undefined) product.setProducts(group, b, x, y);
      const plain = stretches === undefined ? product.plainBlock(group, b) : undefined;
      for (let i = 0; i < rowsPerGroup; i++)
        for (let j = 0; j < (stretches ?? 1) * columns; j++) {
          const [stretch, k] = [Math.floor(j / columns), j % columns];
          const entry = plain ? y[i * columns + k] : x[stretch * rowsPerGroup + i] * y[k];
          if (plain) plain.data[plain.start + i * plain.stride + j] = entry;
          written.data[(group * rowsPerGroup + i) * product.columns + column + j] = 0 + entry;
        }
      column += (stretches ?? 1) * columns;
    }
  }
  return written;
}

describe.each(SHAPES)('a matrix of outer products, %o', (shape) => {
  it.each([true, false])(
    'has the entries of its definition, also after it is filled again (module: %s)',
    (useModule) => {
      const product = new ProductMatrix(shape, useModule);
      expect(product.module !== undefined).toBe(useModule);
      expect(product.data.every((entry) => entry === 0)).toBe(true);
      for (const seed of [10, 1000]) {
        const written = fill(product, shape, seed);
        expect(product.data).toEqual(written.data);
      }
    },
  );

  it.each([true, false])('has the same measures as its entries, bit for bit (module: %s)', (useModule) => {
    const product = new ProductMatrix(shape, useModule);
    for (const seed of [20, 2000]) {
      const written = fill(product, shape, seed);
      const [ofProduct, ofWritten] = [product, written].map((factor) =>
        measureSystem({ kind: 'factored', factor, damping: 0.25 }),
      );
      expect(ofProduct).toEqual(ofWritten);
    }
  });

  it('is rounded to the codes of its entries, half to even, clamped where they do not fit', () => {
    for (const bits of [4, 8, 12, 16])
      for (const factor of [2 ** -12, 0.01, 0.5, 3.7, 1000]) {
        const product = new ProductMatrix(shape);
        const written = fill(product, shape, 30);
        expect(quantizeCouplings(product, factor, bits)).toEqual(quantizeCouplings(written, factor, bits));
        // Entries that were read may be changed, and the changes count from then on.
        product.data[0] = written.data[0] = 3;
        expect(quantizeCouplings(product, factor, bits)).toEqual(quantizeCouplings(written, factor, bits));
        expect(measureSystem({ kind: 'factored', factor: product, damping: 1 })).toEqual(
          measureSystem({ kind: 'factored', factor: written, damping: 1 }),
        );
      }
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('has no finite bound with %f in a vector', (odd) => {
    const product = new ProductMatrix(shape);
    fill(product, shape, 40);
    const last = shape.blocks.length - 1;
    const { columns, stretches } = shape.blocks[last];
    if (stretches === undefined) {
      const { data, start } = product.plainBlock(0, last);
      data[start + columns - 1] = odd;
    } else {
      const x = new Float64Array(stretches * shape.rowsPerGroup).fill(1);
      product.setProducts(0, last, x, new Float64Array(columns).fill(odd));
    }
    const { eigenvalueBound } = measureSystem({ kind: 'factored', factor: product, damping: 0 });
    expect(eigenvalueBound).not.toBeLessThan(Infinity);
  });
});

it('rounds products that end at half a code to even, and zeros of either sign to 0', () => {
  const shape = { groups: 1, rowsPerGroup: 3, blocks: [{ columns: 3, stretches: 2 }] };
  const product = new ProductMatrix(shape);
  product.setProducts(0, 0, Float64Array.of(1, -1, 0, 3, 5, -0), Float64Array.of(0.5, -0, 0.25));
  // The entries 0.5, 0.5 and 0 are rounded to 0, 1.5 and 2.5 to 2, and 0.75 and 1.25 to 1.
  expect([...quantizeCouplings(product, 1, 8)]).toEqual([
    0, 0, 0, 2, 0, 1, 0, 0, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0,
  ]);
});

describe('centered products', () => {
  it.each([
    { m: 3, positions: 2, outputs: 1, inputs: 1 },
    { m: 1, positions: 4, outputs: 3, inputs: 5 },
    { m: 10, positions: 6, outputs: 4, inputs: 25 },
  ])('have the bits of the plain loops for %o', ({ m, ...layer }) => {
    const { positions, outputs, inputs } = layer;
    const shape = {
      groups: 2,
      rowsPerGroup: m,
      blocks: [{ columns: 1 }, { columns: outputs * inputs }, { columns: 1 }],
      scratchBytes: centeredProductsBytes(m, layer),
    };
    const deltas = Float32Array.from(wild(positions * outputs * m, 5));
    const activations = Float32Array.from(wild(positions * inputs, 6));
    // Some deltas are 0, as after max-pooling, and some activations are 0, as in blank patches.
    deltas.fill(0, 0, m);
    activations.fill(0, 0, inputs);
    const products = {
      ...layer,
      group: 1,
      block: 1,
      weights: wild(m, 7),
      roots: wild(m, 8),
      deltas,
      activations,
    };
    const [fast, plain] = [true, false].map((useModule) => {
      const product = new ProductMatrix(shape, useModule);
      fill(product, shape, 50);
      return { sums: addCenteredProducts(product, products).slice(), product };
    });
    expect(fast.sums).toEqual(plain.sums);
    expect(fast.product.data).toEqual(plain.product.data);
    expect(fast.product.data).not.toEqual(fill(new ProductMatrix(shape), shape, 50).data);
  });
});
