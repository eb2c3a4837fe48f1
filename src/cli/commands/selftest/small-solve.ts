import { solve } from '../../../algorithms/solve/solve.js';
import type { Device } from '../../../driver/device.js';
import { ThermolinkError } from '../../../errors.js';
import { cholesky, choleskySolve } from '../../../linalg/cholesky.js';
import type { LinearSystem } from '../../../linalg/linear-system.js';
import { matrix } from '../../../linalg/matrix.js';

/** A small system that every board can hold: 4 on the diagonal, 1 beside it. */
const CELLS_MAX = 8;
const TOLERANCE = 0.02;
const SEED = 1;

/** The result of the self-test. */
export interface SelfTest {
  readonly what: string;
  readonly passed: boolean;
  /** ‖x − A⁻¹b‖ / ‖A⁻¹b‖, A⁻¹b by Cholesky. */
  readonly relativeError?: number;
  readonly tolerance: number;
  readonly relativeResidual?: number;
  readonly passes?: number;
  readonly samples?: number;
  readonly repeats?: number;
  readonly overloadRetries?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/**
 * Solves a system of at most eight unknowns on the board and compares the answer with Cholesky's. An error of
 * the board is part of the answer. Errors: ABORTED.
 */
export async function selfTest(device: Device, signal: AbortSignal): Promise<SelfTest> {
  const cells = Math.min(CELLS_MAX, device.identity.cells);
  const what = `solve of ${cells} unknowns at tolerance ${TOLERANCE}, compared with Cholesky`;
  const a = matrix(cells, cells);
  for (let i = 0; i < cells; i++)
    for (let j = 0; j < cells; j++) a.data[i * cells + j] = i === j ? 4 : Math.abs(i - j) === 1 ? 1 : 0;
  const drive = Float64Array.from({ length: cells }, (_, i) => 1 + (i % 3));
  try {
    const result = await solve(device, {
      system: systemFor(device, a),
      drive,
      tolerance: TOLERANCE,
      address: { seed: SEED, step: 0, block: 0 },
      signal,
    });
    const factor = cholesky(a);
    const exact = factor.ok ? choleskySolve(factor.factor, drive) : drive;
    const relativeError = norm(exact, result.x) / norm(exact);
    const { relativeResidual, passes, samples, cost } = result;
    return {
      what,
      passed: relativeError <= TOLERANCE,
      relativeError,
      tolerance: TOLERANCE,
      relativeResidual,
      passes,
      samples,
      repeats: cost.repeats,
      overloadRetries: cost.overloadRetries,
    };
  } catch (error) {
    if (!(error instanceof ThermolinkError) || error.code === 'ABORTED') throw error;
    return { what, passed: false, tolerance: TOLERANCE, error: { code: error.code, message: error.message } };
  }
}

/** A crossbar holds A as its Cholesky factor: A = KᵀK with K = Lᵀ. */
function systemFor({ identity }: Device, a: ReturnType<typeof matrix>): LinearSystem {
  if (identity.hasDense) return { kind: 'dense', matrix: a };
  const { columns } = a;
  const factored = cholesky(a);
  const upper = matrix(columns, columns);
  if (factored.ok)
    for (let i = 0; i < columns; i++)
      for (let j = i; j < columns; j++) upper.data[i * columns + j] = factored.factor.data[j * columns + i];
  return { kind: 'factored', factor: upper, damping: 0 };
}

function norm(a: Float64Array, b?: Float64Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - (b?.[i] ?? 0)) ** 2, 0));
}
