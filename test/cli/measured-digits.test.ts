import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';

// docs/measured.md has 97.65 % for this seed. The training is the same on every machine up to rounding.
it('train mnist classifies at least 97.5 % of the test digits', {
  tags: 'long',
  timeout: 300_000,
}, async () => {
  const out = join(temporaryDirectory(), 'digits');
  const { stdout, exitCode } = await runCommand('train', 'mnist', '--seed', '1', '--out', out, '--json');
  expect(exitCode).toBe(0);
  const { testAccuracy } = JSON.parse(stdout) as { testAccuracy: number };
  expect(testAccuracy).toBeGreaterThanOrEqual(0.975);
});
