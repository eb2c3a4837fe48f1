import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../support/command-line.js';

let directory: string;
const file = (name: string): string => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-lyapunov-'));
  writeFileSync(file('A.csv'), '2,-1\n0.5,1\n');
  writeFileSync(file('S.csv'), '1,0\n0,1\n');
  writeFileSync(file('S3.csv'), '1,0,0\n0,1,0\n0,0,1\n');
  writeFileSync(file('unstable.csv'), '1,0\n0,-2\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

const equation = (a: string, s: string): readonly string[] => ['--matrix', file(a), '--rhs', file(s)];

test('prints X with standard errors and the host’s answer beside it, and writes X', async () => {
  const more = ['--exact', '--readings', '6000', '--out', file('X.csv')];
  const { stdout, exitCode } = await runCommand('lyapunov', ...equation('A.csv', 'S.csv'), ...more);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/X\[1,1\] +0\.4\d+ +± 0\.0\d+/);
  expect(stdout).toMatch(/error against the host’s X +\d\.\d+ %/);
  const rows = readFileSync(file('X.csv'), 'utf8').trim().split('\n');
  expect(rows).toHaveLength(2);
});

test('prints JSON', async () => {
  const more = ['--json', '--exact', '--readings', '6000'];
  const { stdout, exitCode } = await runCommand('lyapunov', ...equation('A.csv', 'S.csv'), ...more);
  expect(exitCode).toBe(0);
  const { x, standardError, exact } = JSON.parse(stdout);
  // These are the three equations of X, written out.
  const x12 = exact.x[0][1];
  expect(exact.x[0][0]).toBeCloseTo((1 + 2 * x12) / 4, 12);
  expect(exact.x[1][1]).toBeCloseTo((1 - x12) / 2, 12);
  expect(3 * x12 + exact.x[0][0] / 2 - exact.x[1][1]).toBeCloseTo(0, 12);
  // The limit is five standard errors, which one of two million random seeds exceeds.
  expect(Math.abs(x[0][0] - exact.x[0][0])).toBeLessThan(5 * standardError[0][0]);
});

test('refuses an unstable A and matrices of unlike size', async () => {
  const unstable = await runCommand('lyapunov', ...equation('unstable.csv', 'S.csv'));
  expect(unstable.stderr).toMatch(/real part -2/);
  expect(unstable.stderr).toMatch(/give −A/);
  expect(unstable.exitCode).not.toBe(0);
  const unlike = await runCommand('lyapunov', ...equation('A.csv', 'S3.csv'));
  expect(unlike.stderr).toMatch(/A is 2×2 and S is 3×3/);
});
