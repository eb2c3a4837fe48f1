import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type OptionSpecs, option, printedAs } from '../../src/cli/options/option.js';
import { withStreamNames } from '../../src/cli/output/report-stream.js';
import { type GivenLine, type StandardStreams, withStandardStreams } from '../../src/cli/standard-streams.js';
import { JsonProcess } from '../support/child-process.js';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';

const OPTIONS = {
  matrix: option('--matrix <file>', '', { file: 'input' }),
  rhs: option('--rhs <file>', '', { file: 'input' }),
  out: option('--out <file>', '', { file: 'array' }),
  plot: option('--plot <file>', '', { file: 'output', dash: printedAs('.svg') }),
  folder: option('--folder <dir>', '', { file: 'own' }),
  record: option('--record <file>', '', { file: 'own' }),
} satisfies OptionSpecs;

/** Runs a line with `stdin` as standard input. Returns the output, and the arguments of the work. */
async function runLine(
  values: Readonly<Record<string, unknown>>,
  stdin: string | Uint8Array,
  work: (line: GivenLine) => void,
  isTTY = false,
): Promise<string> {
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const streams: StandardStreams = { stdin: Readable.from([Buffer.from(stdin)]), stdout };
  await withStandardStreams(
    OPTIONS,
    [{ name: '<file>', help: '', file: 'input' }],
    { values, words: [] },
    async (line) => work(line),
    streams,
  );
  return String(stdout.read() ?? '');
}

const ours = (): string[] => readdirSync(tmpdir()).filter((name) => /^thermolink-\w{6}$/.test(name));

describe('- in the place of a file', () => {
  it('is all of standard input, in a temporary file', async () => {
    let path = '';
    await runLine({ matrix: '-', rhs: 'b.csv' }, '4,1\n1,3\n', ({ values }) => {
      path = String(values['matrix']);
      expect(readFileSync(path, 'utf8')).toBe('4,1\n1,3\n');
      expect(values['rhs']).toBe('b.csv');
      expect(withStreamNames(`${path} is odd`)).toBe('standard input is odd');
    });
    expect(existsSync(path)).toBe(false);
    expect(withStreamNames(path)).toBe(path);
  });

  it.each([
    ['-', '.csv'],
    ['-.npy', '.npy'],
    ['-.TXT', '.txt'],
  ])('--out %s goes to standard output as %s', async (out, extension) => {
    const printed = await runLine({ out }, '', ({ values }) => {
      expect(values['out']).toMatch(new RegExp(`${extension.replace('.', '\\.')}$`));
      writeFileSync(String(values['out']), 'what was computed');
    });
    expect(printed).toBe('what was computed');
  });

  it('output that was written before a failure of the command is kept', async () => {
    const stdout = new PassThrough();
    const run = withStandardStreams(
      OPTIONS,
      [],
      { values: { out: '-' }, words: [] },
      async ({ values }) => {
        writeFileSync(String(values['out']), 'a result');
        throw new Error('not converged');
      },
      { stdin: Readable.from([]), stdout },
    );
    await expect(run).rejects.toThrow('not converged');
    expect(String(stdout.read())).toBe('a result');
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['two inputs', { matrix: '-', rhs: '-' }, /--matrix and --rhs are both -/],
    ['two outputs', { out: '-', plot: '-' }, /--out and --plot are both -/],
    ['a folder', { folder: '-' }, /--folder can't be -: it is a folder/],
    ['a file that grows', { record: '-' }, /--record can't be -: the file is written in place/],
    ['an unknown format', { out: '-.xls' }, /--out - is not written as \.xls/],
    ['JSON beside a result on standard output', { out: '-', json: true }, /--json and --out - both write/],
    ['an input with a format', { matrix: '-.npy' }, /--matrix can't be -\.npy/],
  ])('%s: refused before anything is read', async (_what, values, message) => {
    let worked = false;
    await expect(runLine(values, 'x', () => (worked = true))).rejects.toThrow(message);
    expect(worked).toBe(false);
  });

  it('bytes are not printed on a terminal, text is', async () => {
    await expect(runLine({ out: '-.npy' }, '', () => undefined, true)).rejects.toThrow(/on the terminal/);
    const printed = await runLine(
      { out: '-' },
      '',
      ({ values }) => writeFileSync(String(values['out']), '1\n'),
      true,
    );
    expect(printed).toBe('1\n');
  });
});

describe('a command between pipes', () => {
  it('the result alone is on standard output, the report on standard error', async () => {
    const directory = temporaryDirectory();
    writeFileSync(`${directory}/A.csv`, '4,1\n1,3\n');
    writeFileSync(`${directory}/b.csv`, '1\n2\n');
    const args = ['--matrix', `${directory}/A.csv`, '--rhs', `${directory}/b.csv`];
    const { stdout, stderr, exitCode } = await runCommand('solve', ...args, '--out', '-');
    expect(exitCode).toBe(0);
    const json = JSON.parse((await runCommand('solve', ...args, '--json')).stdout);
    expect(stdout.trimEnd().split('\n').map(Number)).toEqual(json.solution);
    expect(stderr).toContain('relative residual');
  });

  it('Ctrl-C ends the wait for standard input, and nothing stays', { tags: 'long' }, async () => {
    const before = ours();
    const child = new JsonProcess([
      '--input-type=module',
      '-e',
      `import { withStandardStreams } from './dist/src/cli/standard-streams.js';
       import { reportError } from './dist/src/cli/output/report-error.js';
       const work = withStandardStreams({ matrix: { flags: '--matrix <file>', help: '', file: 'input' } }, [],
         { values: { matrix: '-' }, words: [] }, async () => {},
         { stdin: new (await import('node:stream')).PassThrough(), stdout: process.stdout });
       setInterval(() => {}, 1000);
       console.log(JSON.stringify({ event: 'waiting' }));
       try { await work } catch (error) { process.exit(reportError(error)); }`,
    ]);
    await child.next('waiting');
    expect(await child.end('SIGINT')).toBe(130);
    expect(child.stderr).toContain('ABORTED');
    expect(ours().filter((name) => !before.includes(name))).toEqual([]);
  });
});
