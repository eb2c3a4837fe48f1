import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ThermolinkError } from '../errors.js';
import { writeWhole } from '../files/replace-file.js';

/** The file that names the process which writes into a directory. A second process keeps out. */
export const LOCK_FILE = 'run.lock';

/** How often another process may be faster in taking over a stale lock before this one gives up. */
const ATTEMPTS_MAX = 5;

/** A lock that names nobody is left over after this time: it is filled in the turn in which it is made. */
const EMPTY_MS = 10_000;
/** A process that began this much later than its lock was written is another one with the same number. */
const LATER_MS = 10_000;
/** Linux tells times of processes in hundredths of a second on every machine that runs Node. */
const MS_PER_TICK = 10;

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Names the start of the process (`processStart`), on systems that tell it. */
  readonly start?: string;
}

/** A lock file as it was found. */
interface FoundLock {
  readonly content: string;
  readonly inode: number;
  readonly writtenMs: number;
}

/**
 * Locks of this process. A lock with its process number may also be left from a dead process that had the
 * same number.
 */
const held = new Set<string>();

/**
 * Creates `directory` where missing and keeps every other training out of it, until the returned function is
 * called or this process ends. A lock whose process is gone from this host is taken over, also where another
 * process has its number now; so is a lock that stayed empty or was cut. A lock of another host counts
 * as live, since this host can't know.
 *
 * Errors: BUSY (retryable) while another training has the directory; BAD_FILE when it can't be written to.
 */
export function lockDirectory(directory: string): () => void {
  const file = resolve(directory, LOCK_FILE);
  const holder: Holder = { pid: process.pid, host: hostname(), start: processStart(process.pid)?.mark };
  const content = `${JSON.stringify(holder)}\n`;
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
 * Returns those that were missing, parents first.
 */
export function makeDirectory(directory: string): string[] {
  const missing: string[] = [];
  for (let at = resolve(directory); !existsSync(at); at = dirname(at)) missing.unshift(at);
  for (const one of missing)
    try {
      mkdirSync(one);
    } catch (error) {
      // Another process made it first.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  return missing;
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
    writeWhole(descriptor, content);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return true;
}

/** A stale lock; undefined where there is none. Errors: BUSY for a live one. */
function readLock(directory: string): FoundLock | undefined {
  const file = resolve(directory, LOCK_FILE);
  let found: FoundLock;
  try {
    found = lockAt(file);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw inUse(directory, undefined);
  }
  const { content, writtenMs } = found;
  const holder = parseHolder(content);
  if (holder === undefined && Date.now() - writtenMs > EMPTY_MS) return found;
  if (holder === undefined || isLive(file, holder, writtenMs)) throw inUse(directory, holder);
  return found;
}

function lockAt(file: string): FoundLock {
  const { ino, mtimeMs } = statSync(file);
  return { content: readFileSync(file, 'utf8'), inode: ino, writtenMs: mtimeMs };
}

function parseHolder(content: string): Holder | undefined {
  try {
    const { pid, host, start } = JSON.parse(content) as Partial<Holder>;
    return Number.isSafeInteger(pid) && pid! > 0 && typeof host === 'string'
      ? { pid: pid!, host, start }
      : undefined;
  } catch {
    return undefined;
  }
}

function isLive(file: string, { pid, host, start }: Holder, writtenMs: number): boolean {
  if (host !== hostname()) return true;
  if (pid === process.pid) return held.has(file);
  try {
    // Signal 0 only asks whether there is such a process.
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
  }
  const now = processStart(pid);
  if (now === undefined) return true;
  if (start !== undefined) return start === now.mark;
  // A lock of an earlier version does not say when its process began.
  return Date.now() - now.ageMs - writtenMs <= LATER_MS;
}

/**
 * When a process began: a text that no other process has, and how long ago that was. Linux counts from its
 * boot, so a clock that is set meanwhile does no harm. Undefined on other systems and where it is not told.
 */
function processStart(pid: number): { readonly mark: string; readonly ageMs: number } | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const uptimeSeconds = Number.parseFloat(readFileSync('/proc/uptime', 'utf8'));
    // The name of the program is in brackets and may hold anything. The start is the 20th number behind it.
    const ticks = Number(
      readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[19],
    );
    const ageMs = uptimeSeconds * 1000 - ticks * MS_PER_TICK;
    return Number.isFinite(ageMs) ? { mark: `${boot} ${ticks}`, ageMs } : undefined;
  } catch {
    return undefined;
  }
}

/** Removes a stale lock by renaming it. Of several processes that try, only one succeeds. */
function removeStale(file: string, stale: FoundLock): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Another process may have taken over since the lock was read. Then this is its lock, and it goes back.
  const { content, inode } = lockAt(aside);
  if (content === stale.content && inode === stale.inode) rmSync(aside);
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
