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

/** Names the process that writes into a directory, so that a second one keeps out. */
export const LOCK_FILE = 'run.lock';

/** Takeovers of a stale lock that others may win before this gives up. */
const ATTEMPTS_MAX = 5;

interface Holder {
  readonly pid: number;
  readonly host: string;
}

/** Locks of this process: its pid alone does not tell them from those of a dead process that had the same one. */
const held = new Set<string>();

/**
 * Creates `directory` where missing and keeps every other training out of it until the function that is returned is called, at
 * the latest when this process ends. The lock of a process that is gone from this host is taken over; one of another
 * host counts as live, since nothing can be known of it from here.
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

/** Creates it with its parents, one by one: Node's own way loops for ever where a file system says ENOENT, as /proc does. */
export function makeDirectory(directory: string): void {
  const missing: string[] = [];
  for (let at = resolve(directory); !existsSync(at); at = dirname(at)) missing.unshift(at);
  for (const one of missing)
    try {
      mkdirSync(one);
    } catch (error) {
      // Somebody else was quicker.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
}

/** Throws what `lockDirectory` would throw now for a directory in use, and changes nothing. */
export function requireUnlocked(directory: string): void {
  readLock(directory);
}

/** Turns what the file system objects to into BAD_FILE. */
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

/** Errors: BAD_FILE when `directory` exists and is something else, which would show only once there is something to write. */
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
      // Whoever deleted the lock by hand may have let another training in, whose lock this is not to remove.
      if (readFileSync(file, 'utf8') === content) rmSync(file);
    } catch {
      // A lock that can't be removed is stale once this process is gone; the results matter more.
    }
  }
  // A second Ctrl-C ends the process without any `finally`.
  process.on('exit', release);
  return release;
}

/** Whether the file was made; false when there is one. Leaves no empty lock behind on a full disk. */
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

/** By a rename, which of several takers only one can win. */
function removeStale(file: string, stale: string): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Between the look and the rename another process may have taken over: then this is its lock, and goes back.
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
