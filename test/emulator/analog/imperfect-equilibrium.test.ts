import { describe, expect, test } from 'vitest';
import type { Die } from '../../../emulator/analog/die.js';
import { diePartsOf } from '../../../emulator/analog/die-parts.js';
import { commitProgram, type EffectiveProgram } from '../../../emulator/analog/effective-program.js';
import type { ProgramImage } from '../../../firmware-protocol/program-image.js';
import { integersFrom, programImage } from '../../support/analog-boards.js';
import {
  add,
  apply,
  build,
  identity,
  inverse,
  multiply,
  noiseTemperature,
  type Rows,
  stationaryCovariance,
  systemMatrix,
  transpose,
} from '../../support/analog-linear.js';
import { moments, readEquilibrium, spacing } from '../../support/equilibrium-readings.js';
import { imperfectBoard, spread } from '../../support/imperfect-boards.js';

/*
 * Statistics of imperfect dies against float64. Seeds are fixed. With random seeds, a correct board would
 * fail one of these tests with a probability below 1e-6. Limits are 5.8 standard errors (7e-9 on both sides)
 * of at most 27 quantities each. The standard errors include the correlation of the readings, as in
 * equilibrium.test.ts. "Is resolved" means beyond 15 standard errors.
 */
const LIMIT = 5.8;
const RESOLVED = 15;
const READINGS = 8000;
const UNIT = 2 ** 24;
const cells = 6;
const tickLog2 = 3;
const h = 2 ** -tickLog2;

/**
 * A symmetric program with eigenvalues of about 0.3…1.2 G_fs, noise of about 0.04 V_fs and drives within ±
 * 0.1.
 */
function problem(): ProgramImage {
  const pick = integersFrom(31);
  const draw = build(cells, cells, () => pick(-5000, 5000));
  const entry = (i: number, j: number) => (i === j ? 22000 : 0) + Math.round((draw[i][j] + draw[j][i]) / 2);
  return programImage({
    cells,
    couplings: Int16Array.from(build(cells, cells, entry).flat()),
    drive: Int16Array.from({ length: cells }, () => pick(-800, 800)),
    noiseAmplitude: 20000,
    noiseShift: 9,
  });
}

const image = problem();
const nominal = systemMatrix(image);
const kappa = noiseTemperature(image, tickLog2);
const nominalDrive = Array.from(image.drive, (code) => (code * 2048) / UNIT);

/** A, e and the noise of a program as the die computes with them. */
function effective(program: EffectiveProgram) {
  const a = build(
    cells,
    cells,
    (i, j) => (program.forward[i * cells + j] + (i === j ? program.damping[i] : 0)) / 2 ** 15,
  );
  const drive = Array.from(program.drive, (e) => e / UNIT);
  const strength = Array.from(program.noiseAmplitude, (code) => (code / image.noiseAmplitude) ** 2);
  return { a, drive, noise: diagonal(strength.map((share) => 2 * kappa * h * share)) };
}

function diagonal(values: readonly number[]): Rows {
  return build(values.length, values.length, (i, j) => (i === j ? values[i] : 0));
}

const transition = (a: Rows) => add(identity(a.length), a, -h);

interface Expected {
  readonly mean: readonly number[];
  readonly covariance: Rows;
}

interface Measured {
  readonly slowest: number;
  readonly found: ReturnType<typeof moments>;
}
const measuredDies = new Map<Die, Measured>();

/** The moments of a die's readings, which are taken once. */
function measured(die: Die): Measured {
  const known = measuredDies.get(die);
  if (known !== undefined) return known;
  const { slowest, ticksPerReading } = spacing(transition(effective(commitProgram(die, image)).a));
  const { samples, overloaded } = readEquilibrium(die, image, ticksPerReading, READINGS);
  expect(overloaded).toBe(false);
  const result = { slowest, found: moments(samples) };
  measuredDies.set(die, result);
  return result;
}

/** Largest distances of mean and covariance from what is expected, in standard errors. */
function distances(die: Die, { mean, covariance }: Expected) {
  const { slowest, found } = measured(die);
  const meanInflation = (1 + slowest) / (1 - slowest) / READINGS;
  const inflation = (1 + slowest ** 2) / (1 - slowest ** 2) / READINGS;
  let ofMean = 0;
  let ofCovariance = 0;
  for (let i = 0; i < cells; i++) {
    const error = Math.sqrt(covariance[i][i] * meanInflation);
    ofMean = Math.max(ofMean, Math.abs(found.mean[i] - mean[i]) / error);
    for (let j = 0; j <= i; j++) {
      const variance = covariance[i][i] * covariance[j][j] + covariance[i][j] ** 2;
      const distance = Math.abs(found.covariance[i][j] - covariance[i][j]);
      ofCovariance = Math.max(ofCovariance, distance / Math.sqrt(variance * inflation));
    }
  }
  return { mean: ofMean, covariance: ofCovariance };
}

/** The moments from the codes alone: A⁻¹e and κA⁻¹. */
const detailedBalance: Expected = {
  mean: apply(inverse(nominal), nominalDrive),
  covariance: inverse(nominal).map((row) => row.map((x) => x * kappa)),
};

/** The moments from the die's effective numbers. Detailed balance is not needed. */
function lyapunov(die: Die): Expected {
  const { a, drive, noise } = effective(commitProgram(die, image));
  return { mean: apply(inverse(a), drive), covariance: stationaryCovariance(transition(a), noise) };
}

const board = { cells, rows: cells, tickLog2 };

describe('time constants that differ', () => {
  // The rows are rounded after the multiplication by γ. The rounding is 5e-5 of the couplings, far below a
  // standard error.
  const die = imperfectBoard({ timeConstantMismatch: spread(150_000) }, board, 5);

  test('do not change the equilibrium: A⁻¹e and κA⁻¹', () => {
    const { mean, covariance } = distances(die, detailedBalance);
    expect(mean).toBeLessThan(LIMIT);
    expect(covariance).toBeLessThan(LIMIT);
  });

  test('would change the equilibrium by a resolved amount if the noise did not have the factor √γ', () => {
    const { rate } = diePartsOf(die).cells!;
    const { a, noise } = effective(commitProgram(die, image));
    const without = noise.map((row, i) => row.map((x) => (x * 2 ** 20) / rate[i]));
    const covariance = stationaryCovariance(transition(a), without);
    const { covariance: distance } = distances(die, { ...detailedBalance, covariance });
    expect(distance).toBeGreaterThan(RESOLVED);
  });
});

describe.each([
  ['noise temperatures that differ', { noiseMismatch: spread(200_000) }, 5],
  ['crosstalk, not reciprocal', { crosstalk: { sharePpm: 60_000, spreadPpm: 150_000, source: 'test' } }, 6],
  ['couplings that differ, g_ij ≠ g_ji', { couplingMismatch: spread(150_000) }, 7],
])('%s', (_, effects, dieSeed) => {
  const die = imperfectBoard(effects, board, dieSeed);

  test('a violation of detailed balance is resolved', () => {
    expect(distances(die, detailedBalance).covariance).toBeGreaterThan(RESOLVED);
  });

  test('mean and covariance are those of the Lyapunov equation with the effective numbers of the die', () => {
    const { mean, covariance } = distances(die, lyapunov(die));
    expect(mean).toBeLessThan(LIMIT);
    expect(covariance).toBeLessThan(LIMIT);
  });
});

test('input offset moves the mean by A⁻¹o and leaves the covariance', () => {
  const die = imperfectBoard({ inputOffset: spread(20_000) }, board, 8);
  const offset = Array.from(diePartsOf(die).cells!.inputOffset, (o) => o / UNIT);
  const mean = apply(
    inverse(nominal),
    nominalDrive.map((e, i) => e + offset[i]),
  );
  expect(distances(die, detailedBalance).mean).toBeGreaterThan(RESOLVED);
  const found = distances(die, { ...detailedBalance, mean });
  expect(found.mean).toBeLessThan(LIMIT);
  expect(found.covariance).toBeLessThan(LIMIT);
});

test('leakage adds to the diagonal', () => {
  const die = imperfectBoard({ leakage: { meanPpm: 200_000, spreadPpm: 50_000, source: 'test' } }, board, 9);
  const leak = Array.from(diePartsOf(die).cells!.leakage, (g) => g / 2 ** 15);
  expect(Math.min(...leak)).toBeGreaterThan(0.05);
  const inverseOf = inverse(add(nominal, diagonal(leak)));
  const expected = {
    mean: apply(inverseOf, nominalDrive),
    covariance: inverseOf.map((row) => row.map((x) => x * kappa)),
  };
  const found = distances(die, expected);
  expect(found.mean).toBeLessThan(LIMIT);
  expect(found.covariance).toBeLessThan(LIMIT);
});

test('common-mode noise adds a part that all cells share', () => {
  const die = imperfectBoard({ commonModeNoise: { sharePpm: 600_000, source: 'test' } }, board, 10);
  const shared = build(cells, cells, () => 2 * kappa * h * 0.6 ** 2);
  const noise = add(effective(commitProgram(die, image)).noise, shared);
  const covariance = stationaryCovariance(transition(nominal), noise);
  expect(distances(die, detailedBalance).covariance).toBeGreaterThan(RESOLVED);
  expect(distances(die, { ...detailedBalance, covariance }).covariance).toBeLessThan(LIMIT);
});

test('coloured noise: the covariance is that of cells and filters together', { tags: 'long' }, () => {
  const correlation256 = 216;
  const die = imperfectBoard({ noiseColour: { correlation256, source: 'test' } }, board, 11);
  const alpha = correlation256 / 256;
  // The state is (v, n) with n' = αn + (1 − α)z and v' = Mv + ½σ(n + n'). z has unit variance, and σ² = 2κh.
  const sigma = Math.sqrt(2 * kappa * h);
  const m = transition(nominal);
  const f = build(2 * cells, 2 * cells, (i, j) => {
    if (i < cells && j < cells) return m[i][j];
    if (j !== (i < cells ? i + cells : i)) return 0;
    return i < cells ? (sigma / 2) * (1 + alpha) : alpha;
  });
  const b = build(2 * cells, cells, (i, j) =>
    i % cells !== j ? 0 : (1 - alpha) * (i < cells ? sigma / 2 : 1),
  );
  let sum = multiply(b, transpose(b));
  let power = f;
  for (let k = 0; k < 30; k++) {
    sum = add(sum, multiply(multiply(power, sum), transpose(power)));
    power = multiply(power, power);
  }
  const covariance = build(cells, cells, (i, j) => sum[i][j]);
  expect(distances(die, detailedBalance).covariance).toBeGreaterThan(RESOLVED);
  expect(distances(die, { ...detailedBalance, covariance }).covariance).toBeLessThan(LIMIT);
});
