import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCommand } from '../support/command-line.js';

let directory: string;
const file = (name: string): string => join(directory, name);
const cart = {
  A: [
    [1, 0.1],
    [0, 1],
  ],
  B: [[0], [0.1]],
  initialGain: [[4, 4]],
  inputMax: [0.5],
  initialState: [1, 0],
};

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-control-'));
  writeFileSync(file('cart.json'), JSON.stringify(cart));
  writeFileSync(file('cut.json'), JSON.stringify(cart).slice(0, 20));
  writeFileSync(file('odd.json'), JSON.stringify({ ...cart, A: [[1, 0.1], [0]] }));
  writeFileSync(file('typo.json'), JSON.stringify({ ...cart, initialgain: [[1, 1]] }));
  writeFileSync(file('stuck.json'), JSON.stringify({ ...cart, B: [[0], [0]] }));
  writeFileSync(file('falls.json'), JSON.stringify({ ...cart, initialGain: [[-1, -1]] }));
});
afterAll(() => rmSync(directory, { recursive: true }));

test('policy learns the gain of a plant from a file, prints the table and draws it', {
  tags: 'long',
}, async () => {
  const more = ['--rows', '64', '--device', 'emulator:ideal-crossbar', '--plot', file('p.svg')];
  const { stdout, exitCode } = await runCommand('control', 'policy', '--plant', file('cart.json'), ...more);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/natural, board +\d+ +\d+ +\d+ +\d+/);
  expect(readFileSync(file('p.svg'), 'utf8')).toMatch(/Cost above the optimum, cart\.json/);
});

test('mpc brings the plant to rest within its bounds', async () => {
  const more = ['--json', '--steps', '60', '--plot', file('m.svg')];
  const { stdout, exitCode } = await runCommand('control', 'mpc', '--plant', file('cart.json'), ...more);
  expect(exitCode).toBe(0);
  const { costIncrease, inputs, saturatedSteps } = JSON.parse(stdout);
  expect(Math.abs(costIncrease)).toBeLessThan(1e-3);
  expect(Math.max(...inputs.map(Math.abs))).toBeLessThanOrEqual(0.5);
  expect(saturatedSteps).toBeGreaterThan(0);
  expect(readFileSync(file('m.svg'), 'utf8')).toMatch(/Predictive control of cart\.json/);
});

test.each([
  ['cut.json', /is no JSON, or is cut/],
  ['odd.json', /row 1 of A has 1 entries and row 0 2/],
  ['typo.json', /initialgain.*did you mean initialGain/],
  ['stuck.json', /no solution|not stable/],
  ['falls.json', /not stable/],
  ['none.json', /does not exist/],
])('policy refuses %s', async (name, says) => {
  const { stderr, exitCode } = await runCommand('control', 'policy', '--plant', file(name), '--rows', '64');
  expect(exitCode).not.toBe(0);
  expect(stderr).toMatch(says);
});
