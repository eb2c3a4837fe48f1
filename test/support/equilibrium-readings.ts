import type { Die } from '../../emulator/analog/die.js';
import { commitProgram } from '../../emulator/analog/effective-program.js';
import type { ProgramImage } from '../../firmware-protocol/program-image.js';
import { loadedArray } from './analog-boards.js';
import { largestEigenvalue, multiply, type Rows, transpose } from './analog-linear.js';

const UNIT = 2 ** 24;

/** n ticks between readings, and the fraction of the slowest mode that is left: the norm of Mⁿ. */
export function spacing(m: Rows): { slowest: number; ticksPerReading: number } {
  let ticksPerReading = 1;
  let power = m;
  for (;;) {
    const slowest = Math.sqrt(largestEigenvalue(multiply(transpose(power), power)));
    if (slowest <= Math.exp(-3)) return { slowest, ticksPerReading };
    power = multiply(power, power);
    ticksPerReading *= 2;
  }
}

/**
 * Voltages in V_fs, read n ticks apart after a burn-in of ten readings: e⁻³⁰ of the initial distance remains.
 */
export function readEquilibrium(die: Die, image: ProgramImage, ticksPerReading: number, readings: number) {
  const array = loadedArray(die, image);
  const program = commitProgram(die, image);
  const samples: number[][] = [];
  let tick = array.advance(program, 10 * ticksPerReading, 0, 4242, false);
  for (let reading = 0; reading < readings; reading++) {
    tick += array.advance(program, ticksPerReading, tick, 4242, false);
    samples.push(Array.from(array.v.subarray(0, image.cells), (v) => v / UNIT));
  }
  return { samples, overloaded: array.overloaded };
}

/** Means of samples, and covariances about these means. */
export function moments(samples: readonly number[][]): { mean: number[]; covariance: Rows } {
  const { length: count } = samples;
  const size = samples[0].length;
  const mean = new Array<number>(size).fill(0);
  for (const v of samples) for (let i = 0; i < size; i++) mean[i] += v[i] / count;
  const covariance: Rows = mean.map(() => new Array<number>(size).fill(0));
  for (const v of samples)
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) covariance[i][j] += ((v[i] - mean[i]) * (v[j] - mean[j])) / count;
  return { mean, covariance };
}
