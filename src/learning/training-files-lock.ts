import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ThermolinkError } from '../errors.js';

/** The file that names the process which writes into a directory. A second process keeps out. */
export const LOCK_FILE = 'run.lock';

/** How often another process may be faster in taking over a stale lock before this one gives up. */
const ATTEMPTS_MAX = 5;

interface Holder {
  readonly pid: number;
  readonly host: string;
}

/**
 * Locks of this process. A lock with its process number may also be left from a dead process that had the
 * same number.
 */
const held = new Set<string>();

/**
 * Creates `directory` where missing and keeps every other training out of it, until the returned function is
 * called or this process ends. A lock whose process is gone from this host is taken over. A lock of another
 * host counts as live, since this host can't know.
 *
 * Errors: BUSY (retryable) while another training has the directory; BAD_FILE when it can't be written to.
 */
export function lockDirectory(directory: string): () => void {
  const file = resolve(directory, LOCK_FILE);
  const content = `${JSON.stringify({ pid: process.pid, host: hostname() } satisfies Holder)}\n`;
  writing(directory, () => makeDirectory(directory));
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (writing(directory, () => createFile(file, content))) return hold(file, content);
    const found = readLock(directory);
    if (found !== undefined) writing(directory, () => removeStale(file, found));
  }
  throw inUse(directory, undefined);
}

/**
 * Creates a directory and its parents one by one. Node's `recursive` never ends on a file system like /proc.
 */
export function makeDirectory(directory: string): void {
  const missing: string[] = [];
  for (let at = resolve(directory); !existsSync(at); at = dirname(at)) missing.unshift(at);
  for (const one of missing)
    try {
      mkdirSync(one);
    } catch (error) {
      // Another process made it first.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
}

/** Throws what `lockDirectory` would throw now for a directory in use, and changes nothing. */
export function requireUnlocked(directory: string): void {
  readLock(directory);
}

/** Does `action` and turns an error of the file system into BAD_FILE. */
export function writing<Result>(directory: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof ThermolinkError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ThermolinkError('BAD_FILE', `${directory} can't be written to (${reason}).`, {
      cause,
      hint: 'Name a directory that you may write to, with room on its disk.',
      data: { directory },
    });
  }
}

/** Refuses a path that is something else than a directory, before there is something to write: BAD_FILE. */
export function requireDirectory(directory: string): void {
  const found = writing(directory, () => statSync(directory, { throwIfNoEntry: false }));
  if (found?.isDirectory() ?? true) return;
  throw new ThermolinkError('BAD_FILE', `${directory} is not a directory.`, {
    hint: 'Name a directory; it is made where it does not exist.',
    data: { directory },
  });
}

function hold(file: string, content: string): () => void {
  held.add(file);
  function release(): void {
    process.off('exit', release);
    held.delete(file);
    try {
      // Somebody may have deleted the lock by hand, and another training may hold it now.
      if (readFileSync(file, 'utf8') === content) rmSync(file);
    } catch {
      // A lock that can't be removed is stale when this process ends. It must not spoil the results.
    }
  }
  // A second Ctrl-C ends the process without any `finally`.
  process.on('exit', release);
  return release;
}

/** Makes the file; false when it exists. Leaves no empty lock on a full disk. */
function createFile(file: string, content: string): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'wx');
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    writeSync(descriptor, content);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return true;
}

/** The content of a stale lock; undefined where there is none. Errors: BUSY for a live one. */
function readLock(directory: string): string | undefined {
  const file = resolve(directory, LOCK_FILE);
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw inUse(directory, undefined);
  }
  const holder = parseHolder(content);
  if (holder === undefined || isLive(file, holder)) throw inUse(directory, holder);
  return content;
}

function parseHolder(content: string): Holder | undefined {
  try {
    const { pid, host } = JSON.parse(content) as Partial<Holder>;
    return Number.isSafeInteger(pid) && pid! > 0 && typeof host === 'string'
      ? { pid: pid!, host }
      : undefined;
  } catch {
    return undefined;
  }
}

function isLive(file: string, { pid, host }: Holder): boolean {
  if (host !== hostname()) return true;
  if (pid === process.pid) return held.has(file);
  try {
    // Signal 0 only asks whether there is such a process.
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

/** Removes a stale lock by renaming it. Of several processes that try, only one succeeds. */
function removeStale(file: string, stale: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Another process may have taken over since the lock was read. Then this is its lock, and it goes back.
  if (readFileSync(aside, 'utf8') === stale) rmSync(aside);
  else renameSync(aside, file);
}

function inUse(directory: string, holder: Holder | undefined): ThermolinkError {
  const file = join(directory, LOCK_FILE);
  const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`;
  return new ThermolinkError('BUSY', `${directory} is in use: ${LOCK_FILE} in it is held by ${who}.`, {
    retryable: true,
    hint: `Wait until that training has ended, or name another directory. Delete ${file} only if no training is writing there.`,
    data: { directory, file, ...holder },
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
