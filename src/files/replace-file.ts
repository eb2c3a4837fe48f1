import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ThermolinkError } from '../errors.js';

/** Writes a part of `bytes` from `offset` on and returns how many bytes the system took. */
export type WritePart = (descriptor: number, bytes: Uint8Array, offset: number) => number;

/** At most this many links of a chain are followed. The system refuses to open a longer chain. */
const LINKS_MAX = 40;
const PERMISSIONS = 0o7777;
const COPY_BYTES = 2 ** 20;
/** Error codes of the system if a file cannot be replaced by another one, but may be writable itself. */
const FIXED_IN_PLACE: ReadonlySet<string> = new Set(['EBUSY', 'EACCES', 'EPERM', 'EXDEV']);

/**
 * Writes all bytes, or throws the error of the system. One call of the system may take only a part, for
 * example when the disk becomes full. Tests give another `write`.
 */
export function writeWhole(
  descriptor: number,
  content: Uint8Array | string,
  write: WritePart = writeSync,
): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let written = 0; written < bytes.length; ) {
    const count = write(descriptor, bytes, written);
    if (count <= 0)
      throw Object.assign(new Error('the system takes no more bytes'), { code: 'EIO', syscall: 'write' });
    written += count;
  }
}

/** Appends all of `text` to an open file. If this fails, it removes the written part and throws. */
export function appendWhole(descriptor: number, text: string, write: WritePart = writeSync): void {
  const { size } = fstatSync(descriptor);
  try {
    writeWhole(descriptor, text, write);
  } catch (error) {
    try {
      ftruncateSync(descriptor, size);
    } catch {
      // The written part could not be removed, so readers find a part of the text at the end of the file.
    }
    throw error;
  }
}

/**
 * Replaces the file at `path`, or makes it. The file always has its complete old or its complete new content.
 * The new content goes into a file beside it, is made durable, and gets the name by a rename. Links are
 * followed, and permissions are kept. All this happens in one turn of the event loop, so Ctrl-C comes before
 * or after it. A file is written in place only if it cannot be replaced. Such files are a path that is not a
 * regular file, such as /dev/null; a file that is a mount point itself; and a file in a folder in which this
 * user may not create files.
 *
 * Throws the error of the system; the file beside it is then removed.
 */
export function replaceWith(
  path: string,
  pieces: Iterable<Uint8Array | string>,
  write: WritePart = writeSync,
): void {
  const target = targetOf(path);
  const before = statSync(target, { throwIfNoEntry: false });
  if (before !== undefined && !before.isFile() && !before.isDirectory()) {
    writeInto(target, 'w', pieces, write);
    return;
  }
  const beside = `${target}.partial`;
  let isComplete = false;
  try {
    writeInto(beside, 'w', pieces, write, before);
    isComplete = true;
    renameRetried(beside, target);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const inPlace = before?.isFile() === true && FIXED_IN_PLACE.has(code);
    try {
      // The content comes from the file beside the target, because `pieces` may be a generator, which gives
      // its pieces only once.
      if (inPlace && isComplete) copyInto(beside, target, write);
      else if (inPlace) writeInto(target, 'w', pieces, write);
    } finally {
      discard(beside);
    }
    if (!inPlace) throw error;
  }
}

/**
 * Windows refuses a rename with these codes while another program, such as a virus scanner, has the file
 * open.
 */
const HELD_OPEN: ReadonlySet<string> = new Set(['EPERM', 'EBUSY', 'EACCES']);
/** Waiting times between tries, milliseconds; half a second in total. */
const RENAME_WAITS_MS = [5, 10, 20, 40, 80, 160, 185];

/** Functions of the system that a rename needs. Tests give others. */
export interface RenameSystem {
  readonly platform: NodeJS.Platform;
  readonly rename: (from: string, to: string) => void;
  readonly wait: (ms: number) => void;
}

/** Blocks, so the replacement of a file stays within one turn of the event loop. */
function waitBlocking(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/**
 * Renames a file. On Windows it tries again, half a second at most, while another program holds the file
 * open. Elsewhere a refusal is final. Throws the error of the operating system.
 */
export function renameRetried(
  from: string,
  to: string,
  system: RenameSystem = { platform: process.platform, rename: renameSync, wait: waitBlocking },
): void {
  for (const ms of system.platform === 'win32' ? RENAME_WAITS_MS : []) {
    try {
      system.rename(from, to);
      return;
    } catch (error) {
      if (!HELD_OPEN.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      system.wait(ms);
    }
  }
  system.rename(from, to);
}

/** Like `replaceWith`, for one content. Errors: BAD_FILE. */
export function replaceFile(path: string, content: Uint8Array | string): void {
  try {
    replaceWith(path, [content]);
  } catch (cause) {
    throw new ThermolinkError('BAD_FILE', `${path} can't be written.`, {
      cause,
      hint: 'Make room on the disk, or remove the file or directory that is in the way.',
      data: { file: path },
    });
  }
}

/** Returns the end of a chain of links, also if there is no file there yet. */
function targetOf(path: string): string {
  let target = path;
  for (let links = 0; links < LINKS_MAX; links++) {
    let next: string;
    try {
      next = readlinkSync(target);
    } catch {
      // The target is not a link, or it is missing. Opening it shows any other problem.
      return target;
    }
    target = resolve(dirname(target), next);
  }
  return target;
}

/** Writes the content of the file `from` into `to`. `from` is opened first, so `to` stays if that fails. */
function copyInto(from: string, to: string, write: WritePart): void {
  const source = openSync(from, 'r');
  try {
    writeInto(to, 'w', chunksOf(source), write);
  } finally {
    closeSync(source);
  }
}

function* chunksOf(descriptor: number): Generator<Uint8Array> {
  for (;;) {
    const chunk = new Uint8Array(COPY_BYTES);
    const count = readSync(descriptor, chunk);
    if (count === 0) return;
    yield chunk.subarray(0, count);
  }
}

function writeInto(
  file: string,
  flags: string,
  pieces: Iterable<Uint8Array | string>,
  write: WritePart,
  like?: Stats,
): void {
  const descriptor = openSync(file, flags);
  try {
    const isFile = fstatSync(descriptor).isFile();
    if (like !== undefined && isFile) keepOwner(descriptor, like);
    for (const piece of pieces) writeWhole(descriptor, piece, write);
    if (isFile) fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Gives a new file owner and permissions of the old one, as far as this user may. */
function keepOwner(descriptor: number, { uid, gid, mode }: Stats): void {
  const now = fstatSync(descriptor);
  try {
    if (now.uid !== uid || now.gid !== gid) fchownSync(descriptor, uid, gid);
  } catch {
    // Only root may give a file away.
  }
  fchmodSync(descriptor, mode & PERMISSIONS);
}

function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Errors here are ignored, because the error of the write has to be reported.
  }
}
