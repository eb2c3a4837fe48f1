import { describe, expect, test } from 'vitest';
import { commitProgram } from '../../../emulator/analog/effective-program.js';
import type { ProgramImage } from '../../../firmware-protocol/program-image.js';
import { idealBoard, integersFrom, loadedArray, programImage } from '../../support/analog-boards.js';
import {
  apply,
  build,
  inverse,
  largestEigenvalue,
  noiseTemperature,
  systemMatrix,
} from '../../support/analog-linear.js';
import { moments, readEquilibrium } from '../../support/equilibrium-readings.js';
import { hasNgspice, transient } from '../../support/ngspice.js';

/** Diagonally dominant matrices, which resistors can make. Their eigenvalues are about 0.25…1. */
function problem(cells: number, seed: number): ProgramImage {
  const pick = integersFrom(seed);
  const most = Math.floor(12_000 / cells);
  const draw = build(cells, cells, () => pick(-most, most));
  const entry = (i: number, j: number) => (i === j ? 20_000 : draw[Math.min(i, j)][Math.max(i, j)]);
  return programImage({
    cells,
    couplings: Int16Array.from(build(cells, cells, entry).flat()),
    drive: Int16Array.from({ length: cells }, () => pick(-1500, 1500)),
    initialState: Int16Array.from({ length: cells }, () => pick(-10_000, 10_000)),
  });
}

const circuitOf = (image: ProgramImage) => ({
  a: systemMatrix(image),
  drive: Array.from(image.drive, (code) => (code * 2048) / 2 ** 24),
  initial: Array.from(image.initialState, (code) => code / 2 ** 14),
});

/** The emulator's voltages at 0, 1, … `end` τ. */
function emulated(image: ProgramImage, tickLog2: number, end: number): number[][] {
  const die = idealBoard({ tickLog2 });
  const array = loadedArray(die, image);
  const program = commitProgram(die, image);
  const volts: number[][] = [];
  for (let t = 0; t <= end; t++) {
    volts.push(Array.from(array.v.subarray(0, image.cells), (v) => v / 2 ** 24));
    array.advance(program, 2 ** tickLog2, t * 2 ** tickLog2, 1, false);
  }
  return volts;
}

describe.runIf(hasNgspice)('ngspice, an independent simulator of the circuit', () => {
  test.each([
    [1, 51],
    [2, 52],
    [5, 53],
    [8, 54],
  ])(
    'a transient of %i cells without noise differs by no more than the tick explains, and by less with a shorter tick',
    (cells, seed) => {
      const image = problem(cells, seed);
      const circuit = circuitOf(image);
      const end = 12;
      const spice = transient(circuit, 1, end, 0.02);
      expect(spice).toHaveLength(end + 1);
      const rest = apply(inverse(circuit.a), circuit.drive);
      const distance = Math.hypot(...circuit.initial.map((v, i) => v - rest[i]));
      const eigenvalueMax = largestEigenvalue(circuit.a);
      const errors = [3, 4, 5, 6, 7].map((tickLog2) => {
        const ours = emulated(image, tickLog2, end);
        return Math.max(...ours.map((v, t) => Math.hypot(...v.map((x, i) => x - spice[t][i]))));
      });
      errors.forEach((error, i) => {
        // |(1 − x)ⁿ − e^(−nx)| ≤ x·max(s·e^(−s))/2·(1 + x) with s = nx, and max(s·e^(−s)) = 1/e. The further
        // 1e-4 is for the carries and for the errors of ngspice.
        const x = eigenvalueMax * 2 ** -(3 + i);
        expect(error).toBeLessThan((x / (2 * Math.E)) * (1 + x) * distance + 1e-4);
        if (i > 0) expect(error / errors[i - 1]).toBeLessThan(0.55);
      });
    },
  );

  test('noise: the covariance is κA⁻¹ in ngspice and on the board', { tags: 'long' }, () => {
    const cells = 4;
    const image = {
      ...problem(cells, 55),
      initialState: new Int16Array(cells),
      drive: new Int16Array(cells),
    };
    const a = systemMatrix(image);
    // The noise source of ngspice joins random values by straight lines, one value each step. Its density at
    // low frequencies is rms²·step, so κ = rms²·step/2. The straight lines lose a part of the variance of the
    // order (λ·step)²/10 = 2e-4.
    const [rms, step] = [0.1, 0.04];
    const kappa = (rms * rms * step) / 2;
    const [spacing, readings] = [6, 1000];
    const samples = transient(
      { ...circuitOf(image), noise: { rms, step, seed: 7 } },
      spacing,
      spacing * readings,
      step,
    ).slice(10);
    const registers = { noiseAmplitude: 20_000, noiseShift: 10 };
    const noisy = { ...image, ...registers };
    const ours = readEquilibrium(idealBoard({ tickLog2: 4 }), noisy, 16 * spacing, samples.length).samples;
    const scaled = (values: number[][], by: number) =>
      moments(values).covariance.map((row) => row.map((x) => x / by));
    const found = [scaled(samples, kappa), scaled(ours, noiseTemperature(noisy, 4))];
    const expected = inverse(a);
    const slowest = 1 / largestEigenvalue(inverse(a));
    const left = Math.exp(-slowest * spacing);
    const inflation = (1 + left ** 2) / (1 - left ** 2) / samples.length;
    // Twenty quantities are compared with limits of 5.8 standard errors. With random seeds a correct board
    // would fail with a probability of 1.4e-7.
    for (let i = 0; i < cells; i++)
      for (let j = 0; j <= i; j++) {
        const variance = expected[i][i] * expected[j][j] + expected[i][j] ** 2;
        for (const covariance of found) {
          const distance = Math.abs(covariance[i][j] - expected[i][j]) / Math.sqrt(variance * inflation);
          expect(distance).toBeLessThan(5.8);
        }
      }
  });
});
