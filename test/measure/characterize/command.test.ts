import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../support/command-line.js';

let directory: string;
const file = (...names: string[]): string => join(directory, ...names);
const BOARD = ['--device', 'emulator:prototype-8?die=3'];
const QUICK = ['--samples', '1000', '--crosspoints', '2'];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
});

afterAll(() => rmSync(directory, { recursive: true }));

describe('thermolink characterize', () => {
  it('prints every quantity, the worst cells first, and writes a record and figures', async () => {
    const out = file('die-3');
    const { stdout, stderr, exitCode } = await runCommand('characterize', ...BOARD, ...QUICK, '--out', out);
    // A busy machine shows more lines, one every few seconds.
    expect(stderr).toMatch(/^(characterize: .*\n)*characterize: 100 %, \d+:\d\d, done\n$/);
    expect(exitCode).toBe(0);
    for (const title of ['ADC offset', 'drive gain', 'time constant', 'noise temperature', 'coupling error'])
      expect(stdout).toContain(`\n  ${title}`);
    const deviations = [...stdout.matchAll(/([+-])(\d+\.\d) spreads$/gm)].map((match) => Number(match[2]));
    expect(deviations).toHaveLength(8);
    expect(deviations).toEqual([...deviations].sort((a, b) => b - a));
    const names = ['adc-histogram.svg', 'cells.svg', 'characterization.json', 'couplings.svg'];
    expect(readdirSync(out).sort()).toEqual(names);
    for (const name of names.filter((name) => name.endsWith('.svg'))) {
      const svg = readFileSync(join(out, name), 'utf8');
      expect(svg).toMatch(/^<\?xml[\s\S]*<\/svg>\n$/);
      expect(svg).not.toContain('NaN');
    }
    const record = JSON.parse(readFileSync(join(out, 'characterization.json'), 'utf8'));
    expect(record).toMatchObject({
      schema: 'thermolink-characterization',
      version: 1,
      board: { model: 'prototype-8', serialNumber: 'die 3' },
      method: { seed: 0, samples: 1000 },
    });
    for (const { values, standardErrors } of Object.values<{ values: number[]; standardErrors: number[] }>(
      record.quantities,
    )) {
      expect(values).toHaveLength(8);
      for (const [i, value] of values.entries())
        if (value !== null) expect(standardErrors[i]).toBeGreaterThan(0);
    }
    expect(record.couplingErrors.values).toHaveLength(16);
  });

  it('removes a figure of an earlier measurement that this one does not make', { tags: 'long' }, async () => {
    const out = file('again');
    mkdirSync(out);
    // An earlier measurement with couplings would have left these files.
    for (const name of ['couplings.svg', 'own.svg']) writeFileSync(join(out, name), '<svg/>');
    await runCommand('characterize', ...BOARD, '--samples', '1000', '--no-couplings', '--out', out);
    expect(existsSync(join(out, 'couplings.svg'))).toBe(false);
    expect(existsSync(join(out, 'own.svg'))).toBe(true);
  });

  it('loses no record if one of its files cannot be written at the end', { tags: 'long' }, async () => {
    const run = (out: string) =>
      runCommand('characterize', ...BOARD, '--samples', '1000', '--no-couplings', '--out', out);
    const modelOf = (path: string) => JSON.parse(readFileSync(path, 'utf8')).board.model;
    mkdirSync(file('no-record', 'characterization.json', 'in the way'), { recursive: true });
    const kept = await run(file('no-record'));
    expect(kept.exitCode).toBe(1);
    const [, path] = /The result is in (\S+characterization\.json)\./.exec(kept.stderr)!;
    expect(modelOf(path)).toBe('prototype-8');
    rmSync(dirname(path), { recursive: true });
    mkdirSync(file('no-figure', 'cells.svg', 'in the way'), { recursive: true });
    const written = await run(file('no-figure'));
    expect(written.exitCode).toBe(1);
    const record = file('no-figure', 'characterization.json');
    expect(written.stderr).toContain(`The record is in ${record}.`);
    expect(modelOf(record)).toBe('prototype-8');
  });

  /** What --json prints, without the fields that differ from one measurement to the next. */
  async function jsonRecord(seed: string): Promise<string> {
    const { stdout, stderr } = await runCommand('characterize', ...BOARD, ...QUICK, '--json', '--seed', seed);
    expect(stderr).toBe('');
    const { measuredAt, ...rest } = JSON.parse(stdout).record;
    expect(Date.parse(measuredAt)).toBeGreaterThan(0);
    return JSON.stringify({ ...rest, method: undefined, board: { ...rest.board, bootEpoch: 0 } });
  }

  it('--json prints the record alone', { tags: 'long' }, () => jsonRecord('1'));

  it('the same seed gives the same estimates, another one others', { tags: 'long' }, async () => {
    const first = await jsonRecord('1');
    expect(await jsonRecord('1')).toBe(first);
    expect(await jsonRecord('2')).not.toBe(first);
  });

  it('refuses what it cannot do before it looks for the board', async () => {
    const nowhere = ['--device', 'tcp://127.0.0.1:1'];
    const wrong = [
      ['--samples', '999'],
      ['--crosspoints', '0'],
      ['--seed', '-1'],
    ];
    for (const options of wrong) {
      const { stderr, exitCode } = await runCommand('characterize', ...nowhere, ...options);
      expect(stderr).toContain('BAD_ARGUMENT');
      expect(exitCode).toBe(2);
    }
    writeFileSync(file('occupied'), '');
    const { stderr, exitCode } = await runCommand('characterize', ...nowhere, '--out', file('occupied'));
    expect(stderr).toContain('BAD_FILE');
    expect(exitCode).toBe(1);
  });

  it('says how it is used', async () => {
    const { stdout, exitCode } = await runCommand('characterize', '--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Example:');
  });
});
