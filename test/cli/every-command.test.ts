import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { dashMeaning } from '../../src/cli/options/option.js';
import { runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';

/**
 * A command line without `--out`, in a folder with the files of `FILES`, or the name of the test for this
 * command.
 */
type Line = { readonly args: string } | { readonly elsewhere: string };

const BOARD = '--device emulator:ideal-8';

/** The commands that take much less than a second. */
const QUICK: Readonly<Record<string, Line>> = {
  solve: { args: `--matrix A.csv --rhs b.csv ${BOARD}` },
  invert: { args: `--matrix A.csv ${BOARD}` },
  qp: { args: `--problem p.json ${BOARD}` },
  sample: { args: `--matrix A.csv --count 8 ${BOARD}` },
  info: { args: BOARD },
  identify: { args: BOARD },
  ping: { args: `-c 2 ${BOARD}` },
  stop: { args: BOARD },
  acknowledge: { args: BOARD },
  run: { args: `--samples 4 ${BOARD}` },
  selftest: { args: BOARD },
  devices: { args: '' },
  monitor: { args: `--count 1 ${BOARD}` },
  'trace info': { args: 'session.mcap' },
  'trace messages': { args: 'session.mcap' },
  'trace diff': { args: 'session.mcap session.mcap' },
  'trace doctor': { args: 'session.mcap' },
};

const LONG: Readonly<Record<string, Line>> = {
  logdet: { args: `--matrix A.csv --readings 1024 ${BOARD}` },
  lyapunov: { args: '--matrix A.csv --rhs S.csv --readings 1536' },
  characterize: { args: '--samples 1000 --no-couplings --device emulator:prototype-8' },
  extract: { args: '--samples 1000 --no-couplings --device emulator:prototype-8' },
  calibrate: { args: '--samples 1000 --no-crosspoints --device emulator:prototype-8' },
  reset: { args: BOARD },
  conformance: { args: '--clauses FRAME-1 --device emulator:ideal-8' },
  report: { args: `--no-self-test ${BOARD}` },
  evaluate: { args: '--weights trained --data DIGITS' },
  'posterior gaussian': {
    args: `--observations A.csv --prior-covariance A.csv --noise-covariance A.csv --chains 1 --draws 20 ${BOARD}`,
  },
  'posterior linear': { args: '--data t.csv --target y --chains 1 --draws 20 --device emulator:ideal-64' },
  'posterior logistic': { args: '--data t.csv --target z --chains 1 --draws 20' },
  'posterior laplace': { elsewhere: 'posterior.test.ts' },
  'control policy': { args: '--rows 64 --iterations-max 2' },
  'control mpc': { args: '--steps 2' },
  'train mnist': { args: '--data DIGITS --train-size 256 --batch 128 --hidden 8 --optimizer sgd' },
  'train autoencoder': { args: '--data DIGITS --train-size 64 --batch 32 --steps 1 --optimizer sgd' },
  'train ising': { args: '--sites 4 --steps 1' },
  'train heisenberg': { args: '--sites 4 --steps 1' },
  'train poisson': { args: '--steps 1 --optimizer sgd' },
  'train heat': { args: '--steps 1 --optimizer sgd' },
  'train burgers': { args: '--steps 1 --optimizer sgd' },
  'trace verify': { args: `session.mcap ${BOARD}` },
  'trace plot': { args: 'session.mcap --out s.svg' },
  'trace export': { args: 'session.mcap --jsonl --out s.jsonl' },
  'trace recover': { args: 'session.mcap --out mended.mcap' },
  'trace to-test': { args: 'session.mcap' },
  'bench link': { args: `--bytes 100000 ${BOARD}` },
  'bench step': { elsewhere: 'bench-commands.test.ts' },
  'bench train': { elsewhere: 'bench-train.test.ts' },
  'bench solve': { args: '--cells 8 --conditions 2 --tolerances 0.1 --systems 1' },
  'bench record': { elsewhere: 'bench-record.test.ts' },
  'farm worker': { elsewhere: 'test/farm' },
  'farm submit': { elsewhere: 'test/farm' },
  'farm status': { elsewhere: 'test/farm' },
  emulate: { elsewhere: 'emulate.test.ts' },
  serve: { elsewhere: 'test/hub' },
  console: { elsewhere: 'test/console' },
  shell: { elsewhere: 'shell.test.ts' },
  flash: { elsewhere: 'flash.test.ts' },
  demo: { elsewhere: 'demo.test.ts' },
};

/** Stores the weights that `evaluate` tests. */
const TRAINING = 'train mnist --train-size 256 --batch 128 --hidden 8 --optimizer sgd --out trained --data';

/** Commands without `--json`: they print a script. */
const WITHOUT_JSON = ['completion'];

const commands = COMMANDS.flatMap((entry) =>
  'commands' in entry
    ? entry.commands.map(({ name, load }) => ({ name: `${entry.name} ${name}`, load }))
    : [entry],
);

/** Parses lines of JSON, each with one value. */
function parsed(text: string): unknown[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

it('every option for a file explains the use of - or refuses it, and options for folders refuse it', async () => {
  for (const { load } of commands)
    for (const spec of Object.values((await load()).command.options)) {
      if (spec.file === undefined) continue;
      const { kind } = dashMeaning(spec);
      if (spec.flags.endsWith('<dir>')) expect(kind, spec.flags).toBe('refused');
      if (spec.file === 'array') expect(kind, spec.flags).toBe('output');
      // A file that is written once at the end can go to standard output, or the option explains why it
      // cannot.
      if (spec.file === 'output') expect(spec.dash, spec.flags).toBeDefined();
    }
});

describe('--json', () => {
  let directory: string;
  let before: string;

  beforeAll(async () => {
    before = process.cwd();
    directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
    process.chdir(directory);
    const files = {
      'A.csv': '4,1\n1,3\n',
      'S.csv': '1,0\n0,1\n',
      'b.csv': '1\n2\n',
      'p.json': '{"P": [[4,1],[1,2]], "q": [1,1], "A": [[1,1]], "l": [1], "u": [1]}',
      't.csv': `x,y,z\n${Array.from({ length: 24 }, (_, k) => `${k % 7},${k % 5},${k % 2}`).join('\n')}\n`,
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(name, content);
    await runCommand('ping', '-c', '1', ...BOARD.split(' '), '--record', 'session.mcap');
  });

  afterAll(() => {
    process.chdir(before);
    rmSync(directory, { recursive: true });
  });

  async function expectJson(name: string, args: string): Promise<void> {
    const files = readdirSync('.');
    const { stdout, stderr, exitCode } = await runCommand(
      ...name.split(' '),
      ...args.split(' ').filter((word) => word !== ''),
      '--json',
    );
    expect(exitCode, stderr + stdout).toBe(0);
    for (const value of parsed(stdout)) expect(value).toBeTypeOf('object');
    // Without --out a command that measures or computes writes no file, except for commands whose file has a
    // default name.
    if (!args.includes('--out') && !['calibrate', 'report', 'trace to-test'].includes(name))
      expect(readdirSync('.')).toEqual(files);
  }

  it('every command that prints results has --json and a command line in this file', async () => {
    for (const { name, load } of commands) {
      const { options } = (await load()).command;
      expect('json' in options, name).toBe(!WITHOUT_JSON.includes(name));
    }
    const known = [...Object.keys(QUICK), ...Object.keys(LONG), ...WITHOUT_JSON];
    const isStudy = (name: string): boolean => name.startsWith('study ');
    expect(known.sort()).toEqual(
      commands
        .map(({ name }) => name)
        .filter((name) => !isStudy(name))
        .sort(),
    );
  });

  const linesOf = (lines: Readonly<Record<string, Line>>): [string, string][] =>
    Object.entries(lines).flatMap(([name, line]) => ('args' in line ? [[name, line.args]] : []));

  it.each(linesOf(QUICK))('%s', expectJson);

  it.each(linesOf(LONG))('%s', { tags: 'long' }, async (name, args) => {
    const digits = args.includes('DIGITS') ? fewDigits() : '';
    if (name === 'evaluate') await runCommand(...TRAINING.split(' '), digits);
    await expectJson(name, args.replace('DIGITS', digits));
  });
});
