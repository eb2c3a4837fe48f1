import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SolveProgress } from '../../src/algorithms/contract.js';
import { solveText, WorkDisplay } from '../../src/cli/output/work-display.js';
import { captureOutput, runCommand } from '../support/command-line.js';
import { fileWriter } from './support/temporary-files.js';

const write = fileWriter();

const BEGINNING: SolveProgress = {
  fraction: 0,
  pass: 1,
  samples: 0,
  samplesMin: 51,
  relativeErrorBound: Infinity,
  relativeStandardError: Infinity,
};

describe('the progress of a solve', () => {
  it.each<[string, Partial<SolveProgress>, string]>([
    ['at the beginning', {}, 'pass 1'],
    [
      'after a pass',
      { pass: 2, samples: 1, relativeErrorBound: 0.0312 },
      'error at most 0.0312 (wanted 0.01), pass 2, reading 1 of 51 or more',
    ],
    [
      'while it averages',
      { pass: 3, samples: 34, relativeErrorBound: 0.02, relativeStandardError: 0.00634 },
      'standard error 0.00634 (wanted 0.005), pass 3, reading 34 of 51 or more',
    ],
    [
      'at the end',
      { fraction: 1, pass: 1, samples: 49, relativeErrorBound: 0.0021, relativeStandardError: 0.001 },
      'error at most 0.00210 (wanted 0.01), 1 pass, 49 readings',
    ],
  ])('%s', (_, change, text) => {
    expect(solveText({ ...BEGINNING, ...change }, 1e-2)).toBe(text);
  });
});

describe('the bar', () => {
  afterEach(() => vi.useRealTimers());

  it('of a whole command ends at 100 %, without an infinite error or fractional steps', async () => {
    const A = write('A.csv', '4,1\n1,3\n');
    const b = write('b.csv', '1\n2\n');
    const { stderr } = await runCommand('solve', '--matrix', A, '--rhs', b);
    expect(stderr).toMatch(
      /^solve: 100 %, 0:0\d, error at most 0\.0\d+ \(wanted 0\.01\), 1 pass, 49 readings\n$/,
    );
    const inverse = await runCommand('invert', '--matrix', A);
    expect(inverse.stderr).toMatch(/^invert: 100 % \(2 of 2\), 0:0\d, column 2: error at most /);
  });

  it('shows that time passes while a run takes long, and nothing after its end', async () => {
    vi.useFakeTimers();
    const { stderr } = await captureOutput(async () => {
      const display = new WorkDisplay('solve', 1, false);
      display.update(0.25, 'pass 1 of 2 or more');
      vi.advanceTimersByTime(65_000);
      display.finish();
      vi.advanceTimersByTime(65_000);
    });
    const lines = stderr.trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line).toMatch(/^solve: 25 %, [01]:\d\d, \S+ left, pass 1 of 2 or more$/);
    expect(lines.at(-1)).toContain('1:05');
  });

  it('does not appear without an update, or with --quiet', async () => {
    const { stderr } = await captureOutput(async () => {
      new WorkDisplay('solve', 1, false).finish();
      const silent = new WorkDisplay('solve', 1, true);
      silent.update(0.5, 'pass 1 of 2 or more');
      silent.finish();
    });
    expect(stderr).toBe('');
  });
});
