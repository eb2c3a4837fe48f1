import { extname } from 'node:path';
import { ThermolinkError } from '../errors.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { badFile, type NumericArray, withInputFile } from './input-file.js';
import { readNpy } from './read-npy.js';
import { readCsv } from './text-table.js';

const READERS: Readonly<Record<string, (path: string) => Promise<NumericArray>>> = {
  '.npy': readNpy,
  '.csv': readCsv,
  '.tsv': readCsv,
  '.txt': readCsv,
};

/**
 * Reads a matrix of finite numbers from a .npy, .csv, .tsv or .txt file; at least 1×1, of any shape.
 * Errors: `BAD_FILE`, `BAD_MATRIX` (see `readNpy` and `TextTable`), also for a one-dimensional array.
 */
export async function readMatrix(path: string): Promise<Matrix> {
  const array = await readArray(path);
  if (array.dimensions === 1)
    throw new ThermolinkError(
      'BAD_MATRIX',
      `${path} holds a vector of ${array.rows} numbers where a matrix is needed.`,
      {
        hint: 'Save an array with two dimensions.',
        data: { path, shape: [array.rows] },
      },
    );
  return matrix(array.rows, array.columns, array.data);
}

/**
 * Reads a square matrix of finite numbers.
 * Errors: those of `readMatrix`; `BAD_MATRIX` for another shape, with what may have been read as numbers by mistake.
 */
export async function readSquareMatrix(path: string): Promise<Matrix> {
  const array = await readArray(path);
  const { rows, columns, data } = array;
  if (array.dimensions === 2 && rows === columns) return matrix(rows, columns, data);
  const shape = array.dimensions === 1 ? `a vector of ${rows} numbers` : `a ${rows}×${columns} matrix`;
  throw new ThermolinkError('BAD_MATRIX', `${path} holds ${shape} where a square matrix is needed.`, {
    hint: `Give a file with as many rows as columns.${suspicionOf(array)}`,
    data: { path, shape: array.dimensions === 1 ? [rows] : [rows, columns] },
  });
}

/** What may have been read as numbers although it is none, as further sentences of a hint; empty if nothing looks so. */
function suspicionOf({ rows, columns, data, hasCommas }: NumericArray): string {
  const countsUp = (length: number, entry: (i: number) => number): boolean =>
    length > 1 &&
    (entry(0) === 0 || entry(0) === 1) &&
    Array.from({ length }, (_, i) => entry(i) - entry(0) === i).every(Boolean);
  const found: string[] = [];
  if (rows > 1 && countsUp(columns, (j) => data[j]))
    found.push('Its first row counts the columns: if it is a header, remove it or start it with #.');
  if (columns > 1 && countsUp(rows, (i) => data[i * columns]))
    found.push('Its first column counts the rows: if it is an index, remove it.');
  if (hasCommas === true && columns % 2 === 0 && data.every(Number.isInteger))
    found.push('If its commas are decimal commas, write points, or separate the numbers by semicolons.');
  return found.map((sentence) => ` ${sentence}`).join('');
}

/**
 * Reads a vector of finite numbers, at least one: a one-dimensional array, or a table of one column or one row.
 * Errors: `BAD_FILE`, `BAD_MATRIX` as for `readMatrix`, also for a table of several rows and columns.
 */
export async function readVector(path: string): Promise<Float64Array> {
  const array = await readArray(path);
  const { rows, columns, data } = array;
  if (rows > 1 && columns > 1)
    throw new ThermolinkError(
      'BAD_MATRIX',
      `${path} holds a ${rows}×${columns} matrix where a vector is needed.`,
      {
        hint: `Give a file with one column or one row.${suspicionOf(array)}`,
        data: { path, shape: [rows, columns] },
      },
    );
  return data;
}

async function readArray(path: string): Promise<NumericArray> {
  const extension = extname(path).toLowerCase();
  if (Object.hasOwn(READERS, extension)) return READERS[extension](path);
  // Opened all the same: that it does not exist, or is a directory, says more than that its name is wrong.
  return withInputFile(path, async () => {
    throw badFile(
      path,
      `${path} is not named as a format that is read.`,
      'Give a file that ends in .npy (NumPy), .csv, .tsv or .txt (numbers as text).',
    );
  });
}
