import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { quantizeCouplings } from '../../src/board/quantize.js';
import { measureSystem } from '../../src/board/system-measure.js';
import type { Matrix } from '../../src/linalg/matrix.js';
import {
  addCenteredProducts,
  centeredProductsBytes,
} from '../../src/linalg/matrix-kernel/centered-products.js';
import {
  addOuterProduct,
  type MatrixRoom,
  measuredRows,
  newMatrixRoom,
  roundedCodes,
  setOuterProduct,
} from '../../src/linalg/matrix-kernel/matrix-room.js';
import { randomSource } from '../../src/linalg/random.js';

const SEED = 20261201;
const SHAPES = [
  [1, 1],
  [1, 2],
  [3, 5],
  [7, 16],
  [5, 33],
  [16, 100],
] as const;

/** Values of every size, a few of them zeros of either sign. */
function wild(length: number, step: number): Float64Array {
  const random = randomSource({ seed: SEED, stream: 1, step });
  return Float64Array.from({ length }, () => {
    const kind = random.uniform();
    if (kind < 0.1) return kind < 0.05 ? 0 : -0;
    return (2 * random.uniform() - 1) * 2 ** Math.floor(20 * random.uniform() - 10);
  });
}

/** The same numbers where no module is. */
function plainRoom({ matrix, left, right }: MatrixRoom): MatrixRoom {
  const copy = ({ rows, columns, data }: Matrix): Matrix => ({ rows, columns, data: data.slice() });
  return {
    matrix: copy(matrix),
    left: left.slice(),
    right: right.slice(),
    scratch: new Uint8Array(0),
  };
}

/** A room of the module and a plain one with the same numbers. */
function twoRooms(rows: number, columns: number): [MatrixRoom, MatrixRoom] {
  const room = newMatrixRoom(rows, columns);
  room.matrix.data.set(wild(rows * columns, 1));
  room.left.set(wild(rows, 2));
  room.right.set(wild(columns, 3));
  return [room, plainRoom(room)];
}

describe.each(SHAPES)('a matrix of %i × %i in the memory of the module', (rows, columns) => {
  it.each([
    ['set', setOuterProduct],
    ['added', addOuterProduct],
  ])('has the bits of the plain loops where outer products are %s, and keeps its neighbours', (_, apply) => {
    for (const [row, column] of [
      [0, 0],
      [rows - 1, columns - 1],
      [rows >> 1, columns >> 1],
    ]) {
      const rooms = twoRooms(rows, columns);
      for (const { matrix, left, right } of rooms) {
        const x = left.subarray(0, rows - row);
        const y = right.subarray(0, columns - column);
        apply(matrix, { row, column, x, y });
      }
      const [kernel, plain] = rooms;
      expect(kernel.matrix).toEqual(plain.matrix);
      expect([kernel.left, kernel.right]).toEqual([plain.left, plain.right]);
    }
  });

  it('is measured to the same bits, with entries that are not finite too', () => {
    for (const odd of [undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
      const rooms = twoRooms(rows, columns);
      if (odd !== undefined) for (const { matrix } of rooms) matrix.data[matrix.data.length >> 1] = odd;
      const [kernel, plain] = rooms.map(({ matrix }) =>
        measureSystem({ kind: 'factored', factor: matrix, damping: 0.25 }),
      );
      expect(kernel).toEqual(plain);
    }
  });

  it('is rounded to the same codes, half to even, clamped where they do not fit', () => {
    for (const bits of [4, 8, 12, 16])
      for (const factor of [0.5, 1, 3.7, 1000]) {
        const [kernel, plain] = twoRooms(rows, columns);
        for (const { matrix } of [kernel, plain]) matrix.data.set([0.5, 1.5, -2.5].slice(0, rows * columns));
        expect(quantizeCouplings(kernel.matrix.data, factor, bits)).toEqual(
          quantizeCouplings(plain.matrix.data, factor, bits),
        );
      }
  });
});

describe('centered products', () => {
  it.each([
    { m: 3, positions: 1, outputs: 1, inputs: 1 },
    { m: 1, positions: 4, outputs: 3, inputs: 5 },
    { m: 10, positions: 6, outputs: 4, inputs: 25 },
  ])('have the bits of the plain loops for %o', ({ m, ...shape }) => {
    const { positions, outputs, inputs } = shape;
    const room = newMatrixRoom(m + 1, outputs * inputs + 2, centeredProductsBytes(m, shape));
    room.matrix.data.set(wild(room.matrix.data.length, 4));
    const deltas = Float32Array.from(wild(positions * outputs * m, 5));
    const activations = Float32Array.from(wild(positions * inputs, 6));
    // Some deltas are 0, as behind max-pooling, and some activations, as in blank patches.
    deltas.fill(0, 0, m);
    activations.fill(0, (positions - 1) * inputs);
    const products = {
      ...shape,
      row: 1,
      column: 1,
      weights: wild(m, 7),
      roots: wild(m, 8),
      deltas,
      activations,
    };
    const plain = plainRoom(room);
    const sums = addCenteredProducts(room, products).slice();
    expect(sums).toEqual(addCenteredProducts(plain, products));
    expect(room.matrix).toEqual(plain.matrix);
    expect(room.scratch.length).toBeGreaterThan(plain.scratch.length);
  });
});

describe('the module', () => {
  it('is used on this host, and only where a whole matrix lies in its memory', () => {
    const { matrix } = newMatrixRoom(3, 5);
    expect(measuredRows(matrix)).toHaveLength(9);
    expect(roundedCodes(matrix.data, 1, 1)?.codes).toHaveLength(15);
    expect(roundedCodes(matrix.data.subarray(0, 8), 1, 1)).toBeUndefined();
    expect(measuredRows({ rows: 1, columns: 5, data: matrix.data.subarray(5, 10) })).toBeUndefined();
    expect(measuredRows(plainRoom(newMatrixRoom(3, 5)).matrix)).toBeUndefined();
  });

  const script = 'src/linalg/matrix-kernel/scripts/build-matrix-kernel.mjs';

  it('names the sources that are there (npm run build)', () => {
    execFileSync(process.execPath, [script, '--check-sources']);
  });

  it('is what they compile to', { tags: 'long' }, () => {
    execFileSync(process.execPath, [script, '--check']);
  });
});
