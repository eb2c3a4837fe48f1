import { badArgument } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { counted } from '../number-text.js';
import { badFile, type InputFile, type NumericArray, withInputFile } from './input-file.js';
import { MATRIX_MARKET_BANNER, readMatrixMarket } from './matrix-market.js';
import { NPY_MAGIC, readNpy } from './read-npy.js';
import { readText } from './text-table.js';
import { gunzipped, npzMember } from './unpack.js';

/** The formats that `readMatrix` reads, for the help of an option. */
export const READ_FORMATS = 'text (.csv …), .npy, .npz or Matrix Market';

/**
 * Reads a matrix of finite numbers, at least 1×1, of any shape. The content determines the format: NumPy's
 * .npy, one array of an .npz (`A.npz`, or `A.npz:name`), Matrix Market or text, each also compressed by gzip.
 * Errors: `BAD_ARGUMENT`; `BAD_FILE`; `BAD_MATRIX` (see `readNpy`, `readMatrixMarket` and `TextTable`), also
 * for a one-dimensional array.
 */
export async function readMatrix(path: string): Promise<Matrix> {
  const array = await readArray(path);
  if (array.dimensions === 1)
    throw new ThermolinkError(
      'BAD_MATRIX',
      `${path} holds a vector of ${counted(array.rows, 'number')} where a matrix is needed.`,
      {
        hint: 'Save an array with two dimensions.',
        data: { path, shape: [array.rows] },
      },
    );
  return matrix(array.rows, array.columns, array.data);
}

/**
 * Reads a square matrix of finite numbers. Errors: those of `readMatrix`; `BAD_MATRIX` for another shape. The
 * hint of this error says whether names or indices may have been read as numbers by mistake.
 */
export async function readSquareMatrix(path: string): Promise<Matrix> {
  const array = await readArray(path);
  const { rows, columns, data } = array;
  if (array.dimensions === 2 && rows === columns) return matrix(rows, columns, data);
  const shape =
    array.dimensions === 1 ? `a vector of ${counted(rows, 'number')}` : `a ${rows}×${columns} matrix`;
  throw new ThermolinkError('BAD_MATRIX', `${path} holds ${shape} where a square matrix is needed.`, {
    hint: `Give a file with as many rows as columns.${suspicionOf(array)}`,
    data: { path, shape: array.dimensions === 1 ? [rows] : [rows, columns] },
  });
}

/**
 * Suspicions that a name or an index was read as a number, as further sentences of a hint; empty if there are
 * none.
 */
function suspicionOf({ rows, columns, data, hasCommas }: NumericArray): string {
  // A row or column that counts up from 0 or 1 is suspect. One that counts up from another whole number, such
  // as years, is suspect only if the table has one row or column too many.
  const countsUp = (length: number, isTooMany: boolean, entry: (i: number) => number): boolean =>
    length > 1 &&
    (entry(0) === 0 || entry(0) === 1 || (isTooMany && Number.isInteger(entry(0)))) &&
    Array.from({ length }, (_, i) => entry(i) - entry(0) === i).every(Boolean);
  /** Whether exactly the entries that `isName` selects are whole numbers. */
  const areWholeOnly = (isName: (at: number) => boolean): boolean =>
    data.every((value, at) => Number.isInteger(value) === isName(at));
  const found: string[] = [];
  if (rows > 1 && countsUp(columns, rows === columns + 1, (j) => data[j]))
    found.push('Its first row counts the columns: if it is a header, remove it or start it with #.');
  else if (rows > 1 && columns === 1 && data[0] === 0)
    found.push('Its first number is 0: if it is the name of the column, remove it or start it with #.');
  else if (rows > 1 && areWholeOnly((at) => at < columns))
    found.push(
      'Whole numbers stand in its first row alone: if it is a header, remove it or start it with #.',
    );
  if (columns > 1 && countsUp(rows, columns === rows + 1, (i) => data[i * columns]))
    found.push('Its first column counts the rows: if it is an index, remove it.');
  else if (columns > 1 && rows > 1 && areWholeOnly((at) => at % columns === 0))
    found.push('Whole numbers stand in its first column alone: if it is an index, remove it.');
  if (hasCommas === true && columns % 2 === 0 && data.every(Number.isInteger))
    found.push('If its commas are decimal commas, write points, or separate the numbers by semicolons.');
  return found.map((sentence) => ` ${sentence}`).join('');
}

/**
 * Reads a vector [n] of finite numbers, at least one: a one-dimensional array, or a table of one column or
 * one row. Errors: those of `readMatrix`, `BAD_MATRIX` also for a table of several rows and columns.
 */
export async function readVector(path: string): Promise<Float64Array> {
  return vectorOf(path, await readArray(path), 'a vector');
}

/**
 * Reads the right-hand side of a system. Its matrix was read from the file `matrixPath` and has `size` rows.
 * Errors: those of `readVector`; `BAD_MATRIX` for another length, with both sizes and suspicions of misread
 * numbers.
 */
export async function readRightHandSide(
  path: string,
  matrixPath: string,
  size: number,
): Promise<Float64Array> {
  const array = await readArray(path);
  const vector = vectorOf(path, array, `a vector of ${counted(size, 'number')}`);
  if (vector.length === size) return vector;
  throw new ThermolinkError(
    'BAD_MATRIX',
    `${path} holds ${counted(vector.length, 'number')} where ${matrixPath}, a ${size}×${size} matrix, needs ${size}.`,
    {
      hint: `Give a file with one number for each row of the matrix.${suspicionOf(array)}`,
      data: { path, matrixPath, length: vector.length, dimension: size },
    },
  );
}

function vectorOf(path: string, array: NumericArray, needed: string): Float64Array {
  const { rows, columns, data } = array;
  if (rows === 1 || columns === 1) return data;
  throw new ThermolinkError(
    'BAD_MATRIX',
    `${path} holds a ${rows}×${columns} matrix where ${needed} is needed.`,
    {
      hint: `Give a file with one column or one row.${suspicionOf(array)}`,
      data: { path, shape: [rows, columns] },
    },
  );
}

/** The name of an array of an .npz file comes after a colon. */
const NPZ_MEMBER = /^(.*\.npz):([^/\\:]+)$/i;

async function readArray(name: string): Promise<NumericArray> {
  if (typeof name !== 'string') throw badArgument('path', name, 'a path');
  const [, path = name, member] = NPZ_MEMBER.exec(name) ?? [];
  return withInputFile(path, (file) => readByContent(file, member));
}

/** A file inside a compressed one is not unpacked again, because some compressed files contain themselves. */
async function readByContent(
  file: InputFile,
  member: string | undefined,
  isUnpacked = false,
): Promise<NumericArray> {
  const head = Buffer.from(await file.head(128));
  const begins = (text: string): boolean => head.subarray(0, text.length).equals(Buffer.from(text, 'latin1'));
  const isCompressed = begins('\x1f\x8b');
  const isZip = begins('PK\x03\x04') || begins('PK\x05\x06');
  if (isUnpacked && (isCompressed || isZip))
    throw badFile(file.path, `${file.path} is compressed twice.`, 'Unpack it once.');
  if (isCompressed) return readByContent(await gunzipped(file), member, true);
  if (isZip) return readByContent(await npzMember(file, member), undefined, true);
  if (member !== undefined)
    throw badFile(file.path, `${file.path} is no .npz file.`, `Give ${file.path} alone, without :${member}.`);
  // A file that was cut within its first bytes is a damaged array and not a text.
  if (NPY_MAGIC.subarray(0, head.length).equals(head.subarray(0, NPY_MAGIC.length))) return readNpy(file);
  const text = head.toString('utf8').replace(/^\uFEFF/, '');
  if (text.toLowerCase().startsWith(MATRIX_MARKET_BANNER.toLowerCase())) return readMatrixMarket(file);
  if (begins('MATLAB 5.0 MAT-file')) throw matlabFile(file.path, false);
  if (begins('MATLAB 7.3 MAT-file') || begins('\x89HDF')) throw matlabFile(file.path, true);
  return readText(file);
}

/**
 * Refuses a file of MATLAB. The hint uses h5py for HDF5, which SciPy does not read, and transposes the matrix
 * back.
 */
function matlabFile(path: string, isHdf5: boolean): ThermolinkError {
  const python = isHdf5
    ? `import numpy, h5py; numpy.save('A.npy', h5py.File('A.mat')['A'][()].T)`
    : `import numpy, scipy.io, scipy.sparse as s; numpy.save('A.npy', s.csr_matrix(scipy.io.loadmat('A.mat')['A']).toarray())`;
  return badFile(
    path,
    `${path} is a file of MATLAB${isHdf5 ? ' 7.3 (HDF5)' : ''}, which is not read.`,
    `Convert it: in MATLAB writematrix(full(A), 'A.csv'); or python3 -c "${python}"${isHdf5 ? ', if A is a full matrix' : ''}.`,
  );
}
