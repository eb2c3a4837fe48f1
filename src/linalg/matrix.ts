import { checkArray, checkWhole } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { counted } from '../number-text.js';

/** A real matrix, row-major: entry (i, j) is `data[i * columns + j]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/**
 * A matrix that measures and rounds its entries faster than a loop over `data`, to the same bits.
 * @internal
 */
export abstract class FastMatrix implements Matrix {
  abstract readonly rows: number;
  abstract readonly columns: number;
  /** All entries. The first read may compute them. */
  abstract readonly data: Float64Array;
  /**
   * Largest magnitude, sum of magnitudes and sum of squares of each row, one after another: 3 numbers per
   * row, valid until the next call. The even and the odd entries of a row are summed separately; a last entry
   * without a partner is added at the end. Undefined if the caller must use a loop.
   */
  abstract measuredRows(): Float64Array | undefined;
  /**
   * roundHalfEven(factor · entry) of all entries. Every |factor · entry| must be below 2³¹. Undefined if the
   * caller must use a loop.
   */
  abstract roundedCodes(factor: number, bytes: 1 | 2): RoundedCodes | undefined;
  /** Releases codes. The array must not be used afterwards, because later codes may use its memory. */
  abstract releaseCodes(codes: Int8Array | Int16Array): void;
}

/** @internal */
export interface RoundedCodes {
  readonly codes: Int8Array<ArrayBuffer> | Int16Array<ArrayBuffer>;
  /**
   * Bitwise OR of the magnitudes of all codes. If a bit at or above the sign bit is set, a code did not fit.
   */
  readonly bitsUsed: number;
}

/** Largest number of entries of a typed array. */
const ENTRIES_MAX = 2 ** 32;

/**
 * A zero matrix of the given shape, or one that wraps `data` (length rows × columns, not copied).
 *
 * Errors: BAD_ARGUMENT if rows or columns is not a whole number ≥ 0 or `data` is not a Float64Array;
 * BAD_MATRIX if `data` has another length.
 */
export function matrix(rows: number, columns: number, data?: Float64Array): Matrix {
  checkSides(rows, columns, 'The matrix');
  const whole = { rows, columns, data: data ?? new Float64Array(rows * columns) };
  checkShape(whole, 'The matrix');
  return whole;
}

/** (A + Aᵀ)/2 of an N×N matrix. */
export function symmetricPart({ rows, data }: Matrix): Matrix {
  const out = matrix(rows, rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < rows; j++) out.data[i * rows + j] = (data[i * rows + j] + data[j * rows + i]) / 2;
  return out;
}

/** Throws the errors of `matrix`; the message begins with `name`. */
export function checkShape(given: Matrix, name: string): void {
  if (given instanceof FastMatrix) return;
  const { rows, columns, data } = given;
  checkSides(rows, columns, name);
  checkArray(`${name}: data`, data, 'Float64Array');
  if (data.length === rows * columns) return;
  throw new ThermolinkError(
    'BAD_MATRIX',
    `${name} is ${rows}×${columns}, but its data has ${counted(data.length, 'entry', 'entries')}.`,
    {
      hint: `Give one entry for each place, row by row: ${rows * columns} in all.`,
      data: { rows, columns, length: data.length },
    },
  );
}

function checkSides(rows: unknown, columns: unknown, name: string): void {
  checkWhole(`${name}: rows`, rows, 0);
  checkWhole(`${name}: columns`, columns, 0);
  checkWhole(`${name}: rows × columns`, (rows as number) * (columns as number), 0, ENTRIES_MAX);
}
