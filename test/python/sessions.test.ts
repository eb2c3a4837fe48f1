import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { ERROR_CODES } from '../../src/errors.js';
import { RoughProxy } from '../support/rough-proxy.js';
import { missingPackage, type PythonResult, runPython, serveBoard } from './package.js';

const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Settled codes of the two cells of the script's program: a drive of 1000 LSB into half of G_fs. */
const SETTLED = [[4000, 0]];

/** Plays a scene and returns its result. */
async function play(...urisAndScene: readonly string[]): Promise<Record<string, unknown>> {
  return (await playAll(...urisAndScene)).at(-1)!;
}

/** Plays scenes, separated by commas, each in a session of its own. Returns the result of each. */
async function playAll(...urisAndScenes: readonly string[]): Promise<Record<string, unknown>[]> {
  const script = new URL('sessions.py', import.meta.url).pathname;
  const { exitCode, stdout, stderr }: PythonResult = await runPython([script, ...urisAndScenes]);
  expect(exitCode, stderr).toBe(0);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The names of the package's refusals, and the codes that they must have. */
const REFUSALS = {
  BAD_MATRIX: [
    ...['nan', 'infinity in b', 'asymmetric', 'asymmetric beside small entries', 'not square', 'empty'],
    ...['wrong length', 'a huge unit', 'a damping of nan'],
  ],
  BAD_ARGUMENT: [
    ...['no matrix', 'text', 'complex', 'a tolerance of 0', 'a tolerance of 1', 'a seed below 0'],
    ...[
      'a block too high',
      'a timeout below 0',
      'no draws',
      'too many draws',
      'a kappa of 0',
      'a time below 0',
    ],
    ...['noise outside of the register', 'no program', 'a drive of other length'],
    'couplings of another width',
  ],
  NOT_POSITIVE_DEFINITE: ['indefinite', 'singular', 'a negative damping', 'a factor without damping'],
  TOO_LARGE: ['too large', 'too many rows'],
  TOLERANCE_NOT_MET: ['a tolerance beyond float64'],
  UNSUPPORTED: ['a time too long'],
};

describe('the Python package in a session', () => {
  beforeEach((context) => {
    const missing = missingPackage();
    context.skip(missing !== undefined, missing);
  });

  it('refuses bad input before a byte is sent, and returns 0 for a zero drive without a board', async () => {
    const uri = await serveBoard('ideal-8');
    const codes = Object.entries(REFUSALS).flatMap(([code, names]) => names.map((name) => [name, code]));
    const zeros = [
      [0, 0],
      [0, 0],
    ];
    expect(await playAll(uri, 'refusals,zeros')).toEqual([
      { codes: Object.fromEntries(codes), framesSent: 0 },
      { answers: zeros, framesSent: 0 },
    ]);
    expect(Object.keys(ERROR_CODES)).toEqual(expect.arrayContaining(Object.keys(REFUSALS)));
  });

  it('ends a run by a stop of another thread, a deadline and Ctrl-C, and can run again', {
    tags: 'long',
  }, async () => {
    const uri = await serveBoard('ideal-8');
    const [stop, deadline, interrupt] = await playAll(uri, 'stop,deadline,interrupt');
    expect(stop).toMatchObject({
      ...{ code: 'RUN_ENDED', state: 'safe', refused: 'DEVICE_REFUSED', acknowledged: 'idle' },
      codes: SETTLED,
    });
    expect(deadline).toEqual({ code: 'TIMEOUT', state: 'done', codes: SETTLED });
    expect(interrupt).toEqual({ state: 'done', codes: SETTLED });
  });

  it('shares a board between threads, and not with another client', { tags: 'long' }, async () => {
    const uri = await serveBoard('ideal-8');
    expect(await play(uri, 'busy')).toEqual({ code: 'BUSY', state: 'idle' });
    const { count, largest } = await play(uri, 'threads');
    expect(count).toBe(3);
    // The relative error of each is proved to be at most 1 %.
    expect(largest).toBeLessThan(0.02);
  });

  it('feeds the watchdog during a run that is longer than its time', { tags: 'long' }, async () => {
    const uri = await serveBoard('ideal-8');
    expect(await play(uri, 'watchdog')).toEqual({ outcome: 'stopped', codes: SETTLED });
  });

  it('takes every sample of a run of many blocks', { tags: 'long' }, async () => {
    const uri = await serveBoard('ideal-8');
    const whole = { samples: 20_000, settled: true };
    expect(await play(uri, 'many_blocks')).toMatchObject({ ...whole, lost: 0, damaged: 0 });
  });

  it.runIf(process.platform === 'linux')(
    'takes every sample over a pseudo-terminal',
    { tags: 'long' },
    async () => {
      const uri = await serveBoard('ideal-8', '--pty', path.join(directory, 'board'));
      expect(uri).toMatch(/^serial:/);
      expect(await play(uri, 'many_blocks')).toMatchObject({ samples: 20_000, settled: true });
      expect(await play(uri, 'stop')).toMatchObject({ code: 'RUN_ENDED', codes: SETTLED });
    },
  );

  it('takes every sample over a line that damages and loses frames (seed 3)', { tags: 'long' }, async () => {
    const { hostname: host, port } = new URL(await serveBoard('ideal-8'));
    const never: readonly [number, number] = [1e8, 1e8];
    const rough = { corrupted: 2e-5, dropped: 0.01, delayed: 0.05, delayMsMax: 20, cutAfterMs: never };
    const proxy = new RoughProxy({ host, port: Number(port) }, 3, rough);
    onTestFinished(() => proxy.close());
    const { lost, damaged, ...found } = await play(await proxy.open(), 'many_blocks');
    expect(found).toMatchObject({ samples: 20_000, settled: true });
    expect(Number(lost) + Number(damaged)).toBeGreaterThan(0);
  });

  it('says why a board cannot be opened', { tags: 'long' }, async () => {
    const codes = {
      'tcp://127.0.0.1:1': 'CANNOT_CONNECT',
      'tcp://127.0.0.1': 'BAD_DEVICE_URI',
      'serial:/dev/no-such-line': 'PORT_NOT_FOUND',
      'serial:?usb=2e8a:000a': 'BAD_DEVICE_URI',
      'emulator:ideal-8': 'BAD_DEVICE_URI',
    };
    expect(await play(...Object.keys(codes), 'open')).toEqual(Object.values(codes));
  });
});
