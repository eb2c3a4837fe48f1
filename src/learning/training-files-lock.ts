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

/**
 * Name of the lock file. It names the process that writes into the directory; no other process may write
 * there.
 */
export const LOCK_FILE = 'run.lock';

/** Largest number of attempts to take over a stale lock. An attempt fails if another process is faster. */
const ATTEMPTS_MAX = 5;

/**
 * A lock without the name of a process is stale after this time. A live process writes its name immediately
 * after it creates the lock.
 */
const EMPTY_MS = 10_000;
/**
 * If a process began this much later than its lock was written, the lock belongs to an earlier process with
 * the same number.
 */
const LATER_MS = 10_000;
/** Linux gives start times of processes in hundredths of a second on every machine that runs Node. */
const MS_PER_TICK = 10;

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Identifies the start of the process (`processStart`); absent if the system does not tell it. */
  readonly start?: string;
}

/** The content and age of a lock file. */
interface FoundLock {
  readonly content: string;
  readonly inode: number;
  readonly writtenMs: number;
}

/**
 * Lock files of this process. Another lock with its process number was left by a dead process that had the
 * same number.
 */
const held = new Set<string>();

/**
 * Creates `directory` if it is missing, and locks it against other trainings until the returned function is
 * called or this process ends. A lock is taken over if its process has ended on this host, even if another
 * process has the same number now. An empty or damaged lock is taken over too. A lock of another host counts
 * as live, because this host can't check it.
 *
 * Errors: BUSY (retryable) while another training holds the lock; BAD_FILE when the directory can't be
 * written to.
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
 * Creates a directory and its missing parents, one by one, because Node's `recursive` never ends on a file
 * system like /proc. Returns the created directories, parents first.
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

/** Throws BUSY if `lockDirectory` would throw it now. Changes nothing. */
export function requireUnlocked(directory: string): void {
  readLock(directory);
}

/** Runs `action`, and turns an error of the file system into BAD_FILE. */
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

/** Throws BAD_FILE if the path exists and is not a directory. */
export function requireDirectory(directory: string): void {
  const found = writing(directory, () => statSync(directory, { throwIfNoEntry: false }));
  if (found?.isDirectory() ?? true) return;
  throw new ThermolinkError('BAD_FILE', `${directory} is not a directory.`, {
    hint: 'Name a directory; it is made if it does not exist.',
    data: { directory },
  });
}

function hold(file: string, content: string): () => void {
  held.add(file);
  function release(): void {
    process.off('exit', release);
    held.delete(file);
    try {
      // A user may have deleted the lock by hand, and another training may hold it now.
      if (readFileSync(file, 'utf8') === content) rmSync(file);
    } catch {
      // The lock becomes stale when this process ends. A failure here must not lose the results of the
      // training.
    }
  }
  // A second Ctrl-C ends the process without running `finally` blocks.
  process.on('exit', release);
  return release;
}

/** Creates the file. Returns false if it exists. Leaves no empty lock on a full disk. */
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

/** Returns a stale lock, or undefined if there is no lock. Errors: BUSY for a live lock. */
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
    // Signal 0 only checks whether the process exists.
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
  }
  const now = processStart(pid);
  if (now === undefined) return true;
  if (start !== undefined) return start === now.mark;
  // A lock of an earlier version does not tell the start of its process.
  return Date.now() - now.ageMs - writtenMs <= LATER_MS;
}

/**
 * The start of a process: `mark`, a text that no other process has, and `ageMs`, the time since the start.
 * Linux counts from its boot, so changes of the clock have no effect. Undefined on other systems, and if the
 * process has ended.
 */
function processStart(pid: number): { readonly mark: string; readonly ageMs: number } | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const uptimeSeconds = Number.parseFloat(readFileSync('/proc/uptime', 'utf8'));
    // The name of the program stands in parentheses and may contain any character. The start time is the 20th
    // field after it.
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

/** Removes a stale lock by renaming it. If several processes try this, only one succeeds. */
function removeStale(file: string, stale: FoundLock): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  // Another process may have replaced the stale lock since it was read. If so, the renamed file is a live
  // lock, and it is renamed back.
  const { content, inode } = lockAt(aside);
  if (content === stale.content && inode === stale.inode) rmSync(aside);
  else renameSync(aside, file);
}

function inUse(directory: string, holder: Holder | undefined): ThermolinkError {
  const file = join(directory, LOCK_FILE);
  const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`;
  return new ThermolinkError('BUSY', `${directory} is in use: ${LOCK_FILE} in it is held by ${who}.`, {
    retryable: true,
    hint: `Wait until that program has ended, or name another directory. Delete ${file} only if no program is writing there.`,
    data: { directory, file, ...holder },
  });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
