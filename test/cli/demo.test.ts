import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { digitsVerdict, medianStepSeconds } from '../../src/cli/commands/demo/comparison-text.js';
import { claimDemoDirectory } from '../../src/cli/commands/demo/demo-directory.js';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';
import { thrown } from './support/thrown.js';

const METHODS = ['tngd', 'ngd', 'control', 'adam'];
const RUNS = [
  ...[...METHODS, 'no-board'].map((name) => `chain-${name}`),
  ...METHODS.map((name) => `digits-${name}`),
];
const root = temporaryDirectory();
let counter = 0;
let out = '';

beforeEach(() => {
  out = join(root, `demo ${counter++}`);
});

function fill(...names: string[]): void {
  mkdirSync(out);
  for (const name of names) {
    if (RUNS.includes(name)) mkdirSync(join(out, name));
    else writeFileSync(join(out, name), '');
  }
}

const demo = (...options: string[]) => runCommand('demo', '--train-size', '128', '--out', out, ...options);

describe('the directory of a demo', () => {
  it.each<[string, () => void]>([
    ['does not exist', () => {}],
    ['is empty', () => fill()],
    ['holds a demo', () => fill('demo.json', 'comparison.svg', ...RUNS)],
    ['holds a demo that was cut short', () => fill('demo.json', 'chain-tngd')],
    ['holds a demo of a version that left no mark', () => fill('comparison.svg', ...RUNS)],
  ])('that %s is used, by one demo at a time', async (_, prepare) => {
    prepare();
    const release = claimDemoDirectory(out, RUNS);
    expect((await thrown(() => claimDemoDirectory(out, RUNS))).code).toBe('BUSY');
    release();
    claimDemoDirectory(out, RUNS)();
    expect(readdirSync(out)).not.toContain('run.lock');
  });

  it.each<[string, () => void]>([
    ['holds runs of its user', () => fill('chain-tngd', 'digits-adam')],
    ['is the directory of a run', () => fill('metrics.jsonl', 'summary.json')],
    ['holds other files', () => fill('notes.txt')],
    ['holds other files beside a figure', () => fill('comparison.svg', 'notes.txt', ...RUNS)],
  ])('that %s is refused and left as it is', async (_, prepare) => {
    prepare();
    const before = readdirSync(out);
    const { stdout, stderr, exitCode } = await demo();
    expect(stderr).toMatch(
      /^thermolink: BAD_ARGUMENT: .* holds files that the demo did not write\. [^\n]*\n$/,
    );
    expect([stdout, exitCode]).toEqual(['', 2]);
    expect(readdirSync(out)).toEqual(before);
  });

  it.each<[string, () => void]>([
    ['is a file', () => writeFileSync(out, '')],
    [
      'lies below a file',
      () => {
        writeFileSync(out, '');
        out = join(out, 'below');
      },
    ],
    [
      'has a directory in the place of the figure',
      () => {
        fill('demo.json');
        mkdirSync(join(out, 'comparison.svg'));
      },
    ],
  ])('that %s gives an error of one paragraph, before anything is trained', async (_, prepare) => {
    prepare();
    const { stdout, stderr, exitCode } = await demo();
    expect(stderr).toMatch(/^thermolink: BAD_FILE: [^\n]*\n$/);
    expect([stdout, exitCode]).toEqual(['', 1]);
  });
});

describe('the conclusion on the digits', () => {
  it.each([
    [{ tngd: 0.9675, control: 0.966, adam: 0.9722 }, 'as good as', '0.5 points ahead of', 'not to win'],
    [{ tngd: 0.96, control: 0.95, adam: 0.9601 }, '1.0 points behind', 'as good as', 'not to win'],
    [{ tngd: 0.96, control: 0.97, adam: 0.95 }, '1.0 points ahead of', '1.0 points behind', 'not to win'],
    [{ tngd: 0.96, control: 0.95, adam: 0.94 }, '1.0 points behind', '2.0 points behind', 'ahead of both'],
  ])('names both sides of each comparison: %j', (accuracy, control, adam, conclusion) => {
    const text = digitsVerdict(accuracy);
    expect(text).toContain(`The control, which has no curvature, is ${control} the board.`);
    expect(text).toContain(`Tuned Adam is ${adam} the board.`);
    expect(text).toContain(conclusion);
  });
});

describe('the time of a step', () => {
  it('is a median of whole steps, so a slow start does not change it', () => {
    const record = (gradientMs: number) => ({
      timing: { gradientMs, curvatureMs: 1, mapMs: 0, uploadMs: 2, boardMs: 1, readoutMs: 0, otherMs: 1 },
    });
    expect(medianStepSeconds([5, 6, 7, 8, 9].map(record))).toBe(0.012);
    expect(medianStepSeconds([5, 6, 7, 8, 900].map(record))).toBe(0.012);
    expect(medianStepSeconds([])).toBeNaN();
  });
});

describe('thermolink demo', () => {
  it('trains, compares, draws, and can be repeated in its own directory', { tags: 'long' }, async () => {
    const first = await demo();
    expect(first.exitCode).toBe(0);
    for (const method of METHODS) expect(first.stdout).toMatch(new RegExp(`^ +${method} .*e-\\d.*%`, 'm'));
    expect(first.stdout).toMatch(/the board ends \d+(\.\d)? times nearer/);
    expect(first.stdout).toMatch(/Curves: .*comparison\.svg\n$/);
    expect(first.stderr).toMatch(/tngd: quantum chain[\s\S]*tngd: loading the data[\s\S]*step 1 of 1/);
    expect(readdirSync(out).sort()).toEqual(['comparison.svg', 'demo.json', ...RUNS].sort());
    expect(readFileSync(join(out, 'digits-control/curves.svg'), 'utf8')).toContain('Training with control');
    const again = await demo('--json');
    expect(again.stderr).toBe('');
    const { chain, digits } = JSON.parse(again.stdout);
    expect([Object.keys(chain), Object.keys(digits)]).toEqual([[...METHODS, 'no-board'], METHODS]);
    // On seed 1 the error of Adam is eight times that of the board. On the seeds 0 to 2 it is 7 to 15 times
    // as large.
    expect(chain.adam.energyError / chain.tngd.energyError).toBeGreaterThan(5);
    for (const part of [chain, digits])
      for (const { medianStepSeconds } of Object.values<typeof chain.tngd>(part))
        expect(medianStepSeconds).toBeGreaterThan(0);
    expect(chain['no-board'].energyError / chain.tngd.energyError).toBeGreaterThan(20);
    expect(existsSync(join(out, 'chain-tngd/run.lock'))).toBe(false);
  });
});
