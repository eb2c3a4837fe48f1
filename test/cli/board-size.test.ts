import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';

const digits = fewDigits();
const train = (...options: string[]) => runCommand('train', 'mnist', '--data', digits, '--json', ...options);

it('too many curvature examples are refused before the run begins, with the largest number that fits', async () => {
  const root = mkdtempSync(join(tmpdir(), 'thermolink-'));
  try {
    const out = join(root, 'run');
    const trainWith = (batch: string) => train('--batch', batch, '--curvature-examples', batch, '--out', out);
    // The crossbar has 1024 rows, and an example takes one for each of the ten digits.
    const { error } = JSON.parse((await trainWith('128')).stdout);
    expect(error).toMatchObject({
      code: 'TOO_LARGE',
      hint: expect.stringContaining('lower --curvature-examples to 102 at most'),
      data: { rows: 1280, boardRows: 1024, curvatureExamplesMax: 102 },
    });
    expect(existsSync(out)).toBe(false);
  } finally {
    rmSync(root, { recursive: true });
  }
});

it('a network that fits with no number of examples gets no such advice', async () => {
  const { stdout } = await train('--device', 'emulator:ideal-64');
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'TOO_LARGE',
    hint: expect.not.stringContaining('--curvature-examples'),
  });
});
