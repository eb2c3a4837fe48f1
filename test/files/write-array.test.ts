import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readMatrix, readVector } from '../../src/files/read-array.js';
import { checkOutput, writeArray, writeText } from '../../src/files/write-array.js';
import { matrix } from '../../src/linalg/matrix.js';
import { fileWriter, temporaryDirectory } from '../cli/support/temporary-files.js';
import { thrown } from '../cli/support/thrown.js';
import { runCommand } from '../support/command-line.js';

const directory = temporaryDirectory();
const file = (name: string): string => join(directory, name);
const write = fileWriter();
const A = write('A.csv', '4,1\n1,3\n');
const b = write('b.csv', '1\n2\n');

describe('writeArray', () => {
  const awkward = Float64Array.of(1 / 3, -0, 5e-324, -1.7976931348623157e308, 1e21, 123456789.125);

  it.each(['.npy', '.csv', '.tsv', '.txt', '.CSV'])('%s gives back every bit', async (extension) => {
    const path = file(`bits${extension}`);
    await writeArray(path, matrix(2, 3, awkward));
    const read = await readMatrix(path);
    expect([read.rows, read.columns]).toEqual([2, 3]);
    expect([...read.data].map((value, i) => Object.is(value, awkward[i]))).not.toContain(false);
    await writeArray(path, awkward);
    expect(await readVector(path)).toEqual(awkward);
  });

  it('writes long tables in pieces', { tags: 'long' }, async () => {
    const path = file('long.csv');
    const values = Float64Array.from({ length: 60_000 }, (_, i) => i / 7);
    await writeArray(path, matrix(20_000, 3, values));
    expect((await readMatrix(path)).data).toEqual(values);
  });

  it('keeps an array in another file if it can’t write the file, and names the other file', async () => {
    const error = await thrown(() => writeArray(file('gone/x.csv'), Float64Array.of(1, 2)));
    expect(error).toMatchObject({
      code: 'BAD_FILE',
      message: expect.stringContaining('there is no directory'),
    });
    const kept = /The result is in (\S+)\.$/.exec(error.hint!)![1];
    expect(await readVector(kept)).toEqual(Float64Array.of(1, 2));
    rmSync(dirname(kept), { recursive: true });
  });

  it('writeText also keeps a text in another file, so a measurement is not lost', async () => {
    const error = await thrown(() => writeText(file('gone/calibration.json'), '{}\n'));
    const kept = /The result is in (\S+)\.$/.exec(error.hint!)![1];
    expect(readFileSync(kept, 'utf8')).toBe('{}\n');
    rmSync(dirname(kept), { recursive: true });
  });
});

describe('checkOutput', () => {
  it.each([
    ['another format', 'x.mat', 'BAD_ARGUMENT', /ends in \.npy, \.csv, \.tsv, \.txt/],
    ['no format', 'x', 'BAD_ARGUMENT', /ends in/],
    ['the name of a property of every object', 'x.constructor', 'BAD_ARGUMENT', /ends in/],
    ['no directory', 'no/such/x.npy', 'BAD_FILE', /Nothing was computed/],
    ['a file in place of a directory', 'file/x.npy', 'BAD_FILE', /Nothing was computed/],
    ['a directory in place of a file', 'directory.npy', 'BAD_FILE', /path of a file/],
    ['a name that is too long', `${'x'.repeat(300)}.csv`, 'BAD_FILE', /Nothing was computed/],
  ])('refuses %s', async (_, name, code, hint) => {
    mkdirSync(file('directory.npy'), { recursive: true });
    writeFileSync(file('file'), '');
    const before = readdirSync(directory);
    const error = await thrown(() => checkOutput('--out', file(name)));
    expect(error.code).toBe(code);
    expect(error.hint).toMatch(hint);
    expect(readdirSync(directory)).toEqual(before);
  });

  it('leaves existing files unchanged, and makes no new file', async () => {
    writeFileSync(file('there.csv'), 'old');
    await checkOutput('--out', file('there.csv'));
    await checkOutput('--out', file('new.npy'));
    expect(readFileSync(file('there.csv'), 'utf8')).toBe('old');
    expect(existsSync(file('new.npy'))).toBe(false);
  });
});

describe('--out', () => {
  /** A device that does not exist. An error about another thing shows that no connection was tried. */
  const NOWHERE = ['--device', 'tcp://127.0.0.1:1'];

  it.each([
    ['solve', ['--matrix', A, '--rhs', b]],
    ['invert', ['--matrix', A]],
    ['sample', ['--matrix', A, '--count', '3']],
  ])('of %s is checked before the board is connected to', async (command, args) => {
    const bad = await runCommand(command, ...args, '--out', file('no/x.npy'), ...NOWHERE);
    expect(bad).toMatchObject({ exitCode: 1, stdout: '' });
    expect(bad.stderr).toMatch(/^thermolink: BAD_FILE: [^\n]+\n$/);
    const wrong = await runCommand(command, ...args, '--out', file('x.mat'), ...NOWHERE);
    expect(wrong.exitCode).toBe(2);
    expect((await runCommand(command, ...args, '--out', file('x.csv'), ...NOWHERE)).stderr).toContain(
      'CANNOT_CONNECT',
    );
  });

  it('a .csv holds text: solution, inverse and draws', async () => {
    await runCommand('solve', '--matrix', A, '--rhs', b, '--out', file('x.csv'));
    expect(readFileSync(file('x.csv'), 'utf8')).toMatch(/^0\.09\d+\n0\.63\d+\n$/);
    await runCommand('invert', '--matrix', A, '--out', file('inverse.csv'));
    expect(readFileSync(file('inverse.csv'), 'utf8')).toMatch(/^0\.2\d+,-0\.09\d*\n-0\.09\d*,0\.3\d+\n$/);
    await runCommand('sample', '--matrix', A, '--count', '3', '--out', file('draws.tsv'));
    expect(readFileSync(file('draws.tsv'), 'utf8')).toMatch(/^(-?\d\S*\t-?\d\S*\n){3}$/);
  });

  it('an inverse without any output is refused', async () => {
    const large = write('large.csv', Array.from({ length: 9 }, (_, i) => diagonal(i, 9)).join('\n'));
    const result = await runCommand('invert', '--matrix', large, ...NOWHERE);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toMatch(/9×9.*--out.*--json/);
  });
});

function diagonal(row: number, cells: number): string {
  return Array.from({ length: cells }, (_, j) => (j === row ? 2 : 0)).join(',');
}
