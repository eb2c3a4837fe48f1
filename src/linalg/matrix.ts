import { checkArray, checkWhole } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { counted } from '../number-text.js';

/** A real matrix, row-major: entry (i, j) is `data[i * columns + j]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** One typed array has at most so many entries. */
const ENTRIES_MAX = 2 ** 32;

/**
 * A zero matrix of the given shape, or one that wraps `data` (length rows × columns, not copied).
 *
 * Errors: BAD_ARGUMENT for sides that are no whole numbers ≥ 0 or data that is no Float64Array; BAD_MATRIX
 * for data of another length.
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

/** Refuses what `matrix` would refuse; `name` begins the message. */
export function checkShape({ rows, columns, data }: Matrix, name: string): void {
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
