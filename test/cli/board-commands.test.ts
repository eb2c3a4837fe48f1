import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMatrix } from '../../src/files/read-array.js';
import { runCommand } from '../support/command-line.js';

let directory: string;
const file = (name: string): string => join(directory, name);
const BOARD = ['--device', 'emulator:ideal-8'];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
  writeFileSync(file('A.csv'), '4,1\n1,3\n');
  writeFileSync(file('indefinite.csv'), '1,2\n2,1\n');
});

afterAll(() => rmSync(directory, { recursive: true }));

describe('thermolink ping', () => {
  it('reports ordered percentiles of as many round trips as asked', async () => {
    const { stdout, exitCode } = await runCommand('ping', ...BOARD, '-c', '25', '--json');
    expect(exitCode).toBe(0);
    const { timing } = JSON.parse(stdout);
    expect(timing.count).toBe(25);
    const order = [timing.minMs, timing.p50Ms, timing.p90Ms, timing.p99Ms, timing.maxMs];
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order[0]).toBeGreaterThan(0);
  });

  it('prints a table, and refuses a negative count', async () => {
    expect((await runCommand('ping', ...BOARD, '-c', '3')).stdout).toMatch(
      /^3 round trips to emulator:ideal-8\n[\s\S]*p99/,
    );
    expect((await runCommand('ping', ...BOARD, '-c', '-3')).exitCode).toBe(2);
  });
});

describe('thermolink bench link', () => {
  // The messages of this command have quick tests of their own.
  it('measures both directions, the overhead, and round trips', { tags: 'long' }, async () => {
    const { stdout, exitCode } = await runCommand(
      'bench',
      'link',
      '--json',
      '--bytes',
      '400000',
      ...['--device', 'emulator:ideal-256'],
    );
    expect(exitCode).toBe(0);
    const { timing } = JSON.parse(stdout);
    for (const rates of [timing, timing.mostlyZero]) {
      expect(rates.uploadBytesPerSecond).toBeGreaterThan(0);
      expect(rates.downloadBytesPerSecond).toBeGreaterThan(0);
      // Frames of 64 KiB: one COBS byte in 254 at most, 12 bytes of frame and about 20 of command.
      expect(rates.wireOverhead).toBeGreaterThan(1);
      expect(rates.wireOverhead).toBeLessThanOrEqual(1.03);
    }
    expect(timing.roundTripP99Ms).toBeGreaterThanOrEqual(timing.roundTripP50Ms);
  });
});

describe('thermolink invert', () => {
  it('meets its tolerance in every column and writes the matrix that it prints', async () => {
    const out = file('inverse.npy');
    const { stdout, exitCode } = await runCommand(
      'invert',
      '--matrix',
      file('A.csv'),
      '--tolerance',
      '1e-3',
      '--out',
      out,
      '--json',
    );
    expect(exitCode).toBe(0);
    const { inverse, relativeResidual } = JSON.parse(stdout);
    const exact = [
      [3 / 11, -1 / 11],
      [-1 / 11, 4 / 11],
    ];
    for (const column of [0, 1]) {
      const error = Math.hypot(inverse[0][column] - exact[0][column], inverse[1][column] - exact[1][column]);
      expect(error).toBeLessThan(1e-3 * Math.hypot(exact[0][column], exact[1][column]));
    }
    expect(inverse[0][1]).toBe(inverse[1][0]);
    expect(relativeResidual).toBeLessThan(0.01);
    expect([...(await readMatrix(out)).data]).toEqual(inverse.flat());
  });

  it('refuses an indefinite matrix', async () => {
    const { stderr, exitCode } = await runCommand('invert', '--matrix', file('indefinite.csv'));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('NOT_POSITIVE_DEFINITE');
  });
});

describe('thermolink sample', () => {
  it('draws from N(0, P⁻¹)', async () => {
    const out = file('x.npy');
    const count = 4000;
    const { stdout, exitCode } = await runCommand(
      'sample',
      '--matrix',
      file('A.csv'),
      '--count',
      String(count),
      '--out',
      out,
      '--seed',
      '11',
      '--json',
    );
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ count, cells: 2 });
    const { data } = await readMatrix(out);
    const moment = (i: number, j: number): number => {
      let sum = 0;
      for (let s = 0; s < count; s++) sum += data[2 * s + i] * data[2 * s + j];
      return sum / count;
    };
    // Var(x_i x_j) = Σ_ii Σ_jj + Σ_ij² ≤ 2 · (4/11)². Neighbouring draws have a correlation of at most e⁻³,
    // which multiplies the variance by 1.1. The limit is six standard errors, which gives a false alarm on
    // three entries once in 10⁸ runs. The seed is fixed.
    const bound = 6 * Math.sqrt((1.1 * 2 * (4 / 11) ** 2) / count);
    expect(Math.abs(moment(0, 0) - 3 / 11)).toBeLessThan(bound);
    expect(Math.abs(moment(1, 1) - 4 / 11)).toBeLessThan(bound);
    expect(Math.abs(moment(0, 1) + 1 / 11)).toBeLessThan(bound);
  });

  it('the same seed gives the same file, another seed gives another file', async () => {
    const bytes = async (seed: string): Promise<string> => {
      const out = file(`x${seed}.npy`);
      await runCommand('sample', '--matrix', file('A.csv'), '--count', '300', '--out', out, '--seed', seed);
      return readFileSync(out).toString('base64');
    };
    expect(await bytes('1')).toBe(await bytes('1'));
    expect(await bytes('1')).not.toBe(await bytes('2'));
  });

  it('needs a positive count', async () => {
    const { exitCode } = await runCommand(
      'sample',
      '--matrix',
      file('A.csv'),
      '--count',
      '0',
      '--out',
      file('y.npy'),
    );
    expect(exitCode).toBe(2);
  });
});

describe('logging', () => {
  it('writes lines of JSON to --log-file, each with its device', async () => {
    const log = file('log.jsonl');
    await runCommand('ping', ...BOARD, '-c', '2', '--log-level', 'debug', '--log-file', log);
    const lines = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.every(({ device }) => device === 'emulator:ideal-8')).toBe(true);
    expect(lines.map(({ msg }) => msg)).toContain('session opened');
    expect(lines.filter(({ command }) => command === 'ping')).toHaveLength(2);
  });

  it('a log file that can’t be written is the first error', async () => {
    const { stderr, exitCode } = await runCommand('ping', ...BOARD, '--log-file', file('no/such/dir.log'));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('BAD_FILE');
  });
});
