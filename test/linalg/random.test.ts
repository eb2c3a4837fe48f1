import { expect, test } from 'vitest';
import { RANDOM_STREAM, randomSource } from '../../src/linalg/random.js';

const DRAWS = 40_000;
/**
 * The limit in standard errors. With a random seed a correct generator exceeds it on either side with a
 * probability of 2e-9 in each check.
 */
const LIMIT = 6;

test('normal numbers have the moments of a standard normal', () => {
  const random = randomSource({ seed: 5, stream: 9998 });
  const sums = [0, 0, 0, 0];
  for (let k = 0; k < DRAWS; k++) {
    const z = random.normal();
    sums.forEach((_, power) => {
      sums[power] += z ** (power + 1) / DRAWS;
    });
  }
  // Standard deviations of z, z² − 1, z³, z⁴ − 3.
  const spreads = [1, Math.sqrt(2), Math.sqrt(15), Math.sqrt(96)];
  [0, 1, 0, 3].forEach((moment, i) => {
    expect(Math.abs(sums[i] - moment)).toBeLessThan((LIMIT * spreads[i]) / Math.sqrt(DRAWS));
  });
});

test.each([1, 2, 3])('normal numbers that are %i draws apart are uncorrelated', (lag) => {
  const random = randomSource({ seed: 7, stream: 9998 });
  const z = Float64Array.from({ length: DRAWS }, () => random.normal());
  let [products, squares] = [0, 0];
  for (let k = lag; k < DRAWS; k++) {
    products += z[k] * z[k - lag];
    squares += (z[k] ** 2 - 1) * (z[k - lag] ** 2 - 1);
  }
  // A product of two normal numbers has the standard deviation 1. A product of two values z² − 1 has the
  // standard deviation 2.
  expect(Math.abs(products)).toBeLessThan(LIMIT * Math.sqrt(DRAWS));
  expect(Math.abs(squares)).toBeLessThan(LIMIT * 2 * Math.sqrt(DRAWS));
});

test('uniform numbers lie strictly between 0 and 1', () => {
  const random = randomSource({ seed: 6, stream: 9998 });
  let sum = 0;
  let outside = 0;
  for (let k = 0; k < DRAWS; k++) {
    const u = random.uniform();
    outside += u > 0 && u < 1 ? 0 : 1;
    sum += u - 0.5;
  }
  expect(outside).toBe(0);
  expect(Math.abs(sum)).toBeLessThan(LIMIT * Math.sqrt(DRAWS / 12));
});

test('numbers are a function of seed, stream, step and block', () => {
  const draw = (address: Parameters<typeof randomSource>[0]) => randomSource(address).uniform();
  const address = { seed: 1, stream: 300, step: 2, block: 3 };
  expect(draw(address)).toBe(draw({ ...address }));
  for (const other of [{ seed: 2 }, { stream: 301 }, { step: 3 }, { block: 4 }])
    expect(draw({ ...address, ...other })).not.toBe(draw(address));
});

test('every stream has its own number', () => {
  const streams = Object.values(RANDOM_STREAM);
  expect(new Set(streams).size).toBe(streams.length);
});
