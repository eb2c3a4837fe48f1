import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gaussianOfWord } from '../../firmware-protocol/gaussian.js';
import { GAUSSIAN_TABLE, GAUSSIAN_TABLE_CHECKSUM } from '../../firmware-protocol/gaussian-table.generated.js';
import { GAUSSIAN_MAX } from '../../firmware-protocol/limits.js';
import { referenceGaussian } from '../support/analog-reference.js';
import { PYTHON } from '../support/python.js';

/** Number of points in an octave. */
const POINTS = 131072;

/**
 * The octaves of odd x below 2³¹, by falling x: 13 octaves of points that stand for `count` = 2^(p−18)
 * numbers each, and all odd x below 2¹⁸. The points of an octave begin at `first` and fall by `step`.
 */
const OCTAVES = [
  ...Array.from({ length: 13 }, (_, i) => {
    const p = 30 - i;
    const step = 2 ** (p - 17);
    return { first: 2 ** p + (POINTS - 1) * step + 1, step, count: 2 ** (p - 18) };
  }),
  { first: 2 ** 18 - 1, step: 2, count: 1 },
];

/**
 * z² is split into two parts of 15 bits, because z < 2¹⁵. In float64 the sums of products of these parts over
 * an octave are exact.
 */
const HALF = 2 ** 15;

describe('moments over all 2³⁰ magnitudes', () => {
  let total = 0;
  let second = 0n;
  let fourth = 0n;
  let previous = -1;
  let largest = 0;
  let falls = 0;
  let farthest = 0;
  for (const { first, step, count } of OCTAVES) {
    let squares = 0;
    let high = 0;
    let middle = 0;
    let low = 0;
    for (let point = 0; point < POINTS; point++) {
      const x = first - point * step;
      const z = gaussianOfWord(x);
      const square = z * z;
      const upper = Math.floor(square / HALF);
      const lower = square % HALF;
      squares += square;
      high += upper * upper;
      middle += upper * lower;
      low += lower * lower;
      if (z < previous) falls++;
      previous = z;
      largest = Math.max(largest, z);
      if (x % 4096 === 1) farthest = Math.max(farthest, Math.abs(2 * upperTail(z / 4096) * 2 ** 31 - x) / x);
    }
    total += count * POINTS;
    second += BigInt(count) * BigInt(squares);
    const fourths = BigInt(high) * BigInt(HALF) ** 2n + 2n * BigInt(middle) * BigInt(HALF) + BigInt(low);
    fourth += BigInt(count) * fourths;
  }
  const variance = Number((second * 10n ** 15n) / (BigInt(total) * 4096n ** 2n)) / 1e15;
  const kurtosis = Number((fourth * BigInt(total) * 10n ** 15n) / (second * second)) / 1e15;

  test('the count includes all numbers', () => expect(total).toBe(2 ** 30));
  test('variance within 1e-8 of 2²⁴', () => expect(Math.abs(variance - 1)).toBeLessThan(1e-8));
  test('kurtosis within 1e-6 of 3', () => expect(Math.abs(kurtosis - 3)).toBeLessThan(1e-6));
  test('|z| never falls as x falls', () => expect(falls).toBe(0));
  test('largest |z|', () => expect(largest).toBe(GAUSSIAN_MAX));
  // One LSB is 2⁻¹² σ. Over a distance d a tail changes by at most the share (z + 1)·d, with z < 6.3. One
  // half of an LSB is added for rounding.
  test('inverts the normal distribution to 1.5 LSB', () => expect(farthest).toBeLessThan((1.5 * 7.3) / 4096));
});

/**
 * P(Z > z) by its continued fraction (z ≥ 2) or by the series of erf: float64 and independent of the table's
 * script.
 */
function upperTail(z: number): number {
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z > 2) {
    let fraction = z;
    for (let k = 60; k > 0; k--) fraction = z + k / fraction;
    return density / fraction;
  }
  let term = z;
  let sum = z;
  for (let k = 1; k < 60; k++) {
    term *= (z * z) / (2 * k + 1);
    sum += term;
  }
  return 1 / 2 - density * sum;
}

test('is odd in the sign bit and ignores the lowest bit', () => {
  fc.assert(
    fc.property(fc.nat(0x7fffffff), (x) => {
      expect(gaussianOfWord((x | 0x80000000) >>> 0) + gaussianOfWord(x)).toBe(0);
      expect(gaussianOfWord(x ^ 1)).toBe(gaussianOfWord(x));
    }),
    { seed: 20240502, numRuns: 2000 },
  );
});

test('a word decodes to the number that the reference gives', () => {
  const word = fc.oneof(
    fc.nat(0xffffffff),
    fc.constantFrom(0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff),
    fc.tuple(fc.nat(31), fc.nat(0xffffffff)).map(([shift, x]) => x >>> shift),
  );
  fc.assert(
    fc.property(word, (x) => {
      expect(gaussianOfWord(x) - referenceGaussian(x)).toBe(0);
    }),
    { seed: 20240503, numRuns: 3000 },
  );
});

test('the table is the one with this checksum', () => {
  expect(GAUSSIAN_TABLE.length).toBe(2 * 31 * 64);
  let hash = 0x811c9dc5;
  for (const entry of GAUSSIAN_TABLE)
    for (const byte of [entry & 255, (entry >> 8) & 255]) hash = Math.imul(hash ^ byte, 0x01000193);
  expect(hash >>> 0).toBe(GAUSSIAN_TABLE_CHECKSUM);
  expect(GAUSSIAN_TABLE_CHECKSUM).toBe(1515178902);
});

test('the script of the table still writes the same table', { tags: 'long' }, (context) => {
  const made = python('firmware-protocol/tools/scripts/make-gaussian-table.py', '-');
  if (made === undefined) return context.skip('no python3 here');
  expect(made).toBe(readFileSync('firmware-protocol/gaussian-table.generated.ts', 'utf8'));
});

function python(...args: string[]): string | undefined {
  try {
    return execFileSync(PYTHON ?? 'python3', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
