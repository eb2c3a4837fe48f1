import { z } from 'zod';
import type { SolveResult } from '../algorithms/contract.js';
import { solve } from '../algorithms/solve/solve.js';
import { checkSystem, checkVector } from '../board/checked-system.js';
import { ThermolinkError } from '../errors.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import type { JobKind } from './job-kind.js';
import { type StoredBytes, storedBytesSchema } from './messages.js';
import type { PartStore } from './part-store.js';

const DOUBLE_BYTES = 8;

/** The request of a solve job. */
export interface SolveJobRequest {
  /** N, the number of unknowns. */
  readonly size: number;
  /** A, N×N by rows, as float64 in little-endian order. */
  readonly matrix: StoredBytes;
  /** b, length N, as float64 in little-endian order. */
  readonly rightHandSide: StoredBytes;
  /** Bound on the estimated relative error, above 0 and below 1. */
  readonly tolerance: number;
  /** Names the noise; u32. */
  readonly seed: number;
}

/**
 * The result of a solve job: `SolveResult` with its vectors as stored parts, float64 in little-endian order.
 */
export interface SolveJobValue extends Omit<SolveResult, 'x' | 'standardError'> {
  /** x, length N. */
  readonly solution: StoredBytes;
  /** Standard error of each entry, length N. */
  readonly standardError: StoredBytes;
}

const solveRequestSchema: z.ZodType<SolveJobRequest> = z.strictObject({
  size: z.int().min(1).max(65_535),
  matrix: storedBytesSchema,
  rightHandSide: storedBytesSchema,
  tolerance: z.number().gt(0).lt(1),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1),
});

const solveValueSchema = z.looseObject({ solution: storedBytesSchema, standardError: storedBytesSchema });

/** Solves A x = b on one board, as `solve` does. */
export const SOLVE_JOB: JobKind<SolveJobRequest> = {
  name: 'solve',
  request: solveRequestSchema,
  async run(device, { size, tolerance, seed, ...stored }, { signal, show, parts }): Promise<SolveJobValue> {
    const a = matrix(size, size, await doublesOf(parts, stored.matrix, size * size, signal));
    const drive = await doublesOf(parts, stored.rightHandSide, size, signal);
    const system = checkSystem({ kind: 'dense', matrix: a });
    checkVector(drive, system, 'right-hand side');
    const { x, standardError, ...facts } = await solve(device, {
      ...{ system, drive, tolerance, address: { seed, step: 0, block: 0 }, signal },
      onProgress: ({ fraction, pass }) => show(fraction, `pass ${pass}`),
    });
    return {
      ...facts,
      solution: await parts.put(bytesOf(x), signal),
      standardError: await parts.put(bytesOf(standardError), signal),
    };
  },
};

/** A system for `solveJobRequest`. */
export interface SolveJobSystem {
  /** A, N×N symmetric positive definite. */
  readonly matrix: Matrix;
  /** b, length N. */
  readonly drive: Float64Array;
  /** Bound on the estimated relative error, above 0 and below 1. */
  readonly tolerance: number;
  /** Names the noise; u32. */
  readonly seed: number;
}

/**
 * Makes the request for A x = b, and stores matrix and right-hand side in the farm. The board's worker checks
 * them. Errors: those of `PartStore.put`.
 */
export async function solveJobRequest(
  parts: PartStore,
  system: SolveJobSystem,
  signal?: AbortSignal,
): Promise<SolveJobRequest> {
  const { matrix: a, drive, tolerance, seed } = system;
  return {
    ...{ size: a.rows, tolerance, seed },
    matrix: await parts.put(bytesOf(a.data), signal),
    rightHandSide: await parts.put(bytesOf(drive), signal),
  };
}

/** The result of a solve job. Errors: those of `PartStore.get`; BAD_FILE for the value of another job. */
export async function solveJobResult(
  parts: PartStore,
  value: unknown,
  signal?: AbortSignal,
): Promise<SolveResult> {
  const read = solveValueSchema.safeParse(value);
  if (!read.success)
    throw new ThermolinkError('BAD_FILE', 'The result of the job is not that of a solve.', {
      cause: read.error,
    });
  const { solution, standardError, ...facts } = value as SolveJobValue;
  const size = solution.bytes / DOUBLE_BYTES;
  return {
    ...facts,
    x: await doublesOf(parts, solution, size, signal),
    standardError: await doublesOf(parts, standardError, size, signal),
  };
}

function bytesOf(values: Float64Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

async function doublesOf(
  parts: PartStore,
  stored: StoredBytes,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  if (stored.bytes !== length * DOUBLE_BYTES)
    throw new ThermolinkError(
      'BAD_ARGUMENT',
      `An array has ${stored.bytes} bytes, not ${length * DOUBLE_BYTES}.`,
    );
  const bytes = await parts.get(stored, signal);
  return new Float64Array(bytes.buffer, bytes.byteOffset, length);
}
