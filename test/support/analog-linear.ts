import { PROGRAM_MODE, type ProgramImage } from '../../firmware-protocol/program-image.js';

/** Small dense algebra in float64 for the laws of the board; matrices as arrays of rows. */
export type Rows = number[][];

/** The matrix A of a program, from its codes: couplings/2¹⁵ or their Gram matrix, plus damping/2¹⁵. */
export function systemMatrix(image: ProgramImage): Rows {
  const { cells, rows } = image;
  const scale = 2 ** (16 - image.couplingBits) / 2 ** 15;
  const g = (r: number, j: number) => image.couplings[r * cells + j] * scale;
  const entry = (i: number, j: number) => {
    if (image.mode === PROGRAM_MODE.dense) return g(i, j);
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += g(r, i) * g(r, j);
    return sum;
  };
  const lambda = image.damping / 2 ** 15;
  return build(cells, cells, (i, j) => entry(i, j) + (i === j ? lambda : 0));
}

/** κ in V_fs² from the noise registers: a·2^(13−s) LSB = V_fs·√(2κh). */
export function noiseTemperature(image: ProgramImage, tickLog2: number): number {
  const kick = (image.noiseAmplitude * 2 ** (13 - image.noiseShift)) / 2 ** 24;
  return (kick * kick * 2 ** tickLog2) / 2;
}

export function build(rows: number, columns: number, entry: (i: number, j: number) => number): Rows {
  return Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => entry(i, j)));
}

export function identity(size: number): Rows {
  return build(size, size, (i, j) => (i === j ? 1 : 0));
}

export function transpose(a: Rows): Rows {
  return build(a[0].length, a.length, (i, j) => a[j][i]);
}

export function add(a: Rows, b: Rows, factor = 1): Rows {
  return build(a.length, a[0].length, (i, j) => a[i][j] + factor * b[i][j]);
}

export function multiply(a: Rows, b: Rows): Rows {
  return build(a.length, b[0].length, (i, j) => a[i].reduce((sum, x, l) => sum + x * b[l][j], 0));
}

export function apply(a: Rows, x: readonly number[]): number[] {
  return a.map((row) => row.reduce((sum, entry, j) => sum + entry * x[j], 0));
}

/** A⁻¹ by Gauss–Jordan with pivoting. */
export function inverse(a: Rows): Rows {
  const n = a.length;
  const work = a.map((row, i) => [...row, ...identity(n)[i]]);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(work[i][k]) > Math.abs(work[pivot][k])) pivot = i;
    [work[k], work[pivot]] = [work[pivot], work[k]];
    const divisor = work[k][k];
    work[k] = work[k].map((x) => x / divisor);
    for (let i = 0; i < n; i++) {
      const factor = work[i][k];
      if (i !== k && factor !== 0) work[i] = work[i].map((x, j) => x - factor * work[k][j]);
    }
  }
  return work.map((row) => row.slice(n));
}

/**
 * Largest eigenvalue of a symmetric positive semidefinite matrix, to 1e-9, by repeated squaring of the
 * matrix, divided by its trace each time.
 */
export function largestEigenvalue(a: Rows): number {
  let power = a;
  let log = 0;
  let weight = 1;
  for (let k = 0; k < 40; k++) {
    const trace = power.reduce((sum, row, i) => sum + row[i], 0);
    log += weight * Math.log(trace);
    power = power.map((row) => row.map((x) => x / trace));
    power = multiply(power, power);
    weight /= 2;
  }
  return Math.exp(log);
}

/**
 * Stationary covariance of x' = M x + ½(R + R'), where R and R' are the draws of this tick and the next.
 * Draws are independent with covariance D; two neighbouring ticks share one draw. So P = M P Mᵀ + Q with
 * Q = ½D + ¼(M D + D Mᵀ), summed by doubling. Nothing is assumed about M or D.
 */
export function stationaryCovariance(m: Rows, d: Rows): Rows {
  const md = multiply(m, d);
  let sum = add(
    build(d.length, d.length, (i, j) => d[i][j] / 2),
    add(md, transpose(md)),
    1 / 4,
  );
  let power = m;
  for (let k = 0; k < 40; k++) {
    sum = add(sum, multiply(multiply(power, sum), transpose(power)));
    power = multiply(power, power);
  }
  return sum;
}
