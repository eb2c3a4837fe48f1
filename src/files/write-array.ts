import { existsSync } from 'node:fs';
import { mkdtemp, open, stat, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, extname, join, win32 } from 'node:path';
import { badArgument } from '../argument-checks.js';
import { ThermolinkError } from '../errors.js';
import { checkShape, type Matrix } from '../linalg/matrix.js';
import { badFile } from './input-file.js';
import { replaceWith } from './replace-file.js';
import { writeNpy } from './write-npy.js';

/** Text goes out in pieces of about this many characters. */
const PIECE_CHARACTERS = 2 ** 16;

type Writer = (path: string, array: Float64Array | Matrix) => void;

/** A writer for each ending of a file name. `readMatrix` reads these formats. */
const WRITERS: Readonly<Record<string, Writer>> = {
  '.npy': writeNpy,
  '.csv': textWriter(','),
  '.tsv': textWriter('\t'),
  '.txt': textWriter(' '),
};

/** The endings of file names in `WRITERS`, for the help of an option. */
export const WRITTEN_FORMATS = Object.keys(WRITERS).join(', ');

/**
 * Checks, before anything is computed, that a result can be written to `path`. Its name must have a known
 * format, its directory must exist and be writable, and an existing entry must be a file. It changes nothing.
 *
 * Errors: BAD_ARGUMENT for another format, with `option` in it; BAD_FILE.
 */
export async function checkOutput(option: string, path: string): Promise<void> {
  writerOf(option, path);
  await checkWritable(path);
}

function writerOf(option: string, path: string): Writer {
  if (typeof path !== 'string') throw badArgument(option, path, 'a path');
  const extension = extname(path).toLowerCase();
  if (Object.hasOwn(WRITERS, extension)) return WRITERS[extension];
  throw new ThermolinkError(
    'BAD_ARGUMENT',
    `${option} ${JSON.stringify(path)} does not end in the name of a format that can be written.`,
    {
      hint: `Name a file that ends in ${WRITTEN_FORMATS}.`,
      data: { option, path },
    },
  );
}

/** Names that Windows gives to devices, in any folder and with any ending. */
const DEVICE_NAMES = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])$/i;

/** Whether the name of a file is that of a device of Windows: a result would go there and be lost. */
export function isDeviceName(path: string, platform: NodeJS.Platform = process.platform): boolean {
  if (platform !== 'win32') return false;
  const [stem] = win32.basename(path).split(/[.:]/);
  return DEVICE_NAMES.test(stem.trimEnd());
}

/** Like `checkOutput`, for a file of any name. Errors: BAD_FILE. */
export async function checkWritable(path: string): Promise<void> {
  if (isDeviceName(path))
    throw badFile(path, `${path} is the name of a device of Windows.`, 'Give the file another name.');
  try {
    const status = await stat(path).catch(ignoreMissing);
    if (status === undefined) return await tryNewFile(path);
    if (!status.isFile())
      throw badFile(
        path,
        `${path} is ${status.isDirectory() ? 'a directory' : 'not a regular file'}, so no result can be written there.`,
        'Give the path of a file.',
      );
    await (await open(path, 'r+')).close();
  } catch (error) {
    throw cannotWrite(path, error, 'Nothing was computed.');
  }
}

/**
 * Writes a vector [n] or a matrix in the format of the name of `path`: float64 as .npy, or text with one line
 * for each row and enough digits to read back every bit. An existing file is replaced by a rename, so it has
 * its complete old or new content. A result that cannot be written there is kept in a temporary directory.
 *
 * Errors: BAD_ARGUMENT for another format; BAD_FILE, which tells where the result is.
 */
export async function writeArray(path: string, array: Float64Array | Matrix): Promise<void> {
  const write = writerOf('path', path);
  if (!ArrayBuffer.isView(array)) checkShape(array, 'The matrix');
  await writeOrKeep(path, (where) => write(where, array));
}

/**
 * Writes the text of a result that took long to measure. Replaces and keeps as `writeArray` does.
 *
 * Errors: BAD_FILE, which tells where the result is.
 */
export async function writeText(path: string, text: string): Promise<void> {
  await writeOrKeep(path, (where) => replaceWith(where, [text]));
}

async function writeOrKeep(path: string, write: (path: string) => void): Promise<void> {
  try {
    write(path);
  } catch (error) {
    throw cannotWrite(path, error, await keepElsewhere(path, write));
  }
}

async function keepElsewhere(path: string, write: (path: string) => void): Promise<string> {
  try {
    const kept = join(await mkdtemp(join(tmpdir(), 'thermolink-')), basename(path));
    write(kept);
    return `The result is in ${kept}.`;
  } catch {
    return 'The result is lost: the temporary directory could not be written to either.';
  }
}

async function tryNewFile(path: string): Promise<void> {
  await (await open(path, 'wx')).close();
  await unlink(path);
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

const REASONS: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: (path) =>
    existsSync(dirname(path)) ? 'no file can be made there' : `there is no directory ${dirname(path)}`,
  ENOTDIR: () => 'a part of its path is not a directory',
  EACCES: () => 'this user may not write there',
  EPERM: () => 'this user may not write there',
  EROFS: () => 'the file system is read-only',
  ENOSPC: () => 'the disk is full',
  EDQUOT: () => 'the quota is used up',
  ENAMETOOLONG: () => 'the path is longer than this system allows',
};

/** A failure to write as BAD_FILE with its reason. Other errors are returned unchanged. */
export function cannotWrite(path: string, error: unknown, hint: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  const why = REASONS[code]?.(path);
  return badFile(
    path,
    `${path} can't be written: ${why ?? code}.`,
    hint,
    why === undefined ? error : undefined,
  );
}

function textWriter(separator: string): Writer {
  return (path, array) => replaceWith(path, { [Symbol.iterator]: () => textPieces(array, separator) });
}

/** A vector is one column, as `readVector` takes it. */
function* textPieces(array: Float64Array | Matrix, separator: string): Generator<string> {
  const { rows, columns, data } =
    array instanceof Float64Array ? { rows: array.length, columns: 1, data: array } : array;
  let piece = '';
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = data[row * columns + column];
      piece += `${column === 0 ? '' : separator}${Object.is(value, -0) ? '-0' : value}`;
    }
    piece += '\n';
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}
