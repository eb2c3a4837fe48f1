import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { runCommand } from '../support/command-line.js';
import { fileWriter, temporaryDirectory } from './support/temporary-files.js';

const directory = temporaryDirectory();
const file = (name: string): string => join(directory, name);
const write = fileWriter();
const TEXT = '4,1\n1,3\n';
const A = write('A.csv', TEXT);
const b = write('b.csv', '1\n2\n');
symlinkSync(A, file('symbolic.csv'));
linkSync(A, file('hard.csv'));
mkdirSync(file('data'));

const solve = ['solve', '--matrix', A, '--rhs', b];
const unseen = file('unseen.csv');
const CASES: readonly (readonly [string, readonly string[]])[] = [
  ['solve, the matrix', [...solve, '--out', A]],
  ['solve, the right-hand side', [...solve, '--out', b]],
  ['solve, the matrix by another spelling', [...solve, '--out', `${dirname(A)}/./A.csv`]],
  ['solve, a symbolic link to the matrix', [...solve, '--out', file('symbolic.csv')]],
  ['solve, a hard link to the matrix', [...solve, '--out', file('hard.csv')]],
  ['solve, the log in the matrix', [...solve, '--log-file', A]],
  ['solve, the log in the result', [...solve, '--out', unseen, '--log-file', unseen]],
  ['invert, the matrix', ['invert', '--matrix', A, '--out', A]],
  ['sample, the matrix', ['sample', '--matrix', A, '--count', '10', '--out', A]],
  ['train, the data', ['train', 'mnist', '--data', file('data'), '--out', `${file('data')}/`]],
];

it.each(CASES)(
  'an output that would overwrite an input is refused before anything is done: %s',
  async (_, command) => {
    // If the device were opened, its error would be reported instead.
    const { stdout, exitCode } = await runCommand(...command, '--device', 'emulator:nope', '--json');
    expect(exitCode).toBe(2);
    const { code, message } = JSON.parse(stdout).error;
    expect(code).toBe('BAD_ARGUMENT');
    expect(message).toMatch(/^--(out|log-file) ".*" is also the file of --(matrix|rhs|out|data):/);
    expect(readFileSync(A, 'utf8')).toBe(TEXT);
    expect(readFileSync(b, 'utf8')).toBe('1\n2\n');
    expect(existsSync(unseen)).toBe(false);
  },
);

it('an input may be named twice, and a copy of an input counts as a different file', async () => {
  const { exitCode } = await runCommand('solve', '--matrix', A, '--rhs', A, '--out', write('copy.csv', TEXT));
  // The file is refused later, because it is not a vector.
  expect(exitCode).toBe(1);
  const copy = write('copy2.csv', TEXT);
  expect((await runCommand('invert', '--matrix', A, '--out', copy)).exitCode).toBe(0);
  expect(readFileSync(copy, 'utf8')).not.toBe(TEXT);
});
