import { assert, ThermolinkError } from '../../errors.js';
import { type Matrix, matrix } from '../../linalg/matrix.js';
import { gramOfColumns } from '../../linalg/products.js';
import { counted } from '../../number-text.js';
import type { OptimizerState, StepRequest } from './contract.js';

/**
 * Settings of a curvature that is averaged over batches. It is a dense matrix, and several steps may use the
 * same one.
 */
export interface MeanCurvatureSettings {
  /** Share of the mean that is kept when a new batch is added, at least 0 and below 1. */
  readonly average?: number;
  /** R ≥ 1: a batch is added in every R-th step. Default 1. */
  readonly reload?: number;
}

/** Largest P: the mean has P² entries, and a board with dense couplings has at most this many cells. */
const PARAMETERS_MAX = 8192;

/**
 * The mean curvature [P × P, row-major] of a step. If the step has a factor K, it is added to the mean C of
 * the state:
 *
 *     C ← μ C + (1 − μ) KᵀK,   μ = min(`average`, 1 − 1/n) for the n-th batch,
 *
 * With this μ the first batch has no larger weight than a later one. The array is never changed in place.
 * O(mP²) if a batch is added.
 *
 * Errors: TOO_LARGE for more than 8,192 parameters.
 */
export function meanCurvature(
  { average = 0, reload = 1 }: MeanCurvatureSettings,
  { arrays }: OptimizerState,
  { factor, step }: StepRequest,
): Float64Array {
  const before = arrays['curvature'];
  if (factor === undefined) {
    assert(before !== undefined, 'there is no curvature from an earlier step');
    return before;
  }
  if (factor.columns > PARAMETERS_MAX)
    throw new ThermolinkError(
      'TOO_LARGE',
      `The mean curvature of ${counted(factor.columns, 'parameter')} has the square of this number of entries, which is too many.`,
      { hint: `Leave \`average\` out, or train at most ${PARAMETERS_MAX} parameters.` },
    );
  const batches = Math.floor(step / reload) + 1;
  return meanOfProducts(before, keptShare(average, batches), factor);
}

/** Whether a batch is added to the mean in step number `step`. */
export function entersAt({ reload = 1 }: MeanCurvatureSettings, step: number): boolean {
  return step % reload === 0;
}

/**
 * Share of a running mean that is kept when batch number `batches` is added. The first batches then have
 * equal weights.
 */
export function keptShare(average: number, batches: number): number {
  return Math.min(1 - 1 / batches, average);
}

/** share · before + (1 − share) · RᵀR, N×N for R of N columns. */
export function meanOfProducts(before: Float64Array | undefined, share: number, rows: Matrix): Float64Array {
  const { data } = gramOfColumns(rows);
  if (before === undefined) return data;
  for (let i = 0; i < data.length; i++) data[i] = share * before[i] + (1 - share) * data[i];
  return data;
}

/** The entries of a mean curvature as a matrix. */
export function curvatureMatrix(entries: Float64Array): Matrix {
  const size = Math.round(Math.sqrt(entries.length));
  return matrix(size, size, entries);
}
