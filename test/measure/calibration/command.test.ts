import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTrace } from '../../../src/traces/open-trace.js';
import { readRepositoryFile } from '../../repository/files.js';
import { runCommand } from '../../support/command-line.js';
import { eigenvalues, problemRandom, symmetricWith } from '../../support/solver-problems.js';

let directory: string;
/** The output of the calibration of die 3. */
let calibrated: Awaited<ReturnType<typeof runCommand>>;
const file = (name: string): string => join(directory, name);
const BOARD = ['--device', 'emulator:prototype-8?die=3'];
const OTHER = ['--device', 'emulator:prototype-8?die=4'];
const QUICK = ['--samples', '1000'];
const SOLVE = () => ['--matrix', file('A.csv'), '--rhs', file('b.csv'), '--tolerance', '1e-6'];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
  const { data } = symmetricWith(eigenvalues('linear', 10, 8), problemRandom(3));
  const rows = Array.from({ length: 8 }, (_, i) => [...data.subarray(8 * i, 8 * i + 8)].join());
  writeFileSync(file('A.csv'), rows.join('\n'));
  writeFileSync(file('b.csv'), '1\n2\n3\n4\n-5\n-6\n-7\n8\n');
  calibrated = await runCommand('calibrate', ...BOARD, ...QUICK, '--out', file('die-3.json'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('thermolink calibrate', () => {
  it('solve takes the written record also with a byte order mark, which some editors add', async () => {
    writeFileSync(file('mark.json'), `\uFEFF${readFileSync(file('die-3.json'), 'utf8')}`);
    const { exitCode } = await runCommand('solve', ...SOLVE(), ...BOARD, '--calibration', file('mark.json'));
    expect(exitCode).toBe(0);
  });

  it('prints its results and writes the record', () => {
    const { stdout, stderr, exitCode } = calibrated;
    expect(stderr).toMatch(/^calibrate: 100 %, \d:\d\d, done\n$/m);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ {2}board +prototype-8, die 3$/m);
    expect(stdout).toMatch(/^ {2}crosspoints +64, each within 0\.0\d+ %$/m);
    const [before, after] = [...stdout.matchAll(/^ {2}residual \w+ +(\S+)/gm)].map((match) =>
      Number(match[1]),
    );
    expect(after).toBeLessThan(before / 10);
    expect(JSON.parse(readFileSync(file('die-3.json'), 'utf8')).schema).toBe('thermolink-calibration');
  });

  it('--json prints the same facts; --no-crosspoints and --valid-days take effect', {
    tags: 'long',
  }, async () => {
    const { stdout, stderr } = await runCommand(
      ...['calibrate', ...BOARD, ...QUICK, '--json', '--no-crosspoints'],
      ...['--valid-days', '7', '--seed', '5', '--out', file('cells.json')],
    );
    expect(stderr).toBe('');
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({
      file: file('cells.json'),
      board: { model: 'prototype-8', serialNumber: 'die 3', cells: 8 },
      method: { seed: 5, samples: 1000 },
      crosspoints: 0,
      uncalibrated: [],
    });
    expect(Date.parse(told.expiresAt) - Date.parse(told.measuredAt)).toBe(7 * 86_400_000);
    expect(JSON.parse(readFileSync(file('cells.json'), 'utf8')).couplingErrors).toBeNull();
  });

  it('refuses impossible requests before it opens the board', async () => {
    const nowhere = ['--device', 'tcp://127.0.0.1:1'];
    for (const options of [
      ['--samples', '999'],
      ['--valid-days', '0'],
      ['--seed', '-1'],
    ]) {
      const { stderr, exitCode } = await runCommand('calibrate', ...nowhere, ...options);
      expect(stderr).toContain('BAD_ARGUMENT');
      expect(exitCode).toBe(2);
    }
    const { stderr } = await runCommand('calibrate', ...nowhere, '--out', file('nowhere/die.json'));
    expect(stderr).toContain('BAD_FILE');
  });

  it('the examples of its document run', { tags: 'long' }, async () => {
    const document = readRepositoryFile('docs/how-to/calibrate.md');
    const lines = [...document.matchAll(/^npx thermolink (.*)$/gm)].map((match) => match[1]);
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['calibrate', 'solve', 'sample']);
    for (const line of lines) {
      const words = line.replaceAll("'", '').split(' ');
      const place = (word: string) => (/\.(csv|json|npy)$/.test(word) ? file(word) : word);
      const quick = words[0] === 'calibrate' ? QUICK : [];
      const { exitCode, stderr } = await runCommand(...words.map(place), ...quick);
      expect(stderr).not.toContain('warning');
      expect(exitCode).toBe(0);
    }
    expect(existsSync(file('draws.npy'))).toBe(true);
  });
});

describe('commands that take a calibration', () => {
  it('solve needs fewer passes with it', async () => {
    const passes = async (...options: string[]) => {
      const { stdout } = await runCommand('solve', ...SOLVE(), ...BOARD, '--json', ...options);
      return JSON.parse(stdout).passes as number;
    };
    expect(await passes('--calibration', file('die-3.json'))).toBeLessThan(await passes());
  });

  it('a recording holds the calibration, byte for byte', async () => {
    const calibration = ['--calibration', file('die-3.json')];
    const { exitCode } = await runCommand(
      ...['solve', ...SOLVE(), ...BOARD, ...calibration, '--record', file('solve.mcap')],
    );
    expect(exitCode).toBe(0);
    const trace = await openTrace(file('solve.mcap'));
    const attachment = trace.attachments.find(({ name }) => name === 'calibration.json');
    expect(attachment?.mediaType).toBe('application/json');
    expect(Buffer.from(attachment!.read())).toEqual(readFileSync(file('die-3.json')));
    trace.close();
  });

  it('solve, invert and sample refuse the calibration of another die, and name both dies', async () => {
    const calibration = ['--calibration', file('die-3.json')];
    for (const command of [
      ['solve', ...SOLVE()],
      ['invert', '--matrix', file('A.csv')],
      ['sample', '--matrix', file('A.csv'), '--count', '3', '--out', file('x.npy')],
    ]) {
      const { stderr, exitCode } = await runCommand(...command, ...OTHER, ...calibration);
      expect(stderr).toMatch(/BAD_CALIBRATION: The calibration is of prototype-8 "die 3".* "die 4"/);
      expect(exitCode).toBe(1);
    }
  });

  it('an expired, a damaged and a missing calibration are refused before the board is looked for', async () => {
    const record = JSON.parse(readFileSync(file('die-3.json'), 'utf8'));
    const dates = { measuredAt: '2000-12-01T00:00:00.000Z', expiresAt: '2001-01-01T00:00:00.000Z' };
    writeFileSync(file('old.json'), JSON.stringify({ ...record, ...dates }));
    writeFileSync(file('cut.json'), readFileSync(file('die-3.json')).subarray(0, 500));
    const expected = { 'old.json': 'expired', 'cut.json': 'is no JSON', 'missing.json': 'BAD_FILE' };
    for (const [name, message] of Object.entries(expected)) {
      const { stderr, exitCode } = await runCommand(
        ...['solve', ...SOLVE(), '--device', 'tcp://127.0.0.1:1', '--calibration', file(name)],
      );
      expect(stderr).toContain(message);
      expect(exitCode).toBe(1);
    }
  });

  it('sample warns of an uncalibrated board whose covariance is not known', async () => {
    const draws = ['sample', '--matrix', file('A.csv'), '--count', '3', '--out', file('x.npy')];
    expect((await runCommand(...draws, ...BOARD)).stderr).toMatch(/^warning: uncalibrated-board: /m);
    expect(JSON.parse((await runCommand(...draws, ...BOARD, '--json')).stdout).warnings).toEqual([
      'uncalibrated-board',
    ]);
    for (const known of [[...BOARD, '--calibration', file('die-3.json')], []])
      expect(JSON.parse((await runCommand(...draws, ...known, '--json')).stdout).warnings).toEqual([]);
  });
});
