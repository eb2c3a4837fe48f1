import { describe, expect, test } from 'vitest';
import { commitProgram } from '../../../emulator/analog/effective-program.js';
import { PROGRAM_MODE, type ProgramImage } from '../../../firmware-protocol/program-image.js';
import { idealBoard, integersFrom, loadedArray, programImage } from '../../support/analog-boards.js';
import {
  add,
  apply,
  build,
  identity,
  inverse,
  largestEigenvalue,
  multiply,
  type Rows,
  systemMatrix,
  transpose,
} from '../../support/analog-linear.js';

/*
 * With noise off, v[n] = s[n] + hA·c[n] − ρ[n] + H·q[n] and s[n+1] = s[n] + h(e − A·v[n]). Here c in 0…1023
 * and ρ, q in 0…1 are the carries of array input, integrator and rows (in units of their divisors), and H =
 * h·2^(10+a)·Kᵀ with the row attenuation a. The exact recursion is u[n+1] = u[n] + h(e − A·u[n]). The error
 * against it is, without approximation,
 *     v[n] − u[n] = X·x[n] − Σ_j (1 − hA)^(n−1−j)·hA·X·x[j],    X = (hA, −1, H), x = (c, ρ, q), x[0] = 0, and
 *     the range of each x gives an interval for it.
 */

interface Interval {
  low: number[];
  high: number[];
}

/** Adds the range of F·x, 0 ≤ x ≤ top, to an interval. */
function widen(interval: Interval, f: Rows, top: number): void {
  f.forEach((row, i) => {
    for (const entry of row) {
      if (entry > 0) interval.high[i] += entry * top;
      else interval.low[i] += entry * top;
    }
  });
}

function errorIntervals(image: ProgramImage, h: number, ticks: number): Interval[] {
  const n = image.cells;
  const hA = systemMatrix(image).map((row) => row.map((x) => h * x));
  const carries: [Rows, number][] = [
    [hA, 1023],
    [identity(n).map((row) => row.map((x) => -x)), 1],
  ];
  if (image.mode === PROGRAM_MODE.factored) {
    const scale = (h * 2 ** (10 + image.rowAttenuation) * 2 ** (16 - image.couplingBits)) / 2 ** 15;
    carries.push([build(n, image.rows, (i, r) => scale * image.couplings[r * n + i]), 1]);
  }
  const m = add(identity(n), hA, -1);
  const history: Interval = { low: new Array(n).fill(0), high: new Array(n).fill(0) };
  const result: Interval[] = [{ low: new Array(n).fill(0), high: new Array(n).fill(0) }];
  let power = identity(n);
  for (let tick = 1; tick <= ticks; tick++) {
    const now = { low: [...history.low], high: [...history.high] };
    for (const [x, top] of carries) widen(now, x, top);
    result.push(now);
    const past = multiply(power, hA).map((row) => row.map((x) => -x));
    for (const [x, top] of carries) widen(history, multiply(past, x), top);
    power = multiply(m, power);
  }
  return result;
}

/** A symmetric diagonally dominant matrix, positive definite; entries as codes. */
function denseCouplings(cells: number, seed: number, diagonal: number): Int16Array {
  const pick = integersFrom(seed);
  const size = Math.floor((0.8 * diagonal) / (cells - 1));
  const lower = build(cells, cells, () => pick(-size, size));
  return Int16Array.from(
    build(cells, cells, (i, j) => (i === j ? diagonal : i > j ? lower[i][j] : lower[j][i])).flat(),
  );
}

function image(mode: 'dense' | 'factored', seed: number): ProgramImage {
  const pick = integersFrom(seed);
  const cells = 7;
  const drawn = (size: number) => Int16Array.from({ length: cells }, () => pick(-size, size));
  if (mode === 'dense') {
    const couplings = denseCouplings(cells, seed, 32000);
    return programImage({ cells, drive: drawn(3000), initialState: drawn(9000), couplings });
  }
  // These codes are small enough for row amplifiers without attenuation and for the weakest damping.
  const common = { cells, drive: drawn(300), initialState: drawn(5000) };
  const couplings = Int8Array.from({ length: 3 * cells }, () => pick(-70, 70));
  const factored = { mode: PROGRAM_MODE.factored, rows: 3, couplingBits: 8, rowAttenuation: pick(0, 6) };
  return programImage({ ...common, ...factored, couplings, damping: pick(3000, 20000) });
}

describe.each(['dense', 'factored'] as const)('%s, noise off', (mode) => {
  test.each([2, 3, 4, 5, 8])('the mean relaxes as (1 − hA)ⁿ within the carries, k = %i', (tickLog2) => {
    const h = 2 ** -tickLog2;
    const ticks = 80;
    for (let seed = 1; seed <= 5; seed++) {
      const program = image(mode, 100 * tickLog2 + seed);
      const a = systemMatrix(program);
      const hLambda = h * largestEigenvalue(a);
      expect(hLambda).toBeLessThan(2);
      const die = idealBoard({ cells: 7, rows: 7, tickLog2 });
      const array = loadedArray(die, program);
      const committed = commitProgram(die, program);
      const intervals = errorIntervals(program, h, ticks);
      const e = Array.from(program.drive, (code) => code * 2048);
      let u = Array.from(program.initialState, (code) => code * 1024);
      for (let tick = 0; tick <= ticks; tick++) {
        const force = apply(a, u);
        const { low, high } = intervals[tick];
        const errors = u.map((x, i) => array.v[i] - x);
        // The further 1e-3 LSB is for the rounding of u in float64.
        expect(errors.filter((error, i) => error < low[i] - 1e-3 || error > high[i] + 1e-3)).toEqual([]);
        // The bound allows 2·1024·hλ for the carry of the array input, and two LSB for the carry of the
        // integrator.
        const largest = Math.max(...errors.map(Math.abs));
        if (mode === 'dense') expect(largest).toBeLessThanOrEqual(2 * 1024 * hLambda + 2);
        u = u.map((x, i) => x + h * (e[i] - force[i]));
        array.advance(committed, 1, tick, 0, false);
      }
      expect(array.overloaded).toBe(false);
    }
  });

  test('the average of the array’s inputs is A⁻¹e with an error of order 1/T, so no bit is lost', () => {
    const tickLog2 = 4;
    const ticks = 4096;
    for (let seed = 1; seed <= 5; seed++) {
      const program = image(mode, seed);
      const a = systemMatrix(program);
      const die = idealBoard({ cells: 7, rows: 7, tickLog2 });
      const array = loadedArray(die, program);
      const committed = commitProgram(die, program);
      array.advance(committed, 2000, 0, 0, false);
      const start = { v: Array.from(array.v), c: Array.from(array.c) };
      const sum = new Array<number>(7).fill(0);
      for (let tick = 0; tick < ticks; tick++) {
        for (let i = 0; i < 7; i++) sum[i] += array.v[i] + array.c[i];
        array.advance(committed, 1, tick, 0, false);
        for (let i = 0; i < 7; i++) sum[i] -= array.c[i];
      }
      expect(array.overloaded).toBe(false);
      // `sum` adds up the inputs x of the array. The sum Σ h(e − A·x) over T ticks is
      // v[T] − v[0] + ρ[T] − ρ[0] + H(q[0] − q[T]), with |ρ|, |q| < 1.
      const scale = 2 ** (10 + program.rowAttenuation + 16 - program.couplingBits) / 2 ** 15;
      const residual = apply(
        a,
        sum.map((x) => x / ticks),
      ).map((x, i) => x - program.drive[i] * 2048);
      residual.forEach((x, i) => {
        const column = Array.from({ length: program.rows }, (_, r) => program.couplings[r * 7 + i]);
        const rows = mode === 'dense' ? 0 : scale * column.reduce((total, k) => total + Math.abs(k), 0);
        const boundary = (Math.abs(array.v[i] - start.v[i]) + 1) * 2 ** tickLog2;
        expect(Math.abs(x)).toBeLessThanOrEqual((boundary + rows) / ticks + 1e-3);
      });
      const exact = apply(
        inverse(a),
        Array.from(program.drive, (code) => code * 2048),
      );
      expect(Math.max(...exact.map((x, i) => Math.abs(x - sum[i] / ticks)))).toBeLessThan(200);
    }
  });
});

test('the helper: inverse and transpose agree with products', () => {
  const a = systemMatrix(image('dense', 3));
  const off = add(multiply(a, inverse(a)), identity(7), -1).flat();
  expect(Math.max(...off.map(Math.abs))).toBeLessThan(1e-12);
  expect(transpose(a)).toEqual(a);
});
