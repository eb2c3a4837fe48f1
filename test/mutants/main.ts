import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Mutant } from './mutant.js';
import { MUTANTS } from './mutant-table.js';
import { EVERYTHING, type MutantResult, runMutant, runTests, withScratchCopy } from './run-mutants.js';

const HELP = `Puts small bugs into a copy of the project, one after another, and runs the tests that are to find them.

  npm run mutants -- [--only ID]... [--set survivors|fresh|second|third|fourth] [--all] [--list] [--json]

  --only ID   tries this mutant; may be given several times
  --set NAME  tries one set. survivors: the mutants that no test found at first; fresh, second, third and
              fourth: the mutants of four authors who had not read the tests
  --all       runs the whole quick suite for each mutant, not only the tests that the mutant names
  --list      prints the name and the meaning of each mutant, and runs nothing
  --json      prints the results as JSON on standard output, and progress on standard error

  Exit code: 0 when every mutant is caught, 1 when a mutant is not caught, 2 after an error, 130 when stopped.

  Example: npm run mutants -- --set survivors
`;
const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const SETS: readonly string[] = [
  'survivors',
  'fresh',
  'second',
  'third',
  'fourth',
] satisfies readonly Mutant['set'][];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      set: { type: 'string' },
      all: { type: 'boolean' },
      list: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const chosen = choose(values.only, values.set);
  if (values.list === true) {
    for (const { id, set, meaning } of chosen) process.stdout.write(`${id} (${set}): ${meaning}\n`);
    return 0;
  }
  const { all, json } = values;
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const say = (text: string) => (json ? process.stderr : process.stdout).write(`${text}\n`);
  const options = { all, signal: stop.signal };
  const results = await withScratchCopy(ROOT, async (place) => {
    const tests = [...new Set(chosen.flatMap((mutant) => mutant.tests))];
    say(`Without a mutant: ${all ? 'the quick suite' : `${tests.length} files and folders of tests`} …`);
    const sound = await runTests(place, all ? EVERYTHING : tests, options);
    if (sound.verdict !== 'passed')
      throw new Error(`the tests fail without any mutant: ${sound.by} ${sound.message}`.trim());
    const done: MutantResult[] = [];
    for (const mutant of chosen) {
      const result = await runMutant(mutant, place, options);
      done.push(result);
      say(lineOf(result, done.length, chosen.length));
    }
    return done;
  });
  const caught = results.filter(({ verdict }) => verdict === 'caught').length;
  if (json) process.stdout.write(`${JSON.stringify({ caught, of: results.length, results }, null, 2)}\n`);
  say(`${caught} of ${results.length} mutants caught`);
  return caught === results.length ? 0 : 1;
}

function choose(only: readonly string[] | undefined, set: string | undefined): readonly Mutant[] {
  for (const id of only ?? [])
    if (!MUTANTS.some((mutant) => mutant.id === id))
      throw new Error(`no mutant is called "${id}"; see --list`);
  if (set !== undefined && !SETS.includes(set))
    throw new Error(`--set is one of ${SETS.join(', ')}, not "${set}"`);
  const chosen = MUTANTS.filter(
    (mutant) => (only === undefined || only.includes(mutant.id)) && (set === undefined || mutant.set === set),
  );
  if (chosen.length === 0) throw new Error(`no mutant given by --only is in the set "${set}"`);
  return chosen;
}

function lineOf({ id, verdict, by, message, seconds }: MutantResult, number: number, of: number): string {
  const what = by === '' ? '' : `: ${by}`;
  const said = message === '' ? '' : `\n    ${message}`;
  return `${number}/${of} ${id} ${verdict.toUpperCase()} (${seconds.toFixed(0)} s)${what}${said}`;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isStopped = error instanceof Error && error.name === 'AbortError';
  const what = error instanceof Error ? error.message : String(error);
  process.stderr.write(`mutants: ${isStopped ? 'stopped; the copy is removed' : what}\n`);
  process.exitCode = isStopped ? 130 : 2;
}
