import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCommand } from '../support/command-line.js';

it('too many curvature examples are refused before the run begins, with the most that fit', async () => {
  const root = mkdtempSync(join(tmpdir(), 'thermolink-'));
  try {
    const out = join(root, 'run');
    const train = (batch: string) =>
      runCommand('train', 'mnist', '--batch', batch, '--curvature-examples', batch, '--json', '--out', out);
    // The crossbar has 1024 rows, and an example takes one for each of the ten digits.
    const { error } = JSON.parse((await train('128')).stdout);
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

it('a model that no number of examples makes fit gets no such advice', async () => {
  const { stdout } = await runCommand('train', 'mnist', '--device', 'emulator:ideal-64', '--json');
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'TOO_LARGE',
    hint: expect.not.stringContaining('--curvature-examples'),
  });
});
