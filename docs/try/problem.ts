import { cholesky, choleskySolve } from '../../src/linalg/cholesky.js';
import { type Matrix, matrix } from '../../src/web/index.js';

/** A problem that was typed, and its solution by floating-point arithmetic. */
export interface Problem {
  readonly matrix: Matrix;
  readonly drive: Float64Array;
  /** A⁻¹b. */
  readonly solution: Float64Array;
  /** A⁻¹. */
  readonly inverse: Matrix;
  /** The longest time constant of the relaxation, 1/λ_min. */
  readonly slowest: number;
}

/** The error about a mistake in the typed text. */
export class BadProblem extends Error {
  readonly field: 'matrix' | 'drive';
  readonly advice: string;

  constructor(field: 'matrix' | 'drive', message: string, advice: string) {
    super(message);
    this.field = field;
    this.advice = advice;
  }
}

const POWER_STEPS = 200;

/** Reads a matrix and a drive as typed. Throws `BadProblem`. */
export function readProblem(matrixText: string, driveText: string): Problem {
  const a = readMatrix(matrixText);
  const drive = Float64Array.from(rowsOf(driveText, 'drive', 'the drive').flat());
  if (drive.length !== a.rows)
    throw new BadProblem(
      'drive',
      `The drive has ${numbers(drive.length)}, but the matrix has ${a.rows} rows.`,
      'Give one number of the drive for each row of the matrix.',
    );
  const outcome = cholesky(a);
  if (!outcome.ok)
    throw new BadProblem(
      'matrix',
      'The matrix is not positive definite: voltages with such couplings run away and never settle.',
      'Make the numbers on the diagonal larger.',
    );
  const n = a.rows;
  const inverse = matrix(n, n);
  for (let column = 0; column < n; column++) {
    const unit = new Float64Array(n);
    unit[column] = 1;
    const entries = choleskySolve(outcome.factor, unit);
    for (let row = 0; row < n; row++) inverse.data[row * n + column] = entries[row];
  }
  const solution = choleskySolve(outcome.factor, drive);
  return { matrix: a, drive, solution, inverse, slowest: largestEigenvalue(inverse) };
}

function readMatrix(text: string): Matrix {
  const rows = rowsOf(text, 'matrix', 'the matrix');
  if (rows.length === 0) throw new BadProblem('matrix', 'There is no matrix.', 'Type one row per line.');
  const n = rows.length;
  const other = rows.findIndex((row) => row.length !== n);
  if (other >= 0)
    throw new BadProblem(
      'matrix',
      `The matrix has ${n === 1 ? '1 row' : `${n} rows`}, but row ${other + 1} has ${numbers(rows[other].length)}.`,
      'The matrix must be square: as many numbers in each row as there are rows.',
    );
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++)
      if (rows[i][j] !== rows[j][i])
        throw new BadProblem(
          'matrix',
          `The matrix is not symmetric: row ${j + 1}, column ${i + 1} is ${rows[j][i]}, but row ${i + 1}, column ${j + 1} is ${rows[i][j]}.`,
          'A coupling works both ways, so both numbers must be the same.',
        );
  return matrix(n, n, Float64Array.from(rows.flat()));
}

function numbers(count: number): string {
  return count === 1 ? '1 number' : `${count} numbers`;
}

/** The numbers of each line. Empty lines are skipped. */
function rowsOf(text: string, field: 'matrix' | 'drive', what: string): number[][] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line, row) =>
    line
      .trim()
      .split(/[\s,;]+/)
      .filter((word) => word !== '')
      .map((word) => {
        const value = Number(word);
        if (Number.isFinite(value)) return value;
        throw new BadProblem(
          field,
          `“${word.slice(0, 20)}” in line ${row + 1} of ${what} is not a number.`,
          'Write numbers like 4, -0.5 or 1e-3, with blanks or commas between them.',
        );
      }),
  );
}

/**
 * The largest eigenvalue of a symmetric positive definite matrix, by the power method. The result is never
 * above it.
 */
function largestEigenvalue({ rows: n, data }: Matrix): number {
  let vector = Float64Array.from({ length: n }, (_, i) => 1 + i / n);
  let value = 0;
  for (let step = 0; step < POWER_STEPS; step++) {
    const length = Math.hypot(...vector);
    const image = new Float64Array(n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) image[i] += (data[i * n + j] * vector[j]) / length;
    value = Math.hypot(...image);
    vector = image;
  }
  return value;
}
