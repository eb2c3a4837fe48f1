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

/** What a scratch copy has no use for. Packages are linked instead. */
const LEFT_OUT = ['.git', 'coverage', 'node_modules', 'runs'];
/** A mutant that makes the tests run for ever counts as caught then. */
const TIMEOUT_MS = 900_000;
/** A test that only was slow, since the machine was busy, passes when it runs alone and may take so long. */
const ALONE_TIMEOUT_MS = 300_000;
/** The whole quick suite, but for what looks at the repository itself. */
export const EVERYTHING: readonly string[] = ['--exclude=test/mutants/**', '--exclude=test/repository/**'];

/** A mutant is tried again after a failure that its test does not repeat; so often in all. */
const TRIES_MAX = 3;

/** What the tests said of a mutant. */
export interface MutantResult {
  readonly id: string;
  /** `broken`: no test could say anything, since the sources do not load with it, or tests fail by chance. */
  readonly verdict: 'caught' | 'survived' | 'broken';
  /** The test that found it; what happened, for a mutant that broke the run; empty for a survivor. */
  readonly by: string;
  /** What that test said; empty where none spoke. */
  readonly message: string;
  readonly seconds: number;
}

/** What some tests said of a copy of the project. */
export interface TestsResult {
  readonly verdict: 'passed' | 'failed' | 'broken';
  /** The first test that failed; what happened, for a run that broke; empty for one that passed. */
  readonly by: string;
  readonly message: string;
  /** File of the test that failed, from the root; undefined where none did. */
  readonly file?: string;
}

export interface RunOptions {
  /** Runs the whole quick suite, compiled anew, instead of the tests that the mutant names. */
  readonly all?: boolean;
  readonly signal?: AbortSignal;
  /** Runs only the test of this full name. Default: all tests of the files. */
  readonly testName?: string;
}

/** The text of a source with a mutant in it. Throws when what it replaces does not occur exactly once. */
export function mutated({ id, file, find, replacement }: Mutant, text: string): string {
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new Error(
      `The mutant ${id} is stale: ${file} holds ${parts.length - 1} times what it replaces, "${find}". Write it anew.`,
    );
  return parts.join(replacement);
}

/** Calls `use` with a copy of the project at `root`, in the folder for temporary files, and removes it. */
export async function withScratchCopy<Result>(
  root: string,
  use: (place: string) => Promise<Result>,
): Promise<Result> {
  const place = mkdtempSync(path.join(tmpdir(), 'thermolink-mutants-'));
  try {
    for (const entry of readdirSync(root))
      if (!LEFT_OUT.includes(entry))
        cpSync(path.join(root, entry), path.join(place, entry), { recursive: true });
    // A folder of links, so that nothing is written into the packages of `root`.
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
 * Runs the tests that are to find a mutant, with it, in the scratch copy at `place`. It is caught when a test
 * fails with it twice, and passes without it: a test that fails by chance, or under load, is tried anew.
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
    const by = `tests that fail by chance, or without it too: ${byChance.join(', ')}`;
    return result({ verdict: 'broken', by, message: '' });
  } finally {
    writeFileSync(file, sound);
  }
}

/** Many mutants were caught by one of these, whose larger half is in the long set. */
const RECORDED = 'test/recorded-results';

/**
 * Runs quick tests, and all recorded results, in a copy of the project until one fails. `tests` are files,
 * folders and options.
 */
export async function runTests(
  place: string,
  tests: readonly string[],
  { all = false, signal, testName }: RunOptions = {},
): Promise<TestsResult> {
  const report = path.join(place, 'mutant-report.json');
  rmSync(report, { force: true });
  // What starts processes runs the compiled program. Unused names make the compiler complain, not stop.
  if (all) await run(place, [path.join('node_modules', '.bin', 'tsc'), '-b'], signal);
  const reporting = ['--bail=1', '--reporter=json', `--outputFile=${report}`];
  const named =
    testName === undefined ? [] : ['-t', `^${escaped(testName)}$`, `--testTimeout=${ALONE_TIMEOUT_MS}`];
  const vitest = path.join('node_modules', 'vitest', 'vitest.mjs');
  const tags = tests.some((name) => name.startsWith(RECORDED)) ? [] : ['--tags-filter=!long'];
  const args = [vitest, 'run', ...tags, ...reporting, ...named, ...tests];
  return resultOf(await run(place, args, signal), report, place);
}

/** The text as a regular expression that matches it alone. */
function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

interface Ended {
  readonly code: number | null;
  readonly isTimeout: boolean;
  readonly output: string;
}

/** What vitest's JSON report has of interest here. */
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

/** Runs a program of node's to its end. Rejects when it is aborted. */
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
