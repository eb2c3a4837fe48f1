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
/** Commands and their outputs. The other blocks need a Pico on a port. */
const SHOWN = /```\n([^`]*--device "\$BOARD"\n)```\n\n```text\n([^`]*)```/g;

/** The text without names and measured times, which differ from machine to machine. */
const comparable = (text: string): string =>
  text
    .trim()
    .replaceAll(/^( *device +).*$/gm, '$1BOARD')
    .replaceAll(/^( *(?:host time|round trip) +).*$/gm, '$1TIME');

/** The output of these commands with the board of this name. */
async function runShown(name: string, commands: string): Promise<string> {
  const board = await HIL_DEVICES.find((device) => device.name.includes(name))!.start();
  const cwd = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
  try {
    const script = `set -eu\nnpx() { shift; node ${JSON.stringify(CLI)} "$@"; }\n${commands}`;
    const { stdout } = await run('bash', ['-c', script], { cwd, env: { ...process.env, BOARD: board.uri } });
    return stdout;
  } finally {
    rmSync(cwd, { recursive: true });
    await board.end();
  }
}

test('the tutorial of the Pico shows the printed outputs', async () => {
  const shown = [...readRepositoryFile('docs/tutorial/pico.md').matchAll(SHOWN)];
  expect(shown).toHaveLength(2);
  for (const [, commands, text] of shown)
    expect(comparable(await runShown('over USB', commands))).toBe(comparable(text));
});

/** With cells of capacitors, the last digits of the outputs differ each time. */
test('the page of rc-3 shows the printed outputs, within its guarantee of 2 mV', async () => {
  const [[, commands, text]] = [...readRepositoryFile('docs/how-to/rc-board.md').matchAll(SHOWN)];
  const solution = (printed: string) =>
    [...printed.matchAll(/x\[\d\] +(-?[\d.]+)/g)].map(([, value]) => Number(value));
  const shown = solution(text);
  expect(shown).toHaveLength(3);
  const printed = solution(await runShown('rc-3', commands));
  expect(printed).toHaveLength(3);
  printed.forEach((x, i) => {
    expect(Math.abs(x - shown[i])).toBeLessThan(2e-3);
  });
});
