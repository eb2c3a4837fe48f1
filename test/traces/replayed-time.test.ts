import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { recordedTime } from '../../src/cli/input/session-time.js';
import { DAY_MS } from '../../src/measure/calibration-record.js';
import { temporaryDirectory } from '../cli/support/temporary-files.js';
import { runCommand } from '../support/command-line.js';

const directory = temporaryDirectory();
const file = (name: string): string => path.join(directory, name);
/** The recorder counts from its start by a clock that does not jump. The time of day may be set meanwhile. */
const CLOCKS_MS = 2;
const BOARD = 'emulator:prototype-8?die=3';
const CALIBRATE = ['calibrate', '--samples', '1000', '--no-crosspoints', '--valid-days', '30'];

async function ran(...args: string[]) {
  const { stdout, stderr, exitCode } = await runCommand(...args);
  return { exitCode, text: stdout + stderr };
}

const solve = (...args: string[]) =>
  ran(
    'solve',
    '--matrix',
    file('a.csv'),
    '--rhs',
    file('b.csv'),
    '--calibration',
    file('made.json'),
    ...args,
  );

const recordIn = (name: string) => JSON.parse(readFileSync(file(name), 'utf8'));

/** Runs the clock of this host ahead. Timers keep their time. */
function later(days: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + days * DAY_MS });
}

it('the time of a replay is that of the last message of its recording', async () => {
  const fromMs = Date.now();
  await ran('ping', '-c', '1', '--device', 'emulator:ideal-8', '--record', file('ping.mcap'));
  const toMs = Date.now();
  const recordedMs = (await recordedTime(`replay:${file('ping.mcap')}`))!.getTime();
  expect(recordedMs).toBeGreaterThanOrEqual(fromMs - CLOCKS_MS);
  expect(recordedMs).toBeLessThanOrEqual(toMs + CLOCKS_MS);
  expect(await recordedTime('emulator:ideal-8')).toBeUndefined();
});

describe('months after a session was recorded', { tags: 'long' }, () => {
  beforeAll(async () => {
    writeFileSync(file('a.csv'), '4,1\n1,3\n');
    writeFileSync(file('b.csv'), '1\n2\n');
    const made = ['--out', file('made.json'), '--record', file('calibrate.mcap')];
    await ran(...CALIBRATE, '--device', BOARD, ...made);
    await solve('--device', BOARD, '--record', file('solve.mcap'));
  });

  afterEach(() => void vi.useRealTimers());

  it('a calibration from the recording has the date of the recording, and says that it is past', async () => {
    later(60);
    const replayed = await ran(
      ...CALIBRATE,
      '--device',
      `replay:${file('calibrate.mcap')}`,
      '--out',
      file('new.json'),
    );
    expect(replayed.exitCode).toBe(0);
    expect(replayed.text).toMatch(/valid until .*, which is past: only a replay accepts this record/);
    const [made, again] = [recordIn('made.json'), recordIn('new.json')];
    expect(Math.abs(Date.parse(again.measuredAt) - Date.parse(made.measuredAt))).toBeLessThan(10_000);
    expect({ ...again, measuredAt: 0, expiresAt: 0 }).toEqual({ ...made, measuredAt: 0, expiresAt: 0 });
  });

  it('a replay accepts a calibration that was valid then, and a board refuses it', async () => {
    later(60);
    expect(await solve('--device', `replay:${file('solve.mcap')}`)).toMatchObject({ exitCode: 0 });
    const refused = await solve('--device', BOARD);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.text).toMatch(/BAD_CALIBRATION.*expired/s);
  });
});
