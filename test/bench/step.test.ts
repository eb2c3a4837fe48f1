import { createHook } from 'node:async_hooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import { refuseProgram } from '../../emulator/analog/effective-program.js';
import { findProfile } from '../../emulator/profiles/profiles.js';
import { benchBoards } from '../../src/cli/commands/bench/boards.js';
import { benchStep, type StepProblem, StepTimer, stepProgram } from '../../src/cli/commands/bench/step.js';
import { isBuilt } from '../support/child-process.js';
import { runCommand } from '../support/command-line.js';
import { startCDevice } from './c-device.js';

const PROBLEMS: StepProblem[] = [
  { cells: 8, rows: undefined, couplingBits: 16 },
  { cells: 100, rows: undefined, couplingBits: 4 },
  { cells: 100, rows: 7, couplingBits: 8 },
];

describe('the C device as a peer', () => {
  test('times every kind of problem, and continues the previous one', { tags: 'long' }, async (context) => {
    const started = startCDevice();
    if (typeof started === 'string') return context.skip(started);
    const [peer] = started.peers;
    for (const problem of [...PROBLEMS, PROBLEMS[2]])
      expect(await peer.microsecondsPerTick(problem, 1)).toBeGreaterThan(0);
    started.stop();
    await expect(peer.microsecondsPerTick(PROBLEMS[0], 1)).rejects.toThrow('has ended');
  });
});

describe('bench step', () => {
  test.each(PROBLEMS)('measures a program that a board takes: %j', (problem) => {
    const image = stepProgram(problem);
    const profile = { ...findProfile('ideal-1024')!, cells: problem.cells };
    expect(refuseProgram(profile, image)).toBeUndefined();
    expect(image.noiseAmplitude).toBeGreaterThan(0);
  });

  test('counts the products of a tick: N², or 2mN', () => {
    const products = PROBLEMS.map((problem) => new StepTimer(problem).products);
    expect(products).toEqual([64, 10_000, 1400]);
  });

  test('tells its share of the machine’s limits', async () => {
    const result = await benchStep({ cells: 64, rows: undefined, couplingBits: 16 });
    for (const figure of Object.values(result)) expect(figure).toBeGreaterThan(0);
    expect(result.gigaMacPerSecond * result.microsecondsPerTick).toBeCloseTo(4.096, 6);
  });
});

describe.runIf(isBuilt)('bench step --boards', () => {
  test('does the same work on every board, one after the other and at the same time', {
    tags: 'long',
  }, async () => {
    const result = await benchBoards(PROBLEMS[2], 3);
    for (const figure of Object.values(result)) expect(figure).toBeGreaterThan(0);
    // Three boards can't be done in half the time of one.
    expect(result.ratio).toBeGreaterThan(0.5);
  });

  test('ends at an abort while its last board starts', { tags: 'long' }, async () => {
    const controller = new AbortController();
    // The first two threads only count, and the other two are boards.
    let threads = 0;
    const hook = createHook({
      init(_, type) {
        if (type === 'WORKER' && ++threads === 4) controller.abort();
      },
    }).enable();
    onTestFinished(() => void hook.disable());
    await expect(benchBoards(PROBLEMS[0], 2, controller.signal)).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('prints times and their ratio', { tags: 'long' }, async () => {
    const { stdout, exitCode } = await runCommand('bench', 'step', '--cells', '8', '--boards', '2');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /one board alone +[\d.]+ m?s\n +the same on 2 boards at once +[\d.]+ m?s\n +ratio +\d+\.\d\d×\n +2 threads that only count, over one +\d+\.\d\d×\n$/,
    );
  });
});
