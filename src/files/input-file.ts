import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { ThermolinkError } from '../errors.js';

/** Largest input file, and largest array that is made from a file, bytes. */
export const FILE_BYTES_MAX = 2 ** 31;

/** Largest number of float64 entries from one input file. */
export const ENTRIES_MAX = FILE_BYTES_MAX / 8;

/** A regular file of 1 to `FILE_BYTES_MAX` bytes, read front to back. */
export interface InputFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Fills all of `target` with the next bytes; `BAD_FILE` if the file ends earlier. */
  read(target: Uint8Array): Promise<void>;
  /** The first bytes of the file, at most `count`. It does not change the position of reading. */
  head(count: number): Promise<Uint8Array>;
}

/**
 * Opens `path`, passes the file to `use`, and always closes it. It opens only regular files, so it never
 * waits for a pipe or a device. Errors: `BAD_FILE` for every refusal of the operating system, for an empty
 * file and for a too large one.
 */
export async function withInputFile<T>(path: string, use: (file: InputFile) => Promise<T>): Promise<T> {
  if (path === '') throw badFile(path, 'The file name is empty.', 'Give the path of a file.');
  if (path.includes('\0'))
    throw badFile(path, 'The file name holds a zero byte.', 'Give the path of a file.');
  let handle: FileHandle | undefined;
  try {
    checkIsFile(path, await stat(path));
    // Non-blocking, because the path may have become a pipe since. Opening a pipe would wait for a writer
    // without end.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const status = await handle.stat();
    checkIsFile(path, status);
    return await use(sequential(path, status.size, fromHandle(handle)));
  } catch (error) {
    throw asBadFile(path, error);
  } finally {
    await handle?.close();
  }
}

/** All bytes of a file. Errors: those of `withInputFile`. */
export function readInputFile(path: string): Promise<Uint8Array> {
  return withInputFile(path, async (file) => {
    const bytes = new Uint8Array(file.sizeBytes);
    await file.read(bytes);
    return bytes;
  });
}

/** A zeroed array of `count` ≤ `ENTRIES_MAX` entries; `BAD_FILE` if this machine has no room for it. */
export function allocateEntries(path: string, count: number): Float64Array {
  try {
    return new Float64Array(count);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw badFile(
      path,
      `${path} holds ${count} numbers, more than fit into memory.`,
      'Use a smaller matrix.',
      error,
    );
  }
}

/** A `BAD_FILE` error about `path`. */
export function badFile(path: string, message: string, hint: string, cause?: unknown): ThermolinkError {
  return new ThermolinkError('BAD_FILE', message, { hint, cause, data: { path } });
}

interface FileStatus {
  readonly size: number;
  isFile(): boolean;
  isDirectory(): boolean;
}

function checkIsFile(path: string, status: FileStatus): void {
  if (status.isDirectory())
    throw badFile(path, `${path} is a directory, not a file.`, 'Give the path of a file in it.');
  if (!status.isFile())
    throw badFile(
      path,
      `${path} is not a regular file.`,
      'Save its content to a file and give the path of that.',
    );
  if (status.size === 0) throw badFile(path, `${path} is empty.`, 'Write the file again.');
  if (status.size > FILE_BYTES_MAX)
    throw badFile(
      path,
      `${path} has ${status.size} bytes, more than the ${FILE_BYTES_MAX} (2 GiB) that are read.`,
      'Use a smaller matrix, or a .npy file in place of text.',
    );
}

/** Fills `target` from byte `offset` on and returns how many bytes there were. */
type ReadAt = (target: Uint8Array, offset: number) => Promise<number>;

function sequential(path: string, sizeBytes: number, readAt: ReadAt): InputFile {
  let offset = 0;
  async function read(target: Uint8Array): Promise<void> {
    const bytesRead = await readAt(target, offset);
    offset += bytesRead;
    if (bytesRead < target.length)
      throw badFile(
        path,
        `${path} ends at byte ${offset}, but its content needs more bytes.`,
        'Write the file again.',
      );
  }
  async function head(count: number): Promise<Uint8Array> {
    const target = new Uint8Array(Math.min(count, sizeBytes));
    return target.subarray(0, await readAt(target, 0));
  }
  return { path, sizeBytes, read, head };
}

const fromHandle =
  (handle: FileHandle): ReadAt =>
  async (target, offset) => {
    let filled = 0;
    while (filled < target.length) {
      const { bytesRead } = await handle.read(target, filled, target.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return filled;
  };

/** The unpacked content of a file, read like a file; `path` names it in errors. */
export function unpackedFile(path: string, bytes: Uint8Array): InputFile {
  return sequential(path, bytes.length, async (target, offset) => {
    const part = bytes.subarray(offset, offset + target.length);
    target.set(part);
    return part.length;
  });
}

/** All bytes of a file that have not been read. */
export async function readAll(file: InputFile): Promise<Uint8Array> {
  const bytes = new Uint8Array(file.sizeBytes);
  await file.read(bytes);
  return bytes;
}

const REASONS: Readonly<Record<string, { readonly what: string; readonly hint: string }>> = {
  ENOENT: { what: 'does not exist', hint: 'Check the path; it is relative to the current directory.' },
  ENOTDIR: { what: 'does not exist: a part of its path is not a directory', hint: 'Check the path.' },
  EACCES: { what: 'may not be read by this user', hint: 'Change its permissions.' },
  EPERM: { what: 'may not be read by this user', hint: 'Change its permissions.' },
  ELOOP: { what: 'is a symbolic link that leads to itself', hint: 'Give the path of the file itself.' },
  ENAMETOOLONG: { what: 'is a longer path than this system allows', hint: 'Check the path.' },
};

/** Turns errors of the operating system into `BAD_FILE`. Our own errors and bugs stay unchanged. */
function asBadFile(path: string, error: unknown): unknown {
  if (error instanceof ThermolinkError || !(error instanceof Error)) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  const reason = REASONS[code] ?? { what: `cannot be read (${code})`, hint: 'Check the disk and the path.' };
  return badFile(path, `${path} ${reason.what}.`, reason.hint);
}

/** The numbers of a file: all finite, row-major. A 1-D array of length n has n rows and 1 column. */
export interface NumericArray {
  readonly dimensions: 1 | 2;
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
  /** Whether commas separated the cells of a text. They may have been meant as decimal commas. */
  readonly hasCommas?: boolean;
}
