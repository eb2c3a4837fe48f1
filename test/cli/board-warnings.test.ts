import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { boardWarnings } from '../../src/cli/output/board-warnings.js';
import { runCommand } from '../support/command-line.js';

let directory: string;
const file = (name: string): string => join(directory, name);
const SIZE = 64;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-'));
  writeFileSync(file('A.csv'), '4,1\n1,3\n');
  writeFileSync(file('b.csv'), '1\n2\n');
  // 1 + 11ᵀ has a mode 65 times as stiff as the others.
  const rows = Array.from({ length: SIZE }, (_, i) =>
    Array.from({ length: SIZE }, (_, j) => (i === j ? 2 : 1)).join(),
  );
  writeFileSync(file('stiff.csv'), rows.join('\n'));
  writeFileSync(file('ones.csv'), Array.from({ length: SIZE }, (_, i) => i + 1).join('\n'));
});
afterAll(() => rmSync(directory, { recursive: true }));

it('names only relevant warnings', () => {
  expect(boardWarnings({ carryNoiseShare: 0.01, clampedCodes: 0 })).toBe('');
  expect(boardWarnings({ carryNoiseShare: 0.02, clampedCodes: 7 })).toMatch(
    /^warning: .*2\.0 %.*\nwarning: .*clamped 7 codes.*\n$/,
  );
  expect(boardWarnings({ clampedCodes: 1 })).toContain('clamped 1 code to');
  expect(boardWarnings({ clampedCodes: 0 })).toBe('');
});

it.each([
  ['solve', () => ['--matrix', file('A.csv'), '--rhs', file('b.csv')]],
  ['invert', () => ['--matrix', file('A.csv')]],
  ['sample', () => ['--matrix', file('A.csv'), '--count', '10', '--out', file('x.npy')]],
] as const)(
  '%s tells the carry noise floor in JSON, and in its table if it matters',
  async (command, options) => {
    const { stdout, stderr } = await runCommand(command, ...options());
    expect(stdout).not.toContain('carry noise');
    expect(stderr).not.toContain('warning');
    const { carryNoiseShare, clampedCodes } = JSON.parse(
      (await runCommand(command, ...options(), '--json')).stdout,
    );
    expect(carryNoiseShare).toBeGreaterThan(0);
    expect(carryNoiseShare).toBeLessThan(0.01);
    expect(clampedCodes).toBe(0);
  },
);

it('a share above 1 % is a warning, but not with --json', async () => {
  const solve = ['solve', '--matrix', file('stiff.csv'), '--rhs', file('ones.csv'), '--tolerance', '0.02'];
  const text = await runCommand(...solve);
  expect(text.stderr).toMatch(/^warning: carried rounding adds \d/m);
  expect(text.stdout).toMatch(/carry noise floor +\d+\.\d % of κ\/λ_max/);
  const { stderr, stdout } = await runCommand(...solve, '--json');
  expect(stderr).toBe('');
  expect(JSON.parse(stdout).carryNoiseShare).toBeGreaterThan(0.01);
});
