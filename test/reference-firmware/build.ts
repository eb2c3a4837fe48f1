import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../repository/files.js';
import { hasProgram } from '../support/programs.js';

/** The folder of the firmware. */
export const FOLDER = path.join(ROOT, 'firmware-protocol/reference-firmware');
export const SOURCES = path.join(FOLDER, 'src');

/** The missing tools for the C device, or undefined. CI must have all of them: .ci/run installs them. */
export function missingTools(): string | undefined {
  const missing = [...['cc', 'make'], ...(process.env['CI'] ? ['clang'] : [])].filter(
    (program) => !hasProgram(program),
  );
  if (missing.length === 0) return undefined;
  if (process.env['CI']) throw new Error(`CI has no ${missing.join(' and no ')}`);
  return `no ${missing.join(' and no ')} here: the C device is not tested`;
}

export const hasClang = hasProgram('clang');

/**
 * The build with the address and undefined-behaviour sanitizers, which stop at the first finding. Most tests
 * use it.
 */
export const SANITIZED = ['build-sanitize', ['CFLAGS=-O1', 'SANITIZE=1']] as const;

/** Builds a program of the C device and returns its path. An existing build is only brought up to date. */
export function make(program: string, folder: string, variables: readonly string[] = []): string {
  return path.join(runMake(folder, variables, [`${folder}/${program}`]), program);
}

/** Builds the portable part alone. */
export function makeCore(folder: string, variables: readonly string[]): string {
  return runMake(folder, variables, ['core']);
}

interface ExampleOptions {
  /** Number of cells. Default 4. */
  readonly cells?: number | undefined;
  /** The number of a cell that does not move. Default: all cells move. */
  readonly stuckCell?: number | undefined;
}

/** Builds the board of docs/how-to/build-a-board.md. */
export function makeExample({ cells, stuckCell }: ExampleOptions = {}): string {
  const place = ['build-example', cells, stuckCell === undefined ? undefined : 'stuck']
    .filter(Boolean)
    .join('-');
  const flags = [
    ...(cells === undefined ? [] : [`-DCELLS=${cells}`]),
    ...(stuckCell === undefined ? [] : [`-DSTUCK_CELL=${stuckCell}`]),
  ].join(' ');
  // The variants share the objects of the core in build-example.
  runMake('build-example', [`EXAMPLE=${place}`, `EXAMPLE_FLAGS=${flags}`], ['example']);
  return path.join(FOLDER, place, 'example-board');
}

function runMake(folder: string, variables: readonly string[], targets: readonly string[]): string {
  const place = path.join(FOLDER, folder);
  mkdirSync(place, { recursive: true });
  const unlock = lock(path.join(place, 'lock'));
  try {
    execFileSync('make', ['-s', '-j2', `BUILD=${folder}`, ...variables, ...targets], {
      cwd: FOLDER,
      stdio: 'pipe',
    });
  } finally {
    unlock();
  }
  return place;
}

const LOCK_POLL_MS = 50;
/** A process that has held a lock for longer than this counts as dead. */
const LOCK_MS_MAX = 60_000;

/** Waits until nobody else builds here. Test files run at the same time and share builds. */
export function lock(name: string): () => void {
  for (;;)
    try {
      mkdirSync(name);
      return () => rmSync(name, { recursive: true });
    } catch {
      const madeMs = statSync(name, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
      if (Date.now() - madeMs > LOCK_MS_MAX) rmSync(name, { recursive: true, force: true });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
    }
}

/** The symbols that the objects of a folder define, and those that they need. */
export function symbols(folder: string): { readonly defined: Set<string>; readonly wanted: Set<string> } {
  const objects = readdirSync(folder).filter((file) => file.endsWith('.o'));
  const lines = execFileSync('nm', objects, { cwd: folder, encoding: 'utf8' }).split('\n');
  const named = (kind: RegExp) =>
    new Set(
      lines
        .map((line) => line.trim().split(' '))
        .filter((words) => kind.test(words.at(-2) ?? ''))
        .map((words) => words.at(-1)!),
    );
  // V and W are weak definitions: the defaults of hooks.
  return { defined: named(/^[TDBRCVW]$/), wanted: named(/^U$/) };
}

/**
 * The search for leaks is off: the device has no heap, and the search fails in containers that forbid
 * tracing.
 */
export const ENVIRONMENT = { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' };

/** Runs a program with these lines as its input. Returns the lines that it prints. */
export function runOnLines(program: string, lines: readonly string[]): string[] {
  const text = execFileSync(program, {
    input: `${lines.join('\n')}\n`,
    env: ENVIRONMENT,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return text.split('\n').slice(0, -1);
}
