import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { CLI } from '../docs/shown-commands.js';
import { readRepositoryFile } from '../repository/files.js';
import { HIL_DEVICES } from './devices.js';

const run = promisify(execFile);
/** Commands and what they print. The other blocks need a Pico on a port. */
const SHOWN = /```\n([^`]*--device "\$BOARD"\n)```\n\n```text\n([^`]*)```/g;

/** Without names and measured times, which depend on where it runs. */
const comparable = (text: string): string =>
  text
    .trim()
    .replaceAll(/^( *device +).*$/gm, '$1BOARD')
    .replaceAll(/^( *(?:host time|round trip) +).*$/gm, '$1TIME');

test('the tutorial of the Pico shows what is printed', async () => {
  const shown = [...readRepositoryFile('docs/tutorial/pico.md').matchAll(SHOWN)];
  expect(shown).toHaveLength(2);
  const board = await HIL_DEVICES.find(({ name }) => name.includes('USB'))!.start();
  const cwd = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
  try {
    for (const [, commands, text] of shown) {
      const script = `set -eu\nnpx() { shift; node ${JSON.stringify(CLI)} "$@"; }\n${commands}`;
      const { stdout } = await run('bash', ['-c', script], {
        cwd,
        env: { ...process.env, BOARD: board.uri },
      });
      expect(comparable(stdout)).toBe(comparable(text));
    }
  } finally {
    rmSync(cwd, { recursive: true });
    await board.end();
  }
});
