import { mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { replaceFile } from '../../../files/replace-file.js';

/** The history file keeps at most this many lines. */
export const HISTORY_LINES_MAX = 500;
const LINE_CHARACTERS_MAX = 1000;

/** Returns the path of the history file. It lies in the folder in which programs keep the state of a user. */
export function historyFile(environment: NodeJS.ProcessEnv = process.env): string {
  const { XDG_STATE_HOME, LOCALAPPDATA } = environment;
  const fallback =
    process.platform === 'win32' && LOCALAPPDATA ? LOCALAPPDATA : join(homedir(), '.local', 'state');
  return join(XDG_STATE_HOME || fallback, 'thermolink', 'shell-history');
}

/**
 * Returns the lines of earlier shells. The newest line comes first, because readline needs this order. If the
 * file cannot be read, the list is empty. Errors: none.
 */
export function readHistory(file = historyFile()): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(isKept).slice(-HISTORY_LINES_MAX).reverse();
  } catch {
    return [];
  }
}

/**
 * Writes the lines to the history file. `newestFirst` begins with the newest line. If the file cannot be
 * written, the lines are lost. Errors: none.
 */
export function writeHistory(newestFirst: readonly string[], file = historyFile()): void {
  const lines = newestFirst.filter(isKept).slice(0, HISTORY_LINES_MAX).reverse();
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    replaceFile(file, lines.map((line) => `${line}\n`).join(''));
  } catch {
    // The shell works without a history too.
  }
}

function isKept(line: string): boolean {
  return line.trim() !== '' && line.length <= LINE_CHARACTERS_MAX;
}
