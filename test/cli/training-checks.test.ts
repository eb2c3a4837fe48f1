import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
  writeFileSync(join(directory, 'metrics.jsonl'), '');
  // Were it opened, its error would be the one reported.
  vi.stubEnv('THERMOLINK_DEVICE', 'emulator:nope');
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

const digits = fewDigits();
const train = (...options: string[]) => runCommand('train', 'mnist', '--json', '--data', digits, ...options);

it.each<[string, string, () => string[]]>([
  ['an option of another optimizer', 'BAD_ARGUMENT', () => ['--momentum', '0.5']],
  ['a delay that nothing keeps', 'BAD_ARGUMENT', () => ['--delay', '1', '--x0', 'zero']],
  ['data that are not there', 'BAD_DATASET', () => ['--data', join(directory, 'none')]],
  ['a directory that holds a training', 'BAD_ARGUMENT', () => ['--out', directory]],
  ['a checkpoint that is not there', 'BAD_CHECKPOINT', () => ['--out', directory, '--resume']],
  ['a batch beyond the set', 'BAD_ARGUMENT', () => ['--train-size', '10', '--batch', '20']],
])('train refuses %s before it opens the device', async (_, code, options) => {
  const { stdout } = await train(...options());
  expect(JSON.parse(stdout).error.code).toBe(code);
});

it('and opens it when there is nothing to refuse', async () => {
  const { stdout } = await train('--out', join(directory, 'new'));
  expect(JSON.parse(stdout).error.code).toBe('UNKNOWN_PROFILE');
});

it('sample refuses more draws than it can hold before it opens the device', async () => {
  const precision = join(directory, 'P.csv');
  const rows = Array.from({ length: 9 }, (_, i) =>
    Array.from({ length: 9 }, (_, j) => Number(i === j)).join(),
  );
  writeFileSync(precision, rows.join('\n'));
  const sample = ['sample', '--matrix', precision, '--count', '9000000', '--out', join(directory, 'x.npy')];
  const { stderr, exitCode } = await runCommand(...sample);
  expect(stderr).toMatch(/BAD_ARGUMENT: 9,000,000 draws of 9 cells/);
  expect(exitCode).toBe(2);
});
