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
  // This profile does not exist. If a command opened the device, it would report that error instead.
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
  ['a delay without a kept state', 'BAD_ARGUMENT', () => ['--delay', '1', '--x0', 'zero']],
  ['a time far beyond the equilibrium', 'BAD_ARGUMENT', () => ['--time', '1e6']],
  ['a delay far beyond the equilibrium', 'BAD_ARGUMENT', () => ['--delay', '1e6']],
  ['data that are not there', 'BAD_DATASET', () => ['--data', join(directory, 'none')]],
  ['a directory that holds a training', 'BAD_ARGUMENT', () => ['--out', directory]],
  ['a checkpoint that is not there', 'BAD_CHECKPOINT', () => ['--out', directory, '--resume']],
  ['a batch beyond the set', 'BAD_ARGUMENT', () => ['--train-size', '10', '--batch', '20']],
])('train refuses %s before it opens the device', async (_, code, options) => {
  const { stdout } = await train(...options());
  expect(JSON.parse(stdout).error.code).toBe(code);
});

it('without damping, a time that would take a board too long is refused in the first step', {
  tags: 'long',
}, async () => {
  const { stdout } = await train('--time', '1e6', '--damping', '0', '--device', 'emulator:ideal-crossbar');
  expect(JSON.parse(stdout).error).toMatchObject({ code: 'UNSUPPORTED', data: { ticksMax: 2 ** 20 } });
  const delayed = await train('--delay', '1e6', '--damping', '0', '--device', 'emulator:ideal-crossbar');
  expect(JSON.parse(delayed.stdout).error).toMatchObject({
    code: 'UNSUPPORTED',
    data: { ticksMax: 2 ** 20 },
    hint: expect.stringContaining('delay'),
  });
});

it('names its data, and warns of data that look like a mistake', { tags: 'long' }, async () => {
  const idx = (shape: readonly number[], values: readonly number[]): Buffer => {
    const words = shape.flatMap((extent) => [0, 0, 0, extent]);
    return Buffer.from([0, 0, 8, shape.length, ...words, ...values]);
  };
  const dark = mkdtempSync(join(directory, 'dark'));
  const pixels = (count: number) => Array.from({ length: count * 144 }, (_, i) => i % 2);
  writeFileSync(join(dark, 'train-images-idx3-ubyte'), idx([4, 12, 12], pixels(4)));
  writeFileSync(join(dark, 'train-labels-idx1-ubyte'), idx([4], [1, 3, 1, 3]));
  writeFileSync(join(dark, 't10k-images-idx3-ubyte'), idx([2, 12, 12], pixels(2)));
  writeFileSync(join(dark, 't10k-labels-idx1-ubyte'), idx([2], [1, 4]));
  const options = ['--data', dark, '--batch', '4', '--optimizer', 'sgd'];
  const { stderr, exitCode } = await runCommand('train', 'mnist', ...options);
  expect(exitCode).toBe(0);
  expect(stderr).toContain('sgd: 4 training and 2 test images of 12 × 12 pixels, 5 classes\n');
  expect(stderr).toContain('warning: 3 of 5 classes have no training example: 0, 2, 4.\n');
  expect(stderr).toMatch(/warning: the brightest training pixel is 1\S* of 255/);
  const few = ['--train-size', '64', '--batch', '4', '--optimizer', 'sgd'];
  const good = await runCommand('train', 'mnist', '--data', digits, ...few);
  expect(good.stderr).not.toContain('warning');
});

it('train opens the device if there is nothing to refuse', async () => {
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
