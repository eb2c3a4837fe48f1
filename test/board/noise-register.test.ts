import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  carryNoiseVariance,
  noiseRegister,
  noiseTemperatureOf,
  noiseTemperatureRange,
} from '../../src/board/noise-register.js';

const range = { noiseShiftMin: 8, noiseShiftMax: 24 };

test('every κ within range is met to 1e-4 with a in 12288…24575', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 2, max: 8 }), (share, k) => {
      const tick = 2 ** -k;
      const { min, max } = noiseTemperatureRange(range, tick);
      const wanted = min * (max / min) ** share;
      const register = noiseRegister(wanted, tick, range);
      expect(register.amplitude).toBeGreaterThanOrEqual(12288);
      expect(register.amplitude).toBeLessThanOrEqual(24575);
      expect(register.shift).toBeGreaterThanOrEqual(8);
      expect(register.shift).toBeLessThanOrEqual(24);
      expect(Math.abs(noiseTemperatureOf(register, tick) / wanted - 1)).toBeLessThan(1e-4);
    }),
    { seed: 3 },
  );
});

test('κ = 0 switches the noise off; a κ beyond the range gives the nearest end of the range', () => {
  expect(noiseRegister(0, 1 / 32, range).amplitude).toBe(0);
  expect(noiseRegister(1e-30, 1 / 32, range)).toEqual({ amplitude: 12288, shift: 24 });
  expect(noiseRegister(1e9, 1 / 32, range)).toEqual({ amplitude: 24575, shift: 8 });
});

test('carry noise makes the variance 1.252·κ/λ at hλ = 1, k = 2, κ = 1e-8, as its formula says', () => {
  const eigenvalue = 4;
  const extra = carryNoiseVariance(eigenvalue, 1 / 4, undefined);
  expect(1 + extra / (1e-8 / eigenvalue)).toBeCloseTo(1.25, 2);
  const withRows = carryNoiseVariance(eigenvalue, 1 / 4, { attenuation: 2, damping: 1 });
  expect(withRows / extra).toBeCloseTo(1 + (16 * (1 / 16) * 3) / 1, 10);
});

// Random κ of the test above are rarely near the ends of the range.
test('κ is met to 1e-4 in every octave of the range, also in the first and the last', () => {
  const tick = 2 ** -5;
  const { min, max } = noiseTemperatureRange(range, tick);
  const steps = 500;
  for (let k = 0; k <= steps; k++) {
    const wanted = min * (max / min) ** (k / steps);
    const held = noiseTemperatureOf(noiseRegister(wanted, tick, range), tick);
    expect(Math.abs(held / wanted - 1), `κ = ${wanted}`).toBeLessThan(1e-4);
  }
});
