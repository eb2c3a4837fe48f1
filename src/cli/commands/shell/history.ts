import { mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { replaceFile } from '../../../files/replace-file.js';

/** Lines that are kept from shell to shell. */
export const HISTORY_LINES_MAX = 500;
const LINE_CHARACTERS_MAX = 1000;

/** Where the history is: the folder of the user for state that programs keep. */
export function historyFile(environment: NodeJS.ProcessEnv = process.env): string {
  const { XDG_STATE_HOME, LOCALAPPDATA } = environment;
  const fallback =
    process.platform === 'win32' && LOCALAPPDATA ? LOCALAPPDATA : join(homedir(), '.local', 'state');
  return join(XDG_STATE_HOME || fallback, 'thermolink', 'shell-history');
}

/** The lines of earlier shells, the newest first, as readline wants them. Errors: none; no file, no lines. */
export function readHistory(file = historyFile()): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(isKept).slice(-HISTORY_LINES_MAX).reverse();
  } catch {
    return [];
  }
}

/** Keeps the lines, the newest of which comes first. A folder that can't be written keeps none. */
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
