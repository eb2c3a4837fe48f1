import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { quantizeCouplings } from '../../src/board/quantize.js';
import { measureSystem } from '../../src/board/system-measure.js';
import { FastMatrix, type Matrix, matrix } from '../../src/linalg/matrix.js';
import { denseMatrix } from '../../src/linalg/matrix-kernel/dense-matrix.js';
import { wild } from '../support/wild-numbers.js';

const SHAPES = [
  [1, 1],
  [1, 2],
  [3, 5],
  [7, 16],
  [5, 33],
  [16, 100],
] as const;

/** A matrix of the module and a plain one with the same numbers. */
function twoMatrices(rows: number, columns: number): [Matrix, Matrix] {
  const fast = denseMatrix(rows, columns);
  fast.data.set(wild(rows * columns, 1));
  return [fast, matrix(rows, columns, fast.data.slice())];
}

describe.each(SHAPES)('a matrix of %i × %i in the memory of the module', (rows, columns) => {
  it('is measured to the same bits', () => {
    const [fast, plain] = twoMatrices(rows, columns).map((factor) =>
      measureSystem({ kind: 'factored', factor, damping: 0.25 }),
    );
    expect(fast).toEqual(plain);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('has no finite bound with %f among its entries', (odd) => {
    for (const factor of twoMatrices(rows, columns)) {
      factor.data[factor.data.length >> 1] = odd;
      expect(measureSystem({ kind: 'factored', factor, damping: 0.25 }).eigenvalueBound).not.toBeLessThan(
        Infinity,
      );
      factor.data.fill(odd);
      expect(measureSystem({ kind: 'factored', factor, damping: 0.25 }).eigenvalueBound).not.toBeLessThan(
        Infinity,
      );
    }
  });

  it('is rounded to the same codes, half to even, clamped where they do not fit', () => {
    for (const bits of [4, 8, 12, 16])
      for (const factor of [0.5, 1, 3.7, 1000]) {
        const [fast, plain] = twoMatrices(rows, columns);
        for (const { data } of [fast, plain]) data.set([0.5, 1.5, -2.5].slice(0, rows * columns));
        expect(quantizeCouplings(fast, factor, bits)).toEqual(quantizeCouplings(plain, factor, bits));
      }
  });
});

describe('the module', () => {
  it('is used on this host', () => {
    const fast = denseMatrix(3, 5);
    expect(fast).toBeInstanceOf(FastMatrix);
    expect((fast as FastMatrix).measuredRows()).toHaveLength(9);
    expect((fast as FastMatrix).roundedCodes(1, 1)?.codes).toHaveLength(15);
  });

  it('gives the memory of released codes to the next codes', () => {
    const fast = denseMatrix(3, 5) as FastMatrix;
    const first = fast.roundedCodes(1, 1)!.codes;
    expect(fast.roundedCodes(1, 1)!.codes.buffer).not.toBe(first.buffer);
    fast.releaseCodes(first);
    expect(fast.roundedCodes(1, 2)!.codes.buffer).not.toBe(first.buffer);
    expect(fast.roundedCodes(1, 1)!.codes.buffer).toBe(first.buffer);
  });

  const script = 'src/linalg/matrix-kernel/scripts/build-matrix-kernel.mjs';

  it('names the digest of the present sources (otherwise run npm run build)', () => {
    execFileSync(process.execPath, [script, '--check-sources']);
  });

  it('is the compiled form of these sources', { tags: 'long' }, () => {
    execFileSync(process.execPath, [script, '--check']);
  });
});
