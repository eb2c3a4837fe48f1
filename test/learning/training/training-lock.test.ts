import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMlp } from '../../../src/learning/network/mlp.js';
import { createOptimizer } from '../../../src/learning/optimizers/create.js';
import { type TrainRequest, train } from '../../../src/learning/trainer.js';
import { lockDirectory, requireUnlocked } from '../../../src/learning/training-files-lock.js';
import { barsDataset } from '../../support/network-examples.js';

const isLinux = process.platform === 'linux';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'thermolink-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const lockFile = (): string => join(directory, 'run.lock');
const writeLock = (holder: unknown): void =>
  writeFileSync(lockFile(), typeof holder === 'string' ? holder : JSON.stringify(holder));

/** The number of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

describe('the lock of a directory', () => {
  it('names its process, keeps out a second run and is removed at its release', () => {
    const release = lockDirectory(directory);
    const holder = JSON.parse(readFileSync(lockFile(), 'utf8'));
    expect(holder).toMatchObject({ pid: process.pid, host: hostname() });
    expect(Object.keys(holder).sort()).toEqual(isLinux ? ['host', 'pid', 'start'] : ['host', 'pid']);
    const refusal = expect.objectContaining({
      code: 'BUSY',
      retryable: true,
      message: expect.stringContaining(`process ${process.pid} on ${hostname()}`),
    });
    expect(() => lockDirectory(directory)).toThrow(refusal);
    expect(() => requireUnlocked(directory)).toThrow(refusal);
    release();
    expect(readdirSync(directory)).toEqual([]);
    lockDirectory(directory)();
  });

  it('makes the directory if it is missing', () => {
    lockDirectory(join(directory, 'a/b'))();
    expect(existsSync(join(directory, 'a/b'))).toBe(true);
  });

  it.each<[string, () => unknown]>([
    ['a process that has ended', () => ({ pid: deadPid(), host: hostname() })],
    ['an earlier process with the number of this one', () => ({ pid: process.pid, host: hostname() })],
  ])('of %s is taken over', (_, holder) => {
    writeLock(holder());
    requireUnlocked(directory);
    const release = lockDirectory(directory);
    expect(readdirSync(directory)).toEqual(['run.lock']);
    expect(JSON.parse(readFileSync(lockFile(), 'utf8')).pid).toBe(process.pid);
    release();
  });

  it.each<[string, () => unknown]>([
    ['a process of this host', () => ({ pid: process.ppid, host: hostname() })],
    ['another host', () => ({ pid: deadPid(), host: 'elsewhere' })],
    ['nobody, because it is empty', () => ''],
    ['a process number that cannot exist', () => ({ pid: -1, host: hostname() })],
    ['nobody, because it is null', () => 'null'],
  ])('of %s is respected and left as it is', (_, holder) => {
    writeLock(holder());
    const before = readFileSync(lockFile(), 'utf8');
    expect(() => lockDirectory(directory)).toThrow(expect.objectContaining({ code: 'BUSY' }));
    expect(readFileSync(lockFile(), 'utf8')).toBe(before);
  });

  const takenOver = (): boolean => {
    requireUnlocked(directory);
    lockDirectory(directory)();
    return readdirSync(directory).length === 0;
  };
  const age = (ms: number): void => {
    const time = new Date(Date.now() - ms);
    utimesSync(lockFile(), time, time);
  };

  it.runIf(isLinux)('of an earlier process whose number now belongs to another process is taken over', () => {
    const release = lockDirectory(directory);
    const own = JSON.parse(readFileSync(lockFile(), 'utf8'));
    release();
    // The parent process is alive, but it did not begin at the time that the lock names.
    writeLock({ ...own, pid: process.ppid });
    expect(takenOver()).toBe(true);
    // An earlier version wrote no time of the beginning. This lock is older than the process with its number.
    writeLock({ pid: process.ppid, host: hostname() });
    age(30 * 86_400_000);
    expect(takenOver()).toBe(true);
  });

  it.runIf(isLinux)('of a live process is respected at any age', async () => {
    const program = `
      const { lockDirectory } = await import(${JSON.stringify(join(process.cwd(), 'dist/src/learning/training-files-lock.js'))});
      lockDirectory(${JSON.stringify(directory)});
      console.log('locked');
      setInterval(() => undefined, 1000);`;
    const holder = spawn(process.execPath, ['--input-type=module', '-e', program]);
    try {
      await once(holder.stdout, 'data');
      age(30 * 86_400_000);
      expect(() => lockDirectory(directory)).toThrow(expect.objectContaining({ code: 'BUSY' }));
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
    expect(takenOver()).toBe(true);
  });

  it.each(['', '{"pid":12,"ho', '17', 'null'])('that holds %j is taken over after a minute', (content) => {
    writeLock(content);
    expect(takenOver).toThrow(expect.objectContaining({ code: 'BUSY' }));
    age(60_000);
    expect(takenOver()).toBe(true);
  });

  it('of another run, which a user allowed by hand, is not removed', () => {
    const release = lockDirectory(directory);
    writeLock({ pid: 1, host: 'elsewhere' });
    release();
    expect(existsSync(lockFile())).toBe(true);
  });

  it('that cannot be made is a BAD_FILE', () => {
    writeFileSync(join(directory, 'file'), '');
    for (const place of ['file', 'file/below'])
      expect(() => lockDirectory(join(directory, place))).toThrow(
        expect.objectContaining({ code: 'BAD_FILE' }),
      );
  });
});

describe('two runs into one directory', () => {
  const data = barsDataset(96, 30);
  const network = createMlp({ inputCount: 64, hidden: [], classes: 3 });
  const run = (overrides: Partial<TrainRequest>): Promise<unknown> =>
    train({
      network,
      data,
      optimizer: createOptimizer('sgd', { rate: 0.5 }),
      epochs: 1,
      batch: 32,
      seed: 3,
      output: { directory, existing: 'overwrite' },
      ...overrides,
    });

  it.each(['refuse', 'overwrite', 'resume'] as const)(
    'do not mix: the second is refused (%s)',
    async (existing) => {
      let refusal: unknown;
      let second: Promise<void> | undefined;
      await run({
        onStep: () => {
          second ??= run({ output: { directory, existing } }).then(
            () => undefined,
            (error: unknown) => {
              refusal = error;
            },
          );
        },
      });
      await second;
      expect(refusal).toMatchObject({ code: 'BUSY' });
      expect(readFileSync(join(directory, 'metrics.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(3);
      expect(existsSync(lockFile())).toBe(false);
    },
  );

  it.each<[string, Partial<TrainRequest>, string]>([
    ['that is cancelled', { signal: AbortSignal.abort() }, 'ABORTED'],
    ['that fails', { optimizer: createOptimizer('sgd', { rate: 1e300 }) }, 'DIVERGED'],
    [
      'that cannot be resumed',
      {
        output: {
          get directory() {
            return directory;
          },
          existing: 'resume',
        },
      },
      'BAD_CHECKPOINT',
    ],
  ])('after a run %s the next one can start', async (_, overrides, code) => {
    await run({});
    if (code === 'BAD_CHECKPOINT') overrides = { ...overrides, seed: 9 };
    await expect(run(overrides)).rejects.toMatchObject({ code });
    expect(existsSync(lockFile())).toBe(false);
    await run({});
  });
});

it.runIf(process.platform === 'linux')(
  'a place where no directory can be made is BAD_FILE, not a loop',
  () => {
    expect(() => lockDirectory('/proc/thermolink/run')).toThrow(/can't be written to/);
  },
);
