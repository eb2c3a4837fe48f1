import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
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
const EVERYTHING = ['--exclude=test/mutants/**', '--exclude=test/repository/**'];

/** What the tests said of a mutant. */
export interface MutantResult {
  readonly id: string;
  /** `broken`: no test could say anything, since the sources do not load with it. */
  readonly verdict: 'caught' | 'survived' | 'broken';
  /** The first test that failed; what happened, for a mutant that broke the run; empty for a survivor. */
  readonly by: string;
  readonly seconds: number;
}

export interface RunOptions {
  /** Runs the whole quick suite, compiled anew, instead of the tests that the mutant names. */
  readonly all?: boolean;
  readonly signal?: AbortSignal;
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

/** Runs the tests that are to find a mutant, with it, in the scratch copy at `place`. */
export async function runMutant(
  mutant: Mutant,
  place: string,
  options: RunOptions = {},
): Promise<MutantResult> {
  const file = path.join(place, mutant.file);
  const sound = readFileSync(file, 'utf8');
  writeFileSync(file, mutated(mutant, sound));
  try {
    return { id: mutant.id, ...(await runTests(place, mutant.tests, options)) };
  } finally {
    writeFileSync(file, sound);
  }
}

/** Runs quick tests in a copy of the project until one fails. */
export async function runTests(
  place: string,
  tests: readonly string[],
  { all = false, signal }: RunOptions = {},
): Promise<Omit<MutantResult, 'id'>> {
  const startMs = performance.now();
  const report = path.join(place, 'mutant-report.json');
  rmSync(report, { force: true });
  // What starts processes runs the compiled program. Unused names make the compiler complain, not stop.
  if (all) await run(place, [path.join('node_modules', '.bin', 'tsc'), '-b'], signal);
  const which = all ? EVERYTHING : tests;
  const reporting = ['--bail=1', '--reporter=json', `--outputFile=${report}`];
  const vitest = path.join('node_modules', 'vitest', 'vitest.mjs');
  const ended = await run(place, [vitest, 'run', '--tags-filter=!long', ...reporting, ...which], signal);
  return { ...verdictOf(ended, report), seconds: (performance.now() - startMs) / 1000 };
}

interface Ended {
  readonly code: number | null;
  readonly isTimeout: boolean;
  readonly output: string;
}

/** What vitest's JSON report has of interest here. */
interface Report {
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function verdictOf({ code, isTimeout, output }: Ended, file: string): Pick<MutantResult, 'verdict' | 'by'> {
  if (isTimeout) return { verdict: 'caught', by: 'the tests did not end' };
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return { verdict: 'broken', by: `no report; exit code ${code}: ${lastLine(output)}` };
  }
  const failed = report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'failed'),
  );
  if (failed.length > 0) return { verdict: 'caught', by: failed[0].fullName };
  if (code === 0 && report.numTotalTests > 0) return { verdict: 'survived', by: '' };
  const message = report.testResults.find((result) => result.message !== '')?.message ?? output;
  return { verdict: 'broken', by: lastLine(message) };
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
