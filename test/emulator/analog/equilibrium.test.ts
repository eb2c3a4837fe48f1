import { describe, expect, test } from 'vitest';
import { PROGRAM_MODE, type ProgramImage } from '../../../firmware-protocol/program-image.js';
import { idealBoard, integersFrom, programImage } from '../../support/analog-boards.js';
import {
  add,
  apply,
  build,
  identity,
  inverse,
  multiply,
  noiseTemperature,
  stationaryCovariance,
  systemMatrix,
} from '../../support/analog-linear.js';
import { readEquilibrium, spacing } from '../../support/equilibrium-readings.js';

/*
 * These tests compare statistics of a board in equilibrium with a float64 computation from the codes alone.
 * Readings are n ticks apart, so that the slowest mode keeps a fraction φ = (1 − hλ_min)ⁿ ≤ e⁻³. This
 * correlation increases the variance of a mean by at most (1 + φ)/(1 − φ), and the variance of a covariance
 * by at most (1 + φ²)/(1 − φ²). Seeds are fixed. With random seeds, a correct board would fail one of the
 * tests of this file with a probability below 1e-6. The limits are 5.8 standard errors (7e-9 on both sides)
 * of at most 45 normal quantities. At 6000 readings the skewness of a variance increases the probability by a
 * factor below 3.
 */
const LIMIT = 5.8;
const READINGS = 6000;
const UNIT = 2 ** 24;
/** The variance of a rounding error that is uniform over 2¹⁰ LSB, in V_fs² (s₀ of device-model.md). */
const CARRY_VARIANCE = 2 ** 20 / 12 / UNIT ** 2;

interface Case {
  name: string;
  image: ProgramImage;
  tickLog2: number;
}

const cells = 6;

function registers(seed: number) {
  const pick = integersFrom(seed);
  return {
    cells,
    drive: Int16Array.from({ length: cells }, () => pick(-900, 900)),
    noiseAmplitude: 20000,
    noiseShift: 12,
  };
}

/**
 * A matrix of int16 codes: `offset` on the diagonal, plus `strength` everywhere, plus symmetric draws within
 * ± `spread` and antisymmetric draws within ± `skew`.
 */
function dense(seed: number, offset: number, strength: number, spread: number, skew = 0): ProgramImage {
  const pick = integersFrom(seed);
  const draw = build(cells, cells, () => pick(-spread, spread));
  const turn = build(cells, cells, () => pick(-skew, skew));
  const entry = (i: number, j: number) =>
    (i === j ? offset : 0) + strength + (i > j ? draw[i][j] + turn[i][j] : draw[j][i] - turn[j][i]);
  return programImage({ ...registers(seed), couplings: Int16Array.from(build(cells, cells, entry).flat()) });
}

function factored(seed: number, bits: number): ProgramImage {
  const pick = integersFrom(seed);
  const largest = 2 ** (bits - 1) - 1;
  const couplings = Int16Array.from({ length: 3 * cells }, () => pick(-largest, largest));
  const mode = { mode: PROGRAM_MODE.factored, rows: 3, couplingBits: bits, rowAttenuation: 3 };
  return programImage({ ...registers(seed), ...mode, couplings, damping: 12000 });
}

const CASES: Case[] = [
  { name: 'dense, hλ_max well below 1', image: dense(11, 20000, 0, 5000), tickLog2: 4 },
  { name: 'dense, hλ_max near 1.5', image: dense(12, 10000, 22000, 500), tickLog2: 1 + 1 },
  { name: 'dense, couplings not symmetric', image: dense(13, 25000, 0, 2000, 5000), tickLog2: 4 },
  { name: 'factored, 16 bit', image: factored(14, 16), tickLog2: 4 },
  { name: 'factored, 10 bit', image: factored(15, 10), tickLog2: 3 },
];

describe.each(CASES)('$name', ({ image, tickLog2 }) => {
  const h = 2 ** -tickLog2;
  const a = systemMatrix(image);
  const hA = a.map((row) => row.map((x) => h * x));
  const m = add(identity(cells), hA, -1);
  const kappa = noiseTemperature(image, tickLog2);
  const mean = apply(
    inverse(a),
    Array.from(image.drive, (code) => (code * 2048) / UNIT),
  );
  const thermal = stationaryCovariance(
    m,
    identity(cells).map((row) => row.map((x) => 2 * kappa * h * x)),
  );
  const { slowest, ticksPerReading } = spacing(m);
  const { samples, overloaded } = readEquilibrium(
    idealBoard({ cells, rows: cells, tickLog2 }, 77),
    image,
    ticksPerReading,
    READINGS,
  );

  test('the Lyapunov solution is κA⁻¹ at any step when A is symmetric', () => {
    const symmetric = a.every((row, i) => row.every((x, j) => x === a[j][i]));
    const off = add(thermal, inverse(a), -kappa).flat().map(Math.abs);
    const scale = Math.max(...thermal.flat().map(Math.abs));
    if (symmetric) expect(Math.max(...off) / scale).toBeLessThan(1e-9);
    else expect(Math.max(...off) / scale).toBeGreaterThan(0.01);
  });

  test('mean is A⁻¹e', () => {
    expect(overloaded).toBe(false);
    const inflation = (1 + slowest) / (1 - slowest) / READINGS;
    for (let i = 0; i < cells; i++) {
      const average = samples.reduce((sum, v) => sum + v[i], 0) / READINGS;
      expect(Math.abs(average - mean[i]) / Math.sqrt(thermal[i][i] * inflation)).toBeLessThan(LIMIT);
    }
  });

  test('covariance is the Lyapunov solution', () => {
    // This term is the noise of the array's carry in the symmetric cases (device-model.md, carry noise
    // floor). In the other cases this noise is below 0.1 % of a standard error.
    const stiff = multiply(multiply(hA, hA), inverse(add(identity(cells), hA, -1 / 2)));
    const expected = add(thermal, stiff, CARRY_VARIANCE);
    const inflation = (1 + slowest ** 2) / (1 - slowest ** 2) / READINGS;
    for (let i = 0; i < cells; i++)
      for (let j = 0; j <= i; j++) {
        const found = samples.reduce((sum, v) => sum + (v[i] - mean[i]) * (v[j] - mean[j]), 0) / READINGS;
        const variance = expected[i][i] * expected[j][j] + expected[i][j] ** 2;
        expect(Math.abs(found - expected[i][j]) / Math.sqrt(variance * inflation)).toBeLessThan(LIMIT);
      }
    // The standard error of all modes together is √(2/(N·readings)) = 0.7 %. A scheme with an error of a few
    // per cent in the variance therefore fails.
    const precision = inverse(expected);
    const distance = samples.reduce((sum, v) => {
      const x = v.map((value, i) => value - mean[i]);
      return sum + apply(precision, x).reduce((dot, p, i) => dot + p * x[i], 0);
    }, 0);
    const relative = distance / (cells * READINGS) - 1;
    expect(Math.abs(relative) / Math.sqrt((2 * inflation) / cells)).toBeLessThan(LIMIT);
  });
});
