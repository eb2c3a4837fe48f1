import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { printAndDraw } from '../../src/cli/commands/train/print-and-draw.js';
import type { TrainingPlan } from '../../src/cli/commands/train/run-training.js';
import { storedText, summaryText } from '../../src/cli/commands/train/summary-text.js';
import { writeTrainingFigure } from '../../src/cli/commands/train/training-figure.js';
import { ThermolinkError } from '../../src/errors.js';
import { type StepRecord, type TrainingSummary, ZERO_TIMING } from '../../src/learning/record.js';
import { captureOutput, runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';
import { parseXml } from './support/parse-xml.js';
import { temporaryDirectory } from './support/temporary-files.js';
import { thrown } from './support/thrown.js';

const root = temporaryDirectory();
const digits = fewDigits();
let counter = 0;
let out = '';
const file = (name: string): string => join(out, name);

const RECORDS = [3, 2, 1].map(
  (loss, step): StepRecord => ({
    step,
    epoch: 0,
    loss,
    accuracy: 0.5,
    uploadBytes: 0,
    boardSeconds: 0,
    ticks: 0,
    overloadRetries: 0,
    repeats: 0,
    clampedCodes: 0,
    timing: ZERO_TIMING,
  }),
);
const SUMMARY: TrainingSummary = {
  testAccuracy: 0.9,
  testLoss: 0.3,
  trainLoss: 0.2,
  trainLossExamples: 128,
  iterations: 3,
  parameterCount: 10,
  boardSeconds: 0,
  ticks: 0,
  uploadBytes: 0,
  uploadBytesPerStep: 0,
  overloadRetries: 0,
  repeats: 0,
  settings: { optimizer: { name: 'sgd' } },
  timing: { hostSeconds: 1, breakdown: { ...ZERO_TIMING, gradientMs: 5, otherMs: 1 } },
};
const PLAN: TrainingPlan = {
  optimizer: 'control',
  settings: {},
  epochs: 1,
  batch: 128,
  seed: 0,
  existing: 'refuse',
  quiet: false,
};

beforeEach(() => {
  out = join(root, `run ${counter++}`);
  mkdirSync(out);
  writeFileSync(file('metrics.jsonl'), RECORDS.map((record) => `${JSON.stringify(record)}\n`).join(''));
});

describe('the curves of a run', () => {
  it('have the name that the user gave the optimizer', () => {
    writeTrainingFigure(out, 'control', SUMMARY);
    const svg = readFileSync(file('curves.svg'), 'utf8');
    expect(parseXml(svg).text).toContain('Training with control');
    expect(svg).not.toContain('sgd');
  });

  it('leave out parts that took no time', () => {
    writeTrainingFigure(out, 'adam', SUMMARY);
    const svg = readFileSync(file('curves.svg'), 'utf8');
    expect(parseXml(svg).text).toContain('gradient');
    expect(parseXml(svg).text).not.toContain('curvature');
  });

  it('that cannot be written are a BAD_FILE and leave no partial file', async () => {
    mkdirSync(file('curves.svg'));
    const { code, message } = await thrown(() => writeTrainingFigure(out, 'sgd', SUMMARY));
    expect([code, message]).toEqual(['BAD_FILE', `${file('curves.svg')} can't be written.`]);
    expect(readdirSync(out).sort()).toEqual(['curves.svg', 'metrics.jsonl']);
  });

  it.runIf(existsSync('/dev/full'))('that do not fit on the disk leave the previous ones', async () => {
    writeFileSync(file('curves.svg'), 'before');
    symlinkSync('/dev/full', file('curves.svg.partial'));
    expect((await thrown(() => writeTrainingFigure(out, 'sgd', SUMMARY))).code).toBe('BAD_FILE');
    expect(readFileSync(file('curves.svg'), 'utf8')).toBe('before');
    expect(readdirSync(out).sort()).toEqual(['curves.svg', 'metrics.jsonl']);
  });

  it.each<[string, () => void]>([
    ['are not there', () => rmSync(file('metrics.jsonl'))],
    ['are empty', () => writeFileSync(file('metrics.jsonl'), '')],
    ['are cut off', () => writeFileSync(file('metrics.jsonl'), '{"step":')],
  ])('of metrics that %s are a BAD_FILE', async (_, damage) => {
    damage();
    expect((await thrown(() => writeTrainingFigure(out, 'sgd', SUMMARY))).code).toBe('BAD_FILE');
  });
});

describe('the result of a run whose curves cannot be drawn', () => {
  const error = new ThermolinkError('BAD_FILE', 'x', { hint: 'h', data: { file: 'x' } });
  const ending = { result: { a: 1 }, text: 'text\n', textAfter: 'after\n' };
  const failing = (json: boolean) =>
    captureOutput(() =>
      thrown(() =>
        printAndDraw({
          ...ending,
          json,
          draw: () => {
            throw error;
          },
        }),
      ),
    );

  it('is still printed', async () => {
    expect(await failing(false)).toMatchObject({ stdout: 'text\n', result: error });
  });

  it('is in the error with --json, so that standard output is one document', async () => {
    const { stdout, result } = await failing(true);
    expect(stdout).toBe('');
    expect(result).toMatchObject({ code: 'BAD_FILE', hint: 'h', data: { file: 'x', result: { a: 1 } } });
  });

  it('is followed by the place of the files if they can be written', async () => {
    const good = (json: boolean) =>
      captureOutput(async () => printAndDraw({ ...ending, json, draw: () => {} }));
    expect((await good(false)).stdout).toBe('text\nafter\n');
    expect((await good(true)).stdout).toBe('{"a":1}\n');
  });

  it('is on the screen, with one paragraph that says how to draw it again', async () => {
    const data = ['--data', digits, '--train-size', '128'];
    const args = ['train', 'mnist', '--optimizer', 'sgd', ...data, '--out', file('run')];
    expect((await runCommand(...args)).exitCode).toBe(0);
    rmSync(file('run/curves.svg'));
    mkdirSync(file('run/curves.svg'));
    const { stdout, stderr, exitCode } = await runCommand(...args, '--resume');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('test accuracy');
    expect(stderr).toMatch(/^thermolink: BAD_FILE: .*curves\.svg.* the same command again\.$/m);
    expect(stderr).not.toMatch(/\bat .*:\d+:\d+/);
    expect((await runCommand(...args, '--overwrite')).stderr).toMatch(/^thermolink: BAD_FILE/m);
  });
});

describe('the summary', () => {
  it('calls the preset control by this name', () => {
    expect(summaryText(PLAN, SUMMARY)).toMatch(/optimizer +control/);
    expect(summaryText({ ...PLAN, optimizer: 'adam' }, SUMMARY)).toMatch(/optimizer +adam/);
  });

  it('leaves out the parts of a step that an optimizer does not have', () => {
    expect(summaryText(PLAN, SUMMARY)).not.toContain('curvature');
  });

  it('names the stored files', () => {
    expect(storedText(PLAN)).toContain('Nothing was stored');
    expect(storedText({ ...PLAN, out: 'd' })).toBe(
      'Stored in d: metrics.jsonl, summary.json, checkpoint.bin, weights.safetensors, weights.npz, curves.svg.\n',
    );
  });
});
