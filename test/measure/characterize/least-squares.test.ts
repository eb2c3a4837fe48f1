import { describe, expect, it } from 'vitest';
import { randomSource } from '../../../src/linalg/random.js';
import { fitLinear } from '../../../src/measure/least-squares.js';

const random = randomSource({ seed: 7, stream: 999 });
const numbers = (count: number, draw: () => number) => Float64Array.from({ length: count }, draw);

describe('fitLinear', () => {
  it('finds the coefficients of exact data, and states errors of the size of the floor', () => {
    const x = numbers(20, () => random.normal());
    const one = x.map(() => 1);
    const y = x.map((value) => 3 - 2 * value);
    const fit = fitLinear([one, x], y, { floor: 0.1 })!;
    expect(fit.coefficients[0]).toBeCloseTo(3, 12);
    expect(fit.coefficients[1]).toBeCloseTo(-2, 12);
    // The error of a mean of 20 values is 0.1/√20. Both standard errors are near this number.
    expect(fit.standardErrors[0]).toBeGreaterThan(0.1 / Math.sqrt(20) - 1e-12);
    expect(fit.standardErrors[0]).toBeLessThan((2 * 0.1) / Math.sqrt(20));
  });

  it('states errors for which the mean square of the deviations is 1, also with few observations', () => {
    // 4,000 fits of 10 observations give values of t₇ scaled to variance 1. Their mean square has a standard
    // error of 0.032 (kurtosis 5). The limit is six standard errors, which a correct fit exceeds once in 10⁸
    // times. The seed is fixed.
    let sum = 0;
    const fits = 4000;
    for (let k = 0; k < fits; k++) {
      const columns = [
        numbers(10, () => 1),
        numbers(10, () => random.normal()),
        numbers(10, () => random.normal()),
      ];
      const y = columns[1].map((value) => 5 + 2 * value + random.normal());
      const fit = fitLinear(columns, y, { floor: 0 })!;
      sum += ((fit.coefficients[1] - 2) / fit.standardErrors[1]) ** 2;
    }
    expect(Math.abs(sum / fits - 1)).toBeLessThan(0.2);
  });

  it('a common error of a group counts as one error', () => {
    const groups = Int32Array.from({ length: 400 }, (_, n) => Math.floor(n / 10));
    const shared = numbers(40, () => random.normal());
    const y = Float64Array.from(groups, (group) => shared[group]);
    const one = y.map(() => 1);
    const alone = fitLinear([one], y, { floor: 0 })!.standardErrors[0];
    const grouped = fitLinear([one], y, { floor: 0, groups })!.standardErrors[0];
    // The error is √10 times as large, because 40 errors are independent, and not 400.
    expect(grouped / alone).toBeGreaterThan(2.5);
    expect(grouped / alone).toBeLessThan(4);
  });

  it('refuses dependent columns, a column of zeros, and too few observations', () => {
    const x = numbers(9, () => random.normal());
    const floor = 0;
    expect(fitLinear([x, x.map((value) => 2 * value)], x, { floor })).toBeUndefined();
    expect(fitLinear([x, x.map(() => 0)], x, { floor })).toBeUndefined();
    expect(fitLinear([x.subarray(0, 3)], x.subarray(0, 3), { floor })).toBeUndefined();
  });
});
