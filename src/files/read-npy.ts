import { ThermolinkError } from '../errors.js';
import { allocateEntries, badFile, ENTRIES_MAX, type InputFile, type NumericArray } from './input-file.js';
import { DTYPES, type Dtype, type NpyHeader, NpyHeaderError, parseNpyHeader } from './npy-header.js';

/** The first bytes of a .npy file. */
export const NPY_MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** Longest header that is read. NumPy itself refuses headers of more than 10,000 bytes. */
const HEADER_BYTES_MAX = 65_536;
const CHUNK_BYTES = 2 ** 20;

const RECORDS_HINT =
  "Convert it: python3 -c \"import numpy as n; from numpy.lib.recfunctions import structured_to_unstructured as u; n.save('A.npy', u(n.load('records.npy')))\".";
const SAVE_HINT = "Write it with numpy.save(path, array.astype('float64')).";

/**
 * Reads NumPy's format, versions 1 to 3: float32, float64 and whole numbers of 8 to 64 bits in either byte
 * order, C or Fortran order, one or two dimensions. Memory is allocated only after the shape agrees with the
 * file's size.
 *
 * Errors: `BAD_FILE` if it is not such a file or is cut short; `BAD_MATRIX` if it has no entry or another
 * number of dimensions, or holds a value that is not finite or, as a whole number, not exact in float64.
 */
export async function readNpy(file: InputFile): Promise<NumericArray> {
  const { header, offsetBytes } = await readHeader(file);
  const dtype = dtypeOf(file.path, header.descr);
  const shape = checkShape(file.path, header.shape);
  checkSize(file, header, shape.rows * shape.columns * dtype.bytes, offsetBytes);
  const data = await readEntries(file, header, dtype, shape);
  return { ...shape, data };
}

interface Shape {
  readonly dimensions: 1 | 2;
  readonly rows: number;
  readonly columns: number;
}

async function readHeader(file: InputFile): Promise<{ header: NpyHeader; offsetBytes: number }> {
  const { path } = file;
  const prefix = Buffer.alloc(Math.min(8, file.sizeBytes));
  await file.read(prefix);
  if (prefix.length < 8 || !prefix.subarray(0, 6).equals(NPY_MAGIC))
    throw badFile(path, `${path} is not a NumPy array: it does not begin as one.`, SAVE_HINT);
  const [major, minor] = prefix.subarray(6);
  if (major < 1 || major > 3 || minor !== 0)
    throw badFile(path, `${path} has the unknown .npy format version ${major}.${minor}.`, SAVE_HINT);
  const length = Buffer.alloc(major === 1 ? 2 : 4);
  await file.read(length);
  const headerBytes = major === 1 ? length.readUInt16LE() : length.readUInt32LE();
  const offsetBytes = prefix.length + length.length + headerBytes;
  if (headerBytes > HEADER_BYTES_MAX)
    throw badFile(path, `${path} claims a header of ${headerBytes} bytes, so it is damaged.`, SAVE_HINT);
  if (offsetBytes > file.sizeBytes)
    throw badFile(
      path,
      `${path} ends at byte ${file.sizeBytes}, within its header.`,
      'Write the file again.',
    );
  const text = Buffer.alloc(headerBytes);
  await file.read(text);
  try {
    return { header: parseNpyHeader(text.toString(major === 3 ? 'utf8' : 'latin1')), offsetBytes };
  } catch (error) {
    if (!(error instanceof NpyHeaderError)) throw error;
    const hint = error.holdsRecords ? RECORDS_HINT : SAVE_HINT;
    throw badFile(path, `${path} is not a readable NumPy array: ${error.message}.`, hint);
  }
}

function dtypeOf(path: string, descr: string): Dtype {
  const dtype = DTYPES.get(descr);
  if (dtype !== undefined) return dtype;
  throw badFile(
    path,
    `${path} holds values of NumPy type ${JSON.stringify(descr.slice(0, 24))}, which is not supported.`,
    SAVE_HINT,
  );
}

function checkShape(path: string, shape: readonly number[]): Shape {
  const text = shapeText(shape);
  if (shape.length !== 1 && shape.length !== 2)
    throw new ThermolinkError('BAD_MATRIX', `${path} has shape ${text}, not one or two dimensions.`, {
      hint: 'Save a matrix or a vector.',
      data: { path, shape },
    });
  if (shape.includes(0))
    throw new ThermolinkError('BAD_MATRIX', `${path} has shape ${text}: it has no entry.`, {
      hint: 'Save a matrix or a vector with entries.',
      data: { path, shape },
    });
  return { dimensions: shape.length, rows: shape[0], columns: shape[1] ?? 1 };
}

/** This check comes before any allocation, because a header of a few bytes may claim 10¹² entries. */
function checkSize(file: InputFile, header: NpyHeader, claimedBytes: number, offsetBytes: number): void {
  const { path, sizeBytes } = file;
  const presentBytes = sizeBytes - offsetBytes;
  const claim = `${path} claims shape ${shapeText(header.shape)} of type ${header.descr}, ${claimedBytes} bytes`;
  if (claimedBytes > presentBytes)
    throw badFile(
      path,
      `${claim}, but only ${presentBytes} follow: it was cut short.`,
      'Write the file again.',
    );
  if (claimedBytes < presentBytes)
    throw badFile(path, `${claim}, but ${presentBytes} follow.`, 'Save one array per file.');
  const entries = header.shape.reduce((product, length) => product * length, 1);
  if (entries > ENTRIES_MAX)
    throw badFile(
      path,
      `${path} holds ${entries} numbers, more than the ${ENTRIES_MAX} that are read.`,
      'Use a smaller matrix.',
    );
}

async function readEntries(
  file: InputFile,
  header: NpyHeader,
  dtype: Dtype,
  { rows, columns }: Shape,
): Promise<Float64Array> {
  const count = rows * columns;
  const data = allocateEntries(file.path, count);
  const chunk = new Uint8Array(Math.min(CHUNK_BYTES, count * dtype.bytes));
  const perChunk = chunk.length / dtype.bytes;
  for (let first = 0; first < count; first += perChunk) {
    const part = chunk.subarray(0, Math.min(perChunk, count - first) * dtype.bytes);
    await file.read(part);
    const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
    for (let i = 0, at = first; i < part.length; i += dtype.bytes, at++) {
      // The file has the entries column by column; the array in memory has them row by row.
      const index = header.fortranOrder ? (at % rows) * columns + Math.floor(at / rows) : at;
      const value = dtype.read(view, i);
      if (!dtype.isValid(value)) throw badEntry(file.path, header, index, columns, value);
      data[index] = value;
    }
  }
  return data;
}

function badEntry(
  path: string,
  header: NpyHeader,
  index: number,
  columns: number,
  value: number,
): ThermolinkError {
  const [row, column] = [Math.floor(index / columns), index % columns];
  const place = header.shape.length === 1 ? `${row}` : `${row}, ${column}`;
  const what = Number.isFinite(value) ? 'is a whole number beyond 2⁵³, not exact in float64' : `is ${value}`;
  return new ThermolinkError('BAD_MATRIX', `${path}: entry [${place}] (counted from 0) ${what}.`, {
    hint: Number.isFinite(value)
      ? "Save it as floating point: array.astype('float64')."
      : 'Replace it: a linear system needs finite numbers.',
    data: { path, row, column },
  });
}

function shapeText(shape: readonly number[]): string {
  const shown = shape.slice(0, 8).join(', ');
  return `(${shown}${shape.length > 8 ? ', …' : ''}${shape.length === 1 ? ',' : ''})`;
}
