import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect } from '../../src/connect.js';
import { TraceFollower } from '../../src/traces/look/follow-trace.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { runCommand } from '../support/command-line.js';
import { diagonalProgram } from '../support/test-board.js';
import { temporaryDirectory } from './support/temporary-files.js';

const directory = temporaryDirectory();

interface Look {
  readonly event: string;
  readonly state: string;
  readonly runs: number;
  readonly roundTripMs?: number;
  readonly cells: readonly {
    readonly cell: number;
    readonly readings: number;
    readonly spreadVolts: number;
  }[];
}

const looks = (stdout: string): Look[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Look);

describe('monitor of a board', () => {
  it('asks the board, and shows the readings of its draws', async () => {
    const board = ['--device', 'emulator:ideal-8', '--draw', '--cells', '0,2'];
    const { stdout, exitCode } = await runCommand(
      'monitor',
      ...board,
      '--count',
      '2',
      '--interval',
      '0.01',
      '--json',
    );
    expect(exitCode).toBe(0);
    const [first, second] = looks(stdout);
    expect(first).toMatchObject({ event: 'look', state: 'done', runs: 1 });
    expect(first.roundTripMs).toBeGreaterThan(0);
    expect(second.runs).toBe(2);
    expect(second.cells.map(({ cell, readings }) => [cell, readings])).toEqual([
      [0, 64],
      [2, 64],
    ]);
    for (const { spreadVolts } of second.cells) expect(spreadVolts).toBeGreaterThan(0);
  });

  it('prints one line per look if the output is no terminal, and messages on request', async () => {
    const { stdout } = await runCommand(
      'monitor',
      '--device',
      'emulator:ideal-8',
      '--count',
      '1',
      '--messages',
    );
    expect(stdout).toMatch(/→ readStatus #\d+/);
    expect(stdout).toMatch(/\n\d+\.\d s \| idle \| no run yet \| → .*round trip/);
    expect(stdout).not.toContain('\u001b');
  });

  it.each([
    [[], 'There is nothing to watch'],
    [['--trace', 'x', '--device', 'emulator:ideal-8'], 'exclude each other'],
    [['--device', 'emulator:ideal-8', '--matrix', 'x'], '--matrix needs --draw'],
    [['--device', 'emulator:ideal-8', '--interval', '0'], '--interval takes'],
  ])('refuses %s', async (options, problem) => {
    const { stderr, exitCode } = await runCommand('monitor', ...options);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(problem);
  });

  // The quick test of a signal is in board-safety.test.ts.
  it.runIf(isBuilt)('Ctrl-C ends it and leaves the board safe', { tags: 'long' }, async () => {
    const emulator = new JsonProcess([BUILT_CLI, 'emulate', '--profile', 'ideal-8', '--json']);
    const { uris } = await emulator.next<{ uris: string[] }>('listening');
    const options = ['--device', uris[0], '--draw', '--interval', '0.05', '--json'];
    const monitor = new JsonProcess([BUILT_CLI, 'monitor', ...options]);
    await monitor.next<Look>('look');
    expect(await monitor.end('SIGINT')).toBe(0);
    expect(await emulator.next<{ state: string }>('left')).toMatchObject({ state: 'safe' });
    expect(await emulator.end('SIGTERM')).not.toBeNull();
  });
});

describe('monitor of a recording', () => {
  it('watches a session of another program until it ends', async () => {
    const file = path.join(directory, 'live.mcap');
    // The command waits for a file that is not there yet.
    const watched = runCommand('monitor', '--trace', file, '--json', '--messages', '--interval', '0.02');
    const device = await connect('emulator:ideal-8', { record: file });
    await device.loadProgram(0, diagonalProgram(8));
    await device.acquire({ bank: 0, runSeed: 1, burnInTicks: 0, sampleCount: 3, ticksPerSample: 1 });
    await device.close();
    const { stdout, exitCode } = await watched;
    expect(exitCode).toBe(0);
    const events = looks(stdout);
    expect(events.at(-1)).toMatchObject({ event: 'note', text: 'The recording has ended.' });
    expect(events.findLast(({ event }) => event === 'look')).toMatchObject({
      state: 'done',
      runs: 1,
      run: { outcome: 'completed', samples: 3 },
    });
    const names = events
      .filter(({ event }) => event === 'message')
      .map((event) => (event as { name?: string }).name);
    expect(names).toEqual(expect.arrayContaining(['hello', 'start', 'sampleBlock', 'runEnded']));
  });

  it('reads each part of a growing file once', async () => {
    const file = path.join(directory, 'growing.mcap');
    const follower = new TraceFollower(file);
    const bytes = { toDevice: 0, toHost: 0 };
    const passed = { toDevice: 0, toHost: 0 };
    const take = () => {
      const { chunks, isClosed } = follower.poll();
      for (const { direction, bytes: piece } of chunks) bytes[direction] += piece.length;
      return isClosed;
    };
    expect(take()).toBe(false);
    const device = await connect('emulator:ideal-8', {
      record: file,
      onBytes: ({ direction, bytes: piece }) => void (passed[direction] += piece.length),
    });
    for (let i = 0; i < 5; i++) {
      await device.ping();
      expect(take()).toBe(false);
    }
    await device.close();
    expect(take()).toBe(true);
    expect(bytes).toEqual(passed);
    expect(passed.toHost).toBeGreaterThan(100);
  });
});
