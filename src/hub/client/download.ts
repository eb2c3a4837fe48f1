import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { abortError, ThermolinkError } from '../../errors.js';

/**
 * Writes the body of an answer to a file beside `file`, and renames it when all bytes are on the disk.
 * Errors: BAD_FILE, LINK_LOST, ABORTED; the error with which the request was ended. After an error the
 * written part is removed.
 */
export async function saveBody(
  name: string,
  response: IncomingMessage,
  file: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const part = `${file}.${process.pid}.part`;
  try {
    await pipeline(response, createWriteStream(part, { flush: true }), { signal });
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    if (signal?.aborted) throw abortError(signal);
    if (error instanceof ThermolinkError) throw error;
    const cause = error as NodeJS.ErrnoException;
    // An error of the disk names the call of the system, and it has no address.
    if (/^(open|write|fsync|close|rename)$/.test(cause.syscall ?? '') && cause.code !== 'EPIPE')
      throw new ThermolinkError('BAD_FILE', `${file} can't be written: ${cause.code}.`, {
        cause,
        hint: 'Name a file in a directory that exists, where there is room.',
        data: { path: file },
      });
    throw new ThermolinkError(
      'LINK_LOST',
      `The connection to ${name} ended in the middle of the recording.`,
      {
        cause,
        retryable: true,
        hint: 'Ask for it again.',
      },
    );
  }
}
