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
 * Reads a vector of finite numbers, at least one: a one-dimensional array, or a table of one column or one row.
 * Errors: `BAD_FILE`, `BAD_MATRIX` as for `readMatrix`, also for a table of several rows and columns.
 */
export async function readVector(path: string): Promise<Float64Array> {
  const { rows, columns, data } = await readArray(path);
  if (rows > 1 && columns > 1)
    throw new ThermolinkError(
      'BAD_MATRIX',
      `${path} holds a ${rows}×${columns} matrix where a vector is needed.`,
      {
        hint: 'Give a file with one column or one row.',
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
