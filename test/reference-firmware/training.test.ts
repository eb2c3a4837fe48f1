import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCheckpoint } from '../../src/learning/checkpoint.js';
import { runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';
import { make, missingTools } from './build.js';
import { DeviceProcess } from './device-process.js';

const missing = missingTools();
const digits = fewDigits();
const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** The files of a run, without times and without the name of the firmware. */
async function train(device: string, name: string) {
  const out = path.join(directory, name);
  const data = ['--data', digits, '--train-size', '512'];
  const options = ['--optimizer', 'tngd', '--device', device, '--out', out, '--json'];
  const { exitCode, stderr } = await runCommand('train', 'mnist', ...data, ...options);
  expect(exitCode, stderr).toBe(0);
  const { settings, totals, parameters, optimizer, step } = readCheckpoint(path.join(out, 'checkpoint.bin'));
  const bits = (values: Float64Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const records = readFileSync(path.join(out, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> => ({ ...(JSON.parse(line) as object), timing: undefined }));
  return {
    step,
    settings: { ...settings, environment: undefined },
    totals: { ...totals, timing: undefined },
    parameters: bits(parameters),
    numbers: optimizer.numbers,
    arrays: Object.entries(optimizer.arrays).map(([array, values]) => ({ array, bits: bits(values) })),
    records,
  };
}

describe.skipIf(missing !== undefined)(
  `training through the C device${missing ? ` (${missing})` : ''}`,
  () => {
    let program: string;

    beforeAll(() => {
      program = make('thermolink-device', 'build');
    });

    test('gives the same parameters as the emulator, bit for bit', { tags: 'long' }, async () => {
      const board = await DeviceProcess.start(program, '--profile', 'ideal-crossbar');
      const trained = await train(board.uri, 'c');
      expect(await board.end()).toEqual({ code: 0, errors: '' });
      expect(trained).toEqual(await train('emulator:ideal-crossbar', 'emulator'));
      expect(trained.records).toHaveLength(4);
      expect(trained.totals.ticks).toBeGreaterThan(100);
    });
  },
);
