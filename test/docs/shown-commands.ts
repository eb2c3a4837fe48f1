import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../repository/files.js';

const run = promisify(execFile);

/** The built command line. */
export const CLI = path.join(ROOT, 'dist/src/cli/main.js');

const VITEST = path.join(ROOT, 'node_modules/vitest/vitest.mjs');
/** Replaces npx in the shell: the built command runs, or vitest of this repository, without a download. */
const NPX = `npx() {
  local program=$1
  shift
  if [ "$program" = vitest ]; then node ${JSON.stringify(VITEST)} "$@"; else node ${JSON.stringify(CLI)} "$@"; fi
}`;

/** Makes `thermolink` and `vitest` importable in a folder. */
function installPackages(directory: string): void {
  const modules = path.join(directory, 'node_modules');
  mkdirSync(modules);
  symlinkSync(ROOT, path.join(modules, 'thermolink'));
  symlinkSync(path.join(ROOT, 'node_modules/vitest'), path.join(modules, 'vitest'));
}

/** A block of commands in a document, and the block of output that follows it, if there is one. */
const SHOWN = /```sh\n([\s\S]*?)```(?:\n\n```text\n([\s\S]*?)```)?/g;

/** Lines with a measured time differ from run to run; only their words are compared. */
const MEASURED = /host time|round trip/;

const comparable = (line: string): string =>
  MEASURED.test(line) ? line.replace(/[\d.]+ (ns|µs|ms|s)\b/g, 'TIME').replace(/\s+/g, ' ') : line;

/** Whether two outputs are the same except for measured times. */
function saysTheSame(shown: string, printed: string): boolean {
  const [a, b] = [shown, printed].map((text) => text.split('\n').map(comparable).join('\n'));
  return a === b;
}

/** Maps a host or a file in a document to a host and port, or to a file, of this machine. */
export type Hosts = Readonly<Record<string, string>>;

function exchanged(text: string, hosts: Hosts): string {
  return Object.entries(hosts).reduce((changed, [from, to]) => changed.replaceAll(from, to), text);
}

/** The command lines of a document's `sh` blocks, block by block. */
export function shownBlocks(text: string): string[] {
  return [...text.matchAll(SHOWN)].map((match) => match[1]);
}

/**
 * Runs the `sh` blocks of a document one after the other in one empty folder, and returns the document with
 * the outputs that were printed. `npx thermolink` is the built command; vitest and thermolink are installed.
 * If an output differs only in measured times, the text of the document stays. If a command names one of
 * `hosts`, the host or file of this machine replaces it. Rejects when a command fails.
 */
export async function withPrintedOutput(text: string, hosts: Hosts = {}): Promise<string> {
  const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-docs-'));
  try {
    installPackages(directory);
    let result = '';
    let end = 0;
    for (const match of text.matchAll(SHOWN)) {
      const [block, commands, shown] = match;
      const script = `set -eu\n${NPX}\n${commands}`;
      const { stdout: output } = await run('bash', ['-c', exchanged(script, hosts)], { cwd: directory });
      const back = Object.fromEntries(Object.entries(hosts).map(([shown, real]) => [real, shown]));
      const stdout = exchanged(output, back);
      const printed = `${stdout.replace(/[ \t]+$/gm, '').replace(/^\n+|\n+$/g, '')}\n`;
      const isAsShown = shown === undefined || saysTheSame(shown, printed);
      result += text.slice(end, match.index) + (isAsShown ? block : block.replace(shown, () => printed));
      end = match.index + block.length;
    }
    return result + text.slice(end);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
