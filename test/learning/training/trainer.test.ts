import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readCheckpoint } from '../../../src/learning/checkpoint.js';
import { createMlp } from '../../../src/learning/network/mlp.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import type { StepRecord, TrainingSummary } from '../../../src/learning/record.js';
import { type TrainRequest, train } from '../../../src/learning/trainer.js';
import type { ExistingTraining } from '../../../src/learning/training-files.js';
import { exactSolver } from '../../support/exact-solver.js';
import { barsDataset } from '../../support/network-examples.js';

const data = barsDataset(330, 90);
const network = createMlp({ inputCount: 64, hidden: [6], classes: 3 });

const OPTIMIZERS = {
  sgd: () => createOptimizer('sgd', { rate: 0.5 }),
  adam: () => createOptimizer('adam'),
  ngd: () => createOptimizer('ngd'),
  tngd: () => createOptimizer('tngd', { delay: 0.5 }, exactSolver()),
  'tngd-adam': () => createOptimizer('tngd-adam', {}, exactSolver()),
};

let root = '';
let counter = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'thermolink-training-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
const freshPath = (): string => join(root, `run ${counter++}`);

/** An epoch has ten steps: 330 examples in batches of 32, of which ten examples are left out. */
function request(overrides: Partial<TrainRequest> = {}): TrainRequest {
  return { network, data, optimizer: OPTIMIZERS.sgd(), epochs: 1, batch: 32, seed: 3, ...overrides };
}

function withoutTiming(directory: string): unknown[] {
  const lines = readFileSync(join(directory, 'metrics.jsonl'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const { timing, ...rest } = JSON.parse(line) as StepRecord;
    expect(Object.values(timing).every((ms) => ms >= 0)).toBe(true);
    return rest;
  });
}

/** Trains until `steps` steps are done, then aborts. */
async function trainAndStop(
  directory: string,
  steps: number,
  overrides: Partial<TrainRequest>,
  existing: ExistingTraining = 'refuse',
): Promise<void> {
  const controller = new AbortController();
  const run = train(
    request({
      ...overrides,
      output: { directory, existing, checkpointEvery: 4 },
      signal: controller.signal,
      onStep: ({ step }) => {
        if (step + 1 === steps) controller.abort();
      },
    }),
  );
  await expect(run).rejects.toMatchObject({ code: 'ABORTED' });
}

describe('a run', () => {
  it('learns, and reports what it did', async () => {
    const records: StepRecord[] = [];
    const { summary, parameters } = await train(
      request({
        optimizer: OPTIMIZERS.tngd(),
        epochs: 4,
        onStep: (record, totalSteps) => {
          expect(totalSteps).toBe(40);
          records.push(record);
        },
      }),
    );
    expect(records.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(records.map(({ epoch }) => epoch)).toEqual(
      Array.from({ length: 40 }, (_, i) => Math.floor(i / 10)),
    );
    const evaluation = network.evaluate(parameters, data.test);
    expect(summary).toMatchObject({
      testAccuracy: evaluation.accuracy,
      testLoss: evaluation.loss,
      trainLoss: network.evaluate(parameters, data.train).loss,
      trainLossExamples: 330,
      iterations: 40,
      parameterCount: network.parameterCount,
      uploadBytes: records.reduce((sum, { uploadBytes }) => sum + uploadBytes, 0),
    });
    expect(summary.uploadBytesPerStep).toBe(summary.uploadBytes / 40);
    // Each of the 40 steps has two relaxations of one tick. The last step has only one, because the delay
    // follows no further step.
    expect(summary.ticks).toBe(79);
    expect(summary.testAccuracy).toBeGreaterThan(0.9);
    expect(summary.trainLoss).toBeLessThan(records[0].loss / 2);
    expect(summary.timing.hostSeconds).toBeGreaterThan(0);
  });

  it('is a function of its seed and settings', async () => {
    const first = await train(request());
    expect((await train(request())).parameters).toEqual(first.parameters);
    expect((await train(request({ seed: 4 }))).parameters).not.toEqual(first.parameters);
  });

  it('ends in DIVERGED when the loss overflows, with the steps before it kept', async () => {
    const directory = freshPath();
    const optimizer = createOptimizer('sgd', { rate: 1e300, momentum: 0 });
    await expect(train(request({ optimizer, output: { directory } }))).rejects.toMatchObject({
      code: 'DIVERGED',
    });
    expect(readCheckpoint(join(directory, 'checkpoint.bin')).step).toBe(withoutTiming(directory).length);
    expect(existsSync(join(directory, 'summary.json'))).toBe(false);
  });

  it.each<[string, Partial<TrainRequest>]>([
    ['no epochs', { epochs: 0 }],
    ['half an epoch', { epochs: 0.5 }],
    ['an empty batch', { batch: 0 }],
    ['a batch larger than the data', { batch: 331 }],
    ['more training examples than there are', { trainSize: 331 }],
    ['a negative number of training examples', { trainSize: -1 }],
    ['more curvature examples than a batch has', { curvatureExamples: 33 }],
    ['a negative seed', { seed: -1 }],
    ['a seed above 32 bits', { seed: 2 ** 32 }],
    ['a seed that is no number', { seed: Number.NaN }],
    ['a network for other images', { network: createMlp({ inputCount: 65, hidden: [], classes: 3 }) }],
    ['a network for other classes', { network: createMlp({ inputCount: 64, hidden: [], classes: 4 }) }],
  ])('refuses %s before it touches the directory', async (_, overrides) => {
    const directory = freshPath();
    await expect(train(request({ ...overrides, output: { directory } }))).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
    });
    expect(existsSync(directory)).toBe(false);
  });

  it('is cancelled before its first step by a signal that was already aborted', async () => {
    await expect(train(request({ signal: AbortSignal.abort() }))).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe.each(Object.entries(OPTIMIZERS))('a run with %s that is interrupted', (_, optimizer) => {
  it('and resumed, twice, equals an uninterrupted one, bit for bit', async () => {
    const [whole, interrupted] = [freshPath(), freshPath()];
    const expected = await train(request({ optimizer: optimizer(), output: { directory: whole } }));
    await trainAndStop(interrupted, 3, { optimizer: optimizer() });
    expect(withoutTiming(interrupted)).toHaveLength(3);
    await trainAndStop(interrupted, 7, { optimizer: optimizer() }, 'resume');
    const resumed = await train(
      request({ optimizer: optimizer(), output: { directory: interrupted, existing: 'resume' } }),
    );
    expect(resumed.parameters).toEqual(expected.parameters);
    expect(withoutTiming(interrupted)).toEqual(withoutTiming(whole));
    const { timing: _timing, ...summary } = resumed.summary;
    expect(expected.summary).toMatchObject(summary);
    const written: TrainingSummary = JSON.parse(readFileSync(join(interrupted, 'summary.json'), 'utf8'));
    expect(written).toEqual(resumed.summary);
  });
});

describe('a run that is killed', () => {
  it('at any step, between checkpoints, resumes to the same result', async () => {
    const whole = freshPath();
    const copies = new Map([0, 5, 7, 9].map((step) => [step, freshPath()]));
    const expected = await train(
      request({
        output: { directory: whole, checkpointEvery: 4 },
        onStep: ({ step }) => {
          const copy = copies.get(step);
          if (copy === undefined) return;
          // These files remain after a kill during this step. The last line of the metrics may be incomplete.
          cpSync(whole, copy, { recursive: true });
          writeFileSync(join(copy, 'metrics.jsonl'), '{"step":', { flag: 'a' });
        },
      }),
    );
    for (const copy of copies.values()) {
      const resumed = await train(
        request({ output: { directory: copy, existing: 'resume', checkpointEvery: 3 } }),
      );
      expect(resumed.parameters).toEqual(expected.parameters);
      expect(withoutTiming(copy)).toEqual(withoutTiming(whole));
    }
  });

  it('after its end is not changed by resuming it', async () => {
    const directory = freshPath();
    const { parameters } = await train(request({ output: { directory } }));
    const metrics = readFileSync(join(directory, 'metrics.jsonl'));
    const again = await train(request({ output: { directory, existing: 'resume' } }));
    expect(again.parameters).toEqual(parameters);
    expect(readFileSync(join(directory, 'metrics.jsonl'))).toEqual(metrics);
  });
});

describe('a directory that holds a training', () => {
  let directory = '';
  const resume = (overrides: Partial<TrainRequest> = {}): Promise<unknown> =>
    train(request({ output: { directory, existing: 'resume' }, ...overrides }));

  let template = '';
  beforeAll(async () => {
    template = freshPath();
    await trainAndStop(template, 6, {});
  });
  beforeEach(() => {
    directory = freshPath();
    cpSync(template, directory, { recursive: true });
  });

  it('is changed only if the caller asks for it', async () => {
    const before = readFileSync(join(directory, 'checkpoint.bin'));
    await expect(train(request({ output: { directory } }))).rejects.toMatchObject({
      code: 'BAD_ARGUMENT',
      hint: expect.stringMatching(/`existing: 'resume'`.*`existing: 'overwrite'`/),
    });
    expect(readFileSync(join(directory, 'checkpoint.bin'))).toEqual(before);
    writeFileSync(join(directory, 'curves.svg'), 'of the old run');
    await train(request({ trainSize: 64, output: { directory, existing: 'overwrite' } }));
    expect(withoutTiming(directory)).toHaveLength(2);
    expect(existsSync(join(directory, 'curves.svg'))).toBe(false);
  });

  it.each<[string, Partial<TrainRequest>, RegExp]>([
    ['seed', { seed: 4 }, /seed \(3 there, 4 here\)/],
    ['number of epochs', { epochs: 3 }, /epochs/],
    ['optimizer', { optimizer: createOptimizer('sgd', { rate: 0.4 }) }, /optimizer/],
    ['data', { data: { ...data, digest: 'other' } }, /data/],
    ['board', { environment: { device: 'emulator:ideal-64' } }, /environment/],
  ])('is not resumed with another %s', async (_, overrides, message) => {
    const attempt = resume(overrides);
    await expect(attempt).rejects.toMatchObject({ code: 'BAD_CHECKPOINT' });
    await expect(attempt).rejects.toThrow(message);
  });

  it.each<[string, (file: string) => void]>([
    ['is missing', (file) => rmSync(file)],
    ['is empty', (file) => truncateSync(file, 0)],
    ['is cut short', (file) => truncateSync(file, 1000)],
    ['is cut within its header', (file) => truncateSync(file, 30)],
    ['is text', (file) => writeFileSync(file, 'hello')],
    [
      'has one bit changed',
      (file) => {
        const bytes = readFileSync(file);
        bytes[bytes.length - 200] ^= 4;
        writeFileSync(file, bytes);
      },
    ],
  ])('whose checkpoint %s ends in BAD_CHECKPOINT', async (_, damage) => {
    damage(join(directory, 'checkpoint.bin'));
    await expect(resume()).rejects.toMatchObject({ code: 'BAD_CHECKPOINT' });
  });

  it.each<[string, (file: string) => void]>([
    ['are missing', (file) => rmSync(file)],
    ['lack steps', (file) => truncateSync(file, 400)],
    ['are of another run', (file) => writeFileSync(file, '{"step":5}\n'.repeat(6))],
  ])('whose metrics %s ends in BAD_CHECKPOINT', async (_, damage) => {
    damage(join(directory, 'metrics.jsonl'));
    await expect(resume()).rejects.toMatchObject({ code: 'BAD_CHECKPOINT' });
  });

  it.each<[string, (text: string) => string, RegExp, number[]]>([
    ['end in an incomplete line', (text) => text.slice(0, -20), /1 cut line \(step 5\)/, [5]],
    [
      'end within the number of a step',
      (text) => text.slice(0, text.lastIndexOf('{"step"') + 8),
      /step 5/,
      [5],
    ],
    [
      'have an incomplete line that lacks its newline, so that the next line follows in it',
      (text) => text.replace(/(\{"step":3,.*?"accuracy").*\n/, '$1'),
      /step 3/,
      [3],
    ],
    ['lack the newline of the last line', (text) => text.trimEnd(), /lacked the newline/, []],
    [
      'have an incomplete line of one more step',
      (text) => `${text}{"step":6,"ep`,
      /removed, and its step/,
      [],
    ],
  ])('whose metrics %s is mended and resumed, and the caller is told', async (_, damage, sentence, cut) => {
    const file = join(directory, 'metrics.jsonl');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, damage(before));
    const said: string[] = [];
    await resume({ onMended: (text) => said.push(text) });
    expect(said).toEqual([expect.stringMatching(sentence)]);
    const [old, now] = [before, readFileSync(file, 'utf8')].map((text) => text.trimEnd().split('\n'));
    expect(now).toHaveLength(10);
    for (const [step, line] of now.entries()) {
      const record = JSON.parse(line);
      expect(record.step).toBe(step);
      if (cut.includes(step)) {
        // The mended line has only values of the old line. No value is invented.
        expect(JSON.parse(old[step])).toMatchObject(record);
        expect(line).not.toBe(old[step]);
      } else if (step < 6) expect(line).toBe(old[step]);
    }
  });

  it('whose summary cannot be written ends in BAD_FILE, and resuming writes the summary', async () => {
    mkdirSync(join(directory, 'summary.json'));
    await expect(resume()).rejects.toMatchObject({
      code: 'BAD_FILE',
      hint: expect.stringContaining("existing: 'resume'"),
    });
    rmSync(join(directory, 'summary.json'), { recursive: true });
    await resume();
    expect(JSON.parse(readFileSync(join(directory, 'summary.json'), 'utf8')).iterations).toBe(10);
  });

  it('that is a file ends in BAD_FILE', async () => {
    const file = freshPath();
    writeFileSync(file, '');
    await expect(train(request({ output: { directory: file } }))).rejects.toMatchObject({ code: 'BAD_FILE' });
  });
});
