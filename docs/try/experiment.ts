import { type Device, drawSamples, type Matrix, matrix, relax, solve } from '../../src/web/index.js';
import type { Problem } from './problem.js';

/**
 * The number of readings of the relaxation, and the duration of the relaxation in its longest time constants.
 */
export const READINGS = 40;
const TIME_CONSTANTS = 6;
export const TOLERANCE = 1e-3;
const DRAWS_A_BATCH = 500;
export const BATCHES = 20;

/** What the page shows while the board works. */
export interface Show {
  readonly status: (text: string) => void;
  readonly reading: (time: number, voltages: Float64Array, timeMax: number) => void;
  readonly solution: (x: Float64Array, standardError: Float64Array, boardSeconds: number) => void;
  readonly covariance: (covariance: Matrix, draws: number) => void;
}

/** Lets the board relax, solve and fluctuate. Errors: those of relax, solve and drawSamples. */
export async function runOn(
  device: Device,
  problem: Problem,
  show: Show,
  signal: AbortSignal,
): Promise<void> {
  const { matrix: a, drive } = problem;
  const system = { kind: 'dense', matrix: a } as const;
  const initial = new Float64Array(a.rows);
  const timeMax = TIME_CONSTANTS * problem.slowest;
  show.reading(0, initial, timeMax);
  for (let reading = 1; reading <= READINGS; reading++) {
    show.status(`The voltages relax: reading ${reading} of ${READINGS}.`);
    const time = (timeMax * reading) / READINGS;
    const address = { seed: 1, step: reading, block: 0 };
    const { x } = await relax(device, { system, drive, initial, time, address, signal });
    show.reading(time, x, timeMax);
  }
  show.status('The board solves to one part in a thousand.');
  const address = { seed: 2, step: 0, block: 0 };
  const solved = await solve(device, { system, drive, tolerance: TOLERANCE, address, signal });
  show.solution(solved.x, solved.standardError, solved.cost.boardSeconds);
  const sums = matrix(a.rows, a.rows);
  for (let batch = 1; batch <= BATCHES; batch++) {
    show.status(`The voltages fluctuate: batch ${batch} of ${BATCHES}.`);
    const { draws } = await drawSamples(device, {
      precision: system,
      count: DRAWS_A_BATCH,
      address: { seed: 3, step: batch, block: 0 },
      signal,
    });
    addProducts(sums, draws);
    const count = batch * DRAWS_A_BATCH;
    const covariance = matrix(
      a.rows,
      a.rows,
      sums.data.map((sum) => sum / count),
    );
    show.covariance(covariance, count);
  }
}

/** Σ x xᵀ: the draws have mean 0. */
function addProducts(sums: Matrix, draws: Matrix): void {
  const n = sums.rows;
  for (let row = 0; row < draws.rows; row++)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) sums.data[i * n + j] += draws.data[row * n + i] * draws.data[row * n + j];
}

/**
 * The largest |C_ij − S_ij| in units of √(S_ii S_jj), with C = `measured` and S = `exact`. Also a bound of
 * the standard deviation that such a difference has by chance: √(2/draws).
 */
export function covarianceError(measured: Matrix, exact: Matrix, draws: number) {
  const n = exact.rows;
  let largest = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const scale = Math.sqrt(exact.data[i * n + i] * exact.data[j * n + j]);
      largest = Math.max(largest, Math.abs(measured.data[i * n + j] - exact.data[i * n + j]) / scale);
    }
  return { largest, byChance: Math.sqrt(2 / draws) };
}
