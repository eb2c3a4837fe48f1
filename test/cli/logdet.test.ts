import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../support/command-line.js';

let directory: string;
const file = (name: string): string => join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-logdet-'));
  writeFileSync(file('A.csv'), '4,1\n1,3\n');
  writeFileSync(file('indefinite.csv'), '1,2\n2,1\n');
  writeFileSync(file('cut.csv'), '4,1\n1\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

test('prints both answers, Cholesky beside them, and draws the integrand', async () => {
  const more = ['--exact', '--plot', file('i.svg'), '--readings', '2000'];
  const { stdout, exitCode } = await runCommand('logdet', '--matrix', file('A.csv'), ...more);
  expect(exitCode).toBe(0);
  // ln 11.
  expect(stdout).toMatch(/by Cholesky +2\.3978952\d, exact/);
  expect(stdout).toMatch(/by traces +2\.\d+ ± 0\.\d+/);
  expect(stdout).toMatch(/Bennett’s ratio +2\.\d+ ± 0\.\d+ \(the same readings\)/);
  expect(readFileSync(file('i.svg'), 'utf8')).toMatch(/less the exact values/);
});

test('prints JSON', async () => {
  const { stdout, exitCode } = await runCommand(
    'logdet',
    '--matrix',
    file('A.csv'),
    '--json',
    '--readings',
    '500',
  );
  expect(exitCode).toBe(0);
  const { logDeterminant, standardError, nodes, exact } = JSON.parse(stdout);
  // The limit is five standard errors, which one of two million random seeds exceeds.
  expect(Math.abs(logDeterminant - Math.log(11))).toBeLessThan(5 * standardError);
  expect(nodes[0].damping).toBe(0);
  expect(exact).toBeUndefined();
});

test('refuses an indefinite and a cut matrix', async () => {
  const indefinite = await runCommand('logdet', '--matrix', file('indefinite.csv'));
  expect(indefinite.stderr).toMatch(/not positive definite/);
  expect(indefinite.exitCode).not.toBe(0);
  const cut = await runCommand('logdet', '--matrix', file('cut.csv'));
  expect(cut.stderr).toMatch(/cut\.csv/);
  expect(cut.exitCode).not.toBe(0);
});
