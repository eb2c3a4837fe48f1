import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TRAIN_JOB } from '../../src/cli/commands/farm/train-job.js';
import {
  TRAIN_TASKS,
  textsOf,
  trainingOptions,
  valuesOfTexts,
} from '../../src/cli/commands/farm/train-tasks.js';
import { VERSION } from '../../src/cli/version.js';
import { connect } from '../../src/connect.js';
import type { Device } from '../../src/driver/device.js';
import {
  connectFarm,
  type Farm,
  FarmClient,
  type JobKind,
  noJobs,
  workOnBoard,
} from '../../src/farm/index.js';
import { runCommand } from '../support/command-line.js';
import { hasNats, type NatsServer, serverOfFile } from './nats-server.js';
import { trainedFiles } from './trained-files.js';

const BOARD = 'emulator:ideal-crossbar';
const TINY = ['ising', '--sites', '4', '--chains', '16', '--ticks', '32', '--steps', '3'];
const serverFor = serverOfFile();
const root = mkdtempSync(join(tmpdir(), 'thermolink-submit-train-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.runIf(hasNats)('thermolink farm submit train', () => {
  const counters = noJobs();
  const end = new AbortController();
  let server: NatsServer;
  let farm: Farm;
  let device: Device;
  let work: Promise<void>;

  beforeAll(async () => {
    server = await serverFor();
    farm = await connectFarm({ url: server.url });
    device = await connect(BOARD);
    work = workOnBoard(
      {
        ...{ farm, device, uri: BOARD, worker: 'worker', release: VERSION, calibratedAt: null },
        ...{ key: 'board', kinds: [TRAIN_JOB as JobKind], counters, tell: () => undefined },
      },
      end.signal,
    );
    const client = new FarmClient(farm, VERSION);
    while ((await client.boards()).length === 0) await new Promise(setImmediate);
  });
  afterAll(async () => {
    end.abort();
    await work;
    await device?.close();
    await farm?.close();
  });

  const submit = (...words: string[]) =>
    runCommand('farm', 'submit', 'train', ...words, '--nats', server.url);

  it('leaves the files of a local training, except for times, and does equal trainings only once', {
    tags: 'long',
  }, async () => {
    const [far, near] = [join(root, 'far'), join(root, 'near')];
    expect(await submit(...TINY, '--out', far)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`Stored in ${far}`),
    });
    expect((await runCommand('train', ...TINY, '--device', BOARD, '--out', near)).exitCode).toBe(0);
    const expected = trainedFiles(near);
    expect(Object.keys(expected)).toHaveLength(6);
    expect(trainedFiles(far)).toEqual(expected);
    const { done } = counters;
    const again = await submit(...TINY, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ iterations: 3 });
    expect(counters.done).toBe(done);
  });

  it('trains on a table of the client', { tags: ['long'] }, async () => {
    const [table, far, near] = [join(root, 'table.csv'), join(root, 'far-table'), join(root, 'near-table')];
    const rows = Array.from({ length: 40 }, (_, i) => `${i % 7},${i % 5},${i % 3 === 0 ? 'yes' : 'no'}`);
    writeFileSync(table, ['a,b,is', ...rows, ''].join('\n'));
    const words = ['mnist', '--data', table, '--label', 'is', '--hidden', '4', '--batch', '8'];
    expect(await submit(...words, '--out', far)).toMatchObject({ exitCode: 0 });
    expect(await runCommand('train', ...words, '--device', BOARD, '--out', near)).toMatchObject({
      exitCode: 0,
    });
    expect(trainedFiles(far)).toEqual(trainedFiles(near));
  });

  it('refuses options that have no effect or are impossible, before anything is queued', async () => {
    const { done } = counters;
    const taken = join(root, 'taken');
    for (const [words, why] of [
      [['--device', BOARD], '--device does nothing in a farm'],
      [['--no-retry'], '--no-retry does nothing in a farm'],
      [['--resume', '--out', taken], '--resume does nothing in a farm'],
      [['--tensorboard', '--out', taken], '--tensorboard does nothing in a farm'],
      [['--optimizer', 'adam'], '--ticks does nothing with --optimizer adam'],
      [['--sites', '0'], '--sites takes a whole number'],
      [['--detach', '--withdraw'], 'exclude each other'],
    ] as const)
      expect(await submit(...TINY, ...words), words.join(' ')).toMatchObject({
        exitCode: 2,
        stderr: expect.stringContaining(why),
      });
    expect(await submit(...TINY, '--chains', '2048')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('No board of the farm fits'),
    });
    expect(existsSync(taken)).toBe(false);
    const { queue } = await new FarmClient(farm, VERSION).status();
    expect({ queue, done: counters.done }).toEqual({ queue: [], done });
  });
});

it('reads the texts of options back as their values', () => {
  const specs = trainingOptions(TRAIN_TASKS.mnist);
  const values = {
    ...{ hidden: [64, 32], rate: 1e-7, damping: 0.1 + 0.2, seed: 2 ** 32 - 1, chopped: true },
    ...{ optimizer: 'tngd', initial: 'zero', label: 'a, b=–' },
  };
  const read = valuesOfTexts(specs, textsOf(specs, values))!;
  expect(read).toMatchObject(values);
  // Options that are left out have their defaults.
  expect(read).toMatchObject({ epochs: 1, batch: 128, momentum: undefined });
  expect(valuesOfTexts(specs, { device: 'serial:/dev/ttyACM0' })).toBeUndefined();
  expect(valuesOfTexts(specs, { chopped: 'no' })).toBeUndefined();
  expect(() => valuesOfTexts(specs, { rate: '-1' })).toThrow('--rate');
});
