import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { ThermolinkError } from '../../errors.js';
import { isGzip } from './idx.js';

/**
 * Largest size of a file and of its unpacked content, in bytes: twenty times the training images of MNIST.
 */
export const FILE_BYTES_MAX = 2 ** 30;

/**
 * The content of a regular file. A file that begins with the magic bytes of gzip is unpacked, whatever its
 * name is. At most FILE_BYTES_MAX bytes are read or unpacked. Errors: BAD_FILE for a missing or unreadable
 * file, a directory or device, a file too large, a damaged gzip stream.
 */
export function readDataFile(path: string): Uint8Array {
  const raw = readWhole(path);
  if (!isGzip(raw)) return raw;
  try {
    const content = gunzipSync(raw, { maxOutputLength: FILE_BYTES_MAX });
    // A plain Uint8Array, because `slice` and `filter` of a Buffer behave differently.
    return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  } catch (cause) {
    throw new ThermolinkError('BAD_FILE', `${path} is a damaged or oversized gzip file (${reason(cause)}).`, {
      cause,
      data: { file: path },
    });
  }
}

function readWhole(path: string): Uint8Array {
  let descriptor: number;
  try {
    // O_NONBLOCK prevents that opening a named pipe without a writer hangs.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new ThermolinkError('BAD_FILE', `${path} can't be read (${reason(cause)}).`, {
      cause,
      data: { file: path },
    });
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile())
      throw new ThermolinkError(
        'BAD_FILE',
        `${path} is ${status.isDirectory() ? 'a directory' : 'not a regular file'}.`,
      );
    if (status.size > FILE_BYTES_MAX)
      throw new ThermolinkError(
        'BAD_FILE',
        `${path} holds ${status.size} bytes; the limit is ${FILE_BYTES_MAX} bytes.`,
      );
    const bytes = new Uint8Array(status.size);
    let length = 0;
    while (length < bytes.length) {
      const read = readSync(descriptor, bytes, length, bytes.length - length, length);
      if (read === 0) throw new ThermolinkError('BAD_FILE', `${path} shrank while it was read.`);
      length += read;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
