import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Mutant } from './mutant.js';

/** Files that a scratch copy does not need. Packages are linked instead. */
const LEFT_OUT = ['.git', 'coverage', 'node_modules', 'runs'];
/** A mutant whose tests run longer than this counts as caught. */
const TIMEOUT_MS = 900_000;
/** The timeout of a test that is run again alone. A busy machine alone must not make it fail. */
const ALONE_TIMEOUT_MS = 300_000;
/** The whole quick suite, except the tests of the repository itself. */
export const EVERYTHING: readonly string[] = ['--exclude=test/mutants/**', '--exclude=test/repository/**'];

/** Largest number of tries of a mutant. A try is repeated when its test failed by chance. */
const TRIES_MAX = 3;

/** The result of the tests of a mutant. */
export interface MutantResult {
  readonly id: string;
  /**
   * `broken`: no result, because the sources do not load with the mutant, or because the failed tests fail by
   * chance or without the mutant too.
   */
  readonly verdict: 'caught' | 'survived' | 'broken';
  /** The test that found the mutant. For `broken` the cause; empty for `survived`. */
  readonly by: string;
  /** The message of that test; empty if there is no message. */
  readonly message: string;
  readonly seconds: number;
}

/** The result of some tests in a copy of the project. */
export interface TestsResult {
  readonly verdict: 'passed' | 'failed' | 'broken';
  /** The first test that failed. For `broken` the cause; empty if all tests passed. */
  readonly by: string;
  readonly message: string;
  /** File of the test that failed, relative to the root; undefined if no test failed. */
  readonly file?: string;
}

export interface RunOptions {
  /** Compiles the project and runs the whole quick suite instead of the tests that the mutant names. */
  readonly all?: boolean;
  readonly signal?: AbortSignal;
  /** Runs only the test of this full name. Default: all tests of the files. */
  readonly testName?: string;
}

/**
 * The text of a source file with the mutant in it. Throws if the file has not exactly one text to replace.
 */
export function mutated({ id, file, find, replacement }: Mutant, text: string): string {
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new Error(
      `The mutant ${id} is out of date: the text that it replaces, "${find}", occurs ${parts.length - 1} times in ${file}. Correct the mutant.`,
    );
  return parts.join(replacement);
}

/** Copies the project at `root` into the folder for temporary files, calls `use`, and removes the copy. */
export async function withScratchCopy<Result>(
  root: string,
  use: (place: string) => Promise<Result>,
): Promise<Result> {
  const place = mkdtempSync(path.join(tmpdir(), 'thermolink-mutants-'));
  try {
    for (const entry of readdirSync(root))
      if (!LEFT_OUT.includes(entry))
        cpSync(path.join(root, entry), path.join(place, entry), { recursive: true });
    // node_modules itself is a new folder with links, so vitest writes its cache into the copy.
    mkdirSync(path.join(place, 'node_modules'));
    for (const entry of readdirSync(path.join(root, 'node_modules')))
      if (!entry.startsWith('.vite'))
        symlinkSync(path.join(root, 'node_modules', entry), path.join(place, 'node_modules', entry));
    return await use(place);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/**
 * Runs the tests that should find a mutant, in the scratch copy at `place` with the mutant in it. The mutant
 * is caught when a test fails twice with the mutant and passes without it. Otherwise all tests run again, at
 * most `TRIES_MAX` times.
 */
export async function runMutant(
  mutant: Mutant,
  place: string,
  options: RunOptions = {},
  run: typeof runTests = runTests,
): Promise<MutantResult> {
  const startMs = performance.now();
  const file = path.join(place, mutant.file);
  const sound = readFileSync(file, 'utf8');
  const changed = mutated(mutant, sound);
  const result = ({ verdict, by, message }: Omit<MutantResult, 'id' | 'seconds'>): MutantResult => {
    const seconds = (performance.now() - startMs) / 1000;
    return { id: mutant.id, verdict, by, message, seconds };
  };
  const byChance: string[] = [];
  try {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      writeFileSync(file, changed);
      const found = await run(place, options.all ? EVERYTHING : mutant.tests, options);
      if (found.verdict === 'passed') return result({ ...found, verdict: 'survived' });
      if (found.verdict === 'broken') return result({ ...found, verdict: 'broken' });
      if (found.file === undefined) return result({ ...found, verdict: 'caught' });
      const thatTest = [found.file];
      const again = await run(place, thatTest, { ...options, testName: found.by });
      writeFileSync(file, sound);
      const without = await run(place, thatTest, { ...options, testName: found.by });
      if (again.verdict === 'failed' && without.verdict === 'passed')
        return result({ ...found, verdict: 'caught' });
      byChance.push(found.by);
    }
    const by = `tests that fail by chance, or without the mutant too: ${byChance.join(', ')}`;
    return result({ verdict: 'broken', by, message: '' });
  } finally {
    writeFileSync(file, sound);
  }
}

/** These tests catch many mutants, and most of them are tagged `long`. They run with their long tests. */
const RECORDED = 'test/recorded-results';

/**
 * Runs tests in the copy of the project at `place` until one fails. `tests` are files, folders and options of
 * vitest. Tests tagged `long` run only if the recorded results are among `tests`.
 */
export async function runTests(
  place: string,
  tests: readonly string[],
  { all = false, signal, testName }: RunOptions = {},
): Promise<TestsResult> {
  const report = path.join(place, 'mutant-report.json');
  rmSync(report, { force: true });
  // Tests that start processes run the compiled program. The compiler writes it in spite of unused names.
  if (all) await run(place, [path.join('node_modules', '.bin', 'tsc'), '-b'], signal);
  const reporting = ['--bail=1', '--reporter=json', `--outputFile=${report}`];
  const named =
    testName === undefined ? [] : ['-t', `^${escaped(testName)}$`, `--testTimeout=${ALONE_TIMEOUT_MS}`];
  const vitest = path.join('node_modules', 'vitest', 'vitest.mjs');
  const tags = tests.some((name) => name.startsWith(RECORDED)) ? [] : ['--tags-filter=!long'];
  const args = [vitest, 'run', ...tags, ...reporting, ...named, ...tests];
  return resultOf(await run(place, args, signal), report, place);
}

/** A regular expression that matches only this text. */
function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

interface Ended {
  readonly code: number | null;
  readonly isTimeout: boolean;
  readonly output: string;
}

/** The fields of vitest's JSON report that are used here. */
interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    /** Path of the file. */
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

function resultOf({ code, isTimeout, output }: Ended, file: string, place: string): TestsResult {
  if (isTimeout) return { verdict: 'failed', by: 'the tests did not end', message: '' };
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return { verdict: 'broken', by: `no report; exit code ${code}: ${lastLine(output)}`, message: '' };
  }
  for (const { name, assertionResults } of report.testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed === undefined) continue;
    const message = failed.failureMessages?.[0]?.trim().split('\n')[0] ?? '';
    // The folder for temporary files may be a link.
    const from = name.startsWith(place) ? place : realpathSync(place);
    return { verdict: 'failed', by: failed.fullName, message, file: path.relative(from, name) };
  }
  if (code === 0 && report.numPassedTests > 0) return { verdict: 'passed', by: '', message: '' };
  const message = report.testResults.find((result) => result.message !== '')?.message ?? output;
  return { verdict: 'broken', by: lastLine(message), message: '' };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** Runs a Node program to its end. Rejects when it is aborted. */
function run(cwd: string, args: readonly string[], signal: AbortSignal | undefined): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, signal, timeout: TIMEOUT_MS });
    let output = '';
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-10_000);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', (code, by) => resolve({ code, isTimeout: by === 'SIGTERM', output }));
  });
}
