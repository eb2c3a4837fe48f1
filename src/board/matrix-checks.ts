import { ThermolinkError } from '../errors.js';
import type { Matrix } from '../linalg/matrix.js';
import { formatNumber } from '../number-text.js';

/**
 * |A_ij − A_ji| may be this fraction of max |A|. Rounding can make a symmetric product differ by
 * about as much.
 */
const SYMMETRY_TOLERANCE = 1e-12;
/**
 * If the two halves of a matrix differ by at most this fraction of max |A|, they were probably meant to be
 * equal.
 */
const SLIGHT_ASYMMETRY = 1e-3;

/** Refuses a matrix that is not square: BAD_MATRIX. */
export function checkSquare({ rows, columns }: Matrix): void {
  if (rows === columns) return;
  throw new ThermolinkError('BAD_MATRIX', `The matrix is ${rows}×${columns}, not square.`, {
    hint: 'A linear system needs as many equations as unknowns.',
    data: { rows, columns },
  });
}

/**
 * Refuses a matrix that is empty or has an entry that is not finite: BAD_MATRIX with the first such entry.
 */
export function checkEntries({ rows, columns, data }: Matrix, name: string): void {
  if (rows === 0 || columns === 0)
    throw new ThermolinkError('BAD_MATRIX', `${name} is ${rows}×${columns}: it is empty.`, {
      hint: 'Give at least one row and one column.',
      data: { rows, columns },
    });
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) {
      const row = Math.floor(i / columns);
      const column = i % columns;
      throw new ThermolinkError('BAD_MATRIX', `${name} holds ${data[i]} in row ${row}, column ${column}.`, {
        hint: 'Every entry must be a finite number; rows and columns count from 0.',
        data: { row, column },
      });
    }
  }
}

/**
 * Refuses a square matrix whose halves differ by more than rounding: BAD_MATRIX with the first such pair.
 * `largestEntry` is max |w_i A_ij w_j|, with `weights` w (default 1); differences are weighted likewise.
 */
export function checkSymmetry({ columns, data }: Matrix, largestEntry: number, weights?: Float64Array): void {
  const allowed = SYMMETRY_TOLERANCE * largestEntry;
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < i; j++) {
      const above = data[j * columns + i];
      const below = data[i * columns + j];
      const weight = weights === undefined ? 1 : weights[i] * weights[j];
      if (Math.abs(below - above) * weight > allowed) {
        throw new ThermolinkError(
          'BAD_MATRIX',
          `The matrix is not symmetric: entry (${i}, ${j}) is ${below}, but (${j}, ${i}) is ${above}.`,
          {
            hint: asymmetryHint({ columns, data }, largestEntry),
            data: { row: i, column: j },
          },
        );
      }
    }
  }
}

/** Advice for a matrix whose halves differ. It depends on the probable cause. */
function asymmetryHint({ columns, data }: Pick<Matrix, 'columns' | 'data'>, largestEntry: number): string {
  let difference = 0;
  const half = { above: 0, below: 0 };
  for (let i = 0; i < columns; i++)
    for (let j = 0; j < i; j++) {
      const above = data[j * columns + i];
      const below = data[i * columns + j];
      difference = Math.max(difference, Math.abs(below - above));
      half.above = Math.max(half.above, Math.abs(above));
      half.below = Math.max(half.below, Math.abs(below));
    }
  if (half.above === 0 || half.below === 0)
    return (
      `Everything ${half.above === 0 ? 'above' : 'below'} the diagonal is 0: if this is one half of a symmetric matrix, give ` +
      'the other half too. A board cannot solve a triangular system.'
    );
  if (difference <= SLIGHT_ASYMMETRY * largestEntry)
    return `The halves differ by at most ${formatNumber(difference / largestEntry, 2)} of the largest entry: if that is rounding, give (A + Aᵀ)/2.`;
  return (
    'If A is meant to be symmetric, check these entries; (A + Aᵀ)/2 is symmetric, but a different matrix. To solve A x = b with ' +
    'an A that is not symmetric, solve AᵀA x = Aᵀb, which has the same solution and the square of the condition number.'
  );
}
