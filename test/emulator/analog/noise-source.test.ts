import { describe, expect, test } from 'vitest';
import { commitProgram } from '../../../emulator/analog/effective-program.js';
import { NoiseSource } from '../../../emulator/analog/noise-source.js';
import {
  arrayState,
  idealBoard,
  integersFrom,
  loadedArray,
  programImage,
} from '../../support/analog-boards.js';
import { referenceState, referenceTick, referenceZeta } from '../../support/analog-reference.js';

const CELLS = 64;
const TICKS = 4000;

/** ζ of 64 cells at every `stride`-th tick from `firstTick`, scaled to unit variance, tick after tick. */
function record(dieSeed: number, runSeed: number, firstTick: number, stride: number): Float64Array {
  const source = new NoiseSource(dieSeed, CELLS);
  const zeta = new Int32Array(CELLS);
  const out = new Float64Array(CELLS * TICKS);
  for (let t = 0; t < TICKS; t++) {
    source.neighbourSums(runSeed, firstTick + t * stride, CELLS, zeta);
    for (let i = 0; i < CELLS; i++) out[t * CELLS + i] = zeta[i] / Math.sqrt(2 * 4096 * 4096);
  }
  return out;
}

function correlation(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i], 0) / a.length;
}

// The mean of 256,000 independent products has the standard error 1/√256000. The limit is 5.5 standard
// errors, which a normal quantity exceeds with a probability of 4e-8 (both sides). This file has at most 12
// comparisons. With random seeds a correct source would therefore fail with a probability below 1e-6.
const LIMIT = 5.5 / Math.sqrt(CELLS * TICKS);

describe('ζ', () => {
  const base = record(3, 100, 1000, 2);

  test('has mean 0 and variance 2·2²⁴', () => {
    expect(Math.abs(base.reduce((sum, x) => sum + x, 0) / base.length)).toBeLessThan(LIMIT);
    expect(Math.abs(correlation(base, base) - 1)).toBeLessThan(Math.SQRT2 * LIMIT);
  });

  test('has the correlation ½ between neighbouring ticks, and 0 between ticks further apart', () => {
    // The product of two normals with correlation ½ has the variance 1 + ¼. Neighbouring products share one
    // z, because only every second tick is used. This adds less than ½ to the variance.
    expect(Math.abs(correlation(base, record(3, 100, 1001, 2)) - 1 / 2)).toBeLessThan(
      LIMIT * Math.sqrt(7 / 4),
    );
    expect(Math.abs(correlation(base, record(3, 100, 1002, 2)))).toBeLessThan(LIMIT);
  });

  test.each([
    ['the next run seed', 3, 101, 1000],
    ['a run seed with another high bit', 3, 100 + 2 ** 31, 1000],
    ['another die', 4, 100, 1000],
    ['die and run seed swapped', 100, 3, 1000],
    ['the next run seed, a tick later', 3, 101, 1001],
    ['the same run 2³² ticks later', 3, 100, 1000 + 2 ** 32],
    ['the same run later', 3, 100, 1000 + 2 * TICKS],
  ])('is uncorrelated with %s', (_, dieSeed, runSeed, firstTick) => {
    expect(Math.abs(correlation(base, record(dieSeed, runSeed, firstTick, 2)))).toBeLessThan(LIMIT);
  });

  test('is uncorrelated between cells', () => {
    const shifted = (by: number) => base.map((_, k) => base[k - (k % CELLS) + ((k + by) % CELLS)]);
    // A shift by 1 goes to another Philox group, a shift by 4 mostly to another word of the same group, and a
    // shift by 16 to another block of sixteen cells. A shift by 32 would count every product twice.
    for (const by of [1, 4, 16]) expect(Math.abs(correlation(base, shifted(by)))).toBeLessThan(LIMIT);
  });
});

test('the first cells have the same noise on a board of any size', () => {
  const zeta = (board: number, cells: number) => {
    const out = new Int32Array(cells);
    new NoiseSource(8, board).neighbourSums(9, 10, cells, out);
    return Array.from(out);
  };
  expect(zeta(21, 21)).toEqual(referenceZeta(8, 9, 10, 21));
  expect(zeta(100, 21)).toEqual(zeta(21, 21));
  expect(zeta(64, 5)).toEqual(zeta(21, 21).slice(0, 5));
});

test('swapping cells, with their noise, permutes the board', () => {
  const cells = 6;
  for (let seed = 1; seed <= 20; seed++) {
    const pick = integersFrom(seed);
    const draw = (count: number, size: number) => Int16Array.from({ length: count }, () => pick(-size, size));
    const image = programImage({
      cells,
      couplings: draw(cells * cells, 9000),
      drive: draw(cells, 9000),
      initialState: draw(cells, 20000),
      damping: pick(0, 60000),
      noiseAmplitude: pick(12288, 24575),
      noiseShift: pick(8, 24),
    });
    const order = [4, 2, 5, 0, 3, 1];
    const moved = programImage({
      ...image,
      couplings: Int16Array.from({ length: cells * cells }, (_, k) => {
        const [i, j] = [order[Math.floor(k / cells)], order[k % cells]];
        return image.couplings[i * cells + j];
      }),
      drive: Int16Array.from(order, (i) => image.drive[i]),
      initialState: Int16Array.from(order, (i) => image.initialState[i]),
    });
    const die = idealBoard({ cells, rows: cells }, 5);
    const array = loadedArray(die, image);
    array.advance(commitProgram(die, image), 8, 0, seed, false);
    // The noise of a board cannot be chosen, but that of the reference can. So the reference gets the noise
    // of the board in the changed order of cells.
    const reference = referenceState(moved, die.profile);
    for (let tick = 0; tick < 8; tick++) {
      const zeta = referenceZeta(5, seed, tick, cells);
      referenceTick(
        moved,
        die.profile,
        reference,
        order.map((i) => zeta[i]),
      );
    }
    const state = arrayState(array, cells, cells);
    expect(reference.v.map(Number)).toEqual(order.map((i) => state.v[i]));
    expect(reference.cellFlags).toEqual(order.map((i) => state.cellFlags[i]));
  }
});
