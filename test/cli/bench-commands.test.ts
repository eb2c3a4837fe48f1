import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Board } from '../../emulator/firmware/board.js';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { FAULT } from '../../firmware-protocol/messages/system.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { listenTcp } from '../../src/serve/listen-tcp.js';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';

const directory = temporaryDirectory();
const file = (name: string, text: string): string => {
  const place = join(directory, name);
  writeFileSync(place, text);
  return place;
};

/** A board that stays while several commands use it. */
async function servedBoard(fault: 0 | 1 = FAULT.none): Promise<string> {
  const device = new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 });
  if (fault !== FAULT.none) {
    // No command can cause this fault, so the test sets it directly.
    const board = device.board as Board;
    board.fault = fault;
    board.input('faulted');
  }
  const server = new BoardServer(device);
  const listener = await listenTcp(server, { host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    const closing = listener.close();
    await server.close();
    await closing;
  });
  return listener.uri;
}

const json = async (...args: string[]) => {
  const { stdout, exitCode } = await runCommand(...args, '--json');
  return { exitCode, ...JSON.parse(stdout) };
};

describe('commands for a board on the bench', () => {
  it('stop leaves the board in safe, acknowledge in idle', async () => {
    const device = await servedBoard();
    expect(await json('stop', '--device', device)).toMatchObject({
      exitCode: 0,
      status: { state: 'safe', stopNumber: 1 },
    });
    // The next command opens a new session, which leaves `safe` by itself.
    expect(await json('acknowledge', '--device', device)).toMatchObject({ before: 'idle', after: 'idle' });
    expect((await runCommand('stop', '--device', device)).stdout).toBe(
      `${device} is in safe: its outputs are off.\n`,
    );
  });

  it('reset restarts the board and waits until it is back', async () => {
    const device = await servedBoard();
    const report = await json('reset', '--device', device);
    expect(report).toMatchObject({ exitCode: 0, state: 'idle', fault: 'none' });
    expect(report.bootEpoch).toBe(report.bootEpochBefore + 1);
  });

  it('reset of a missing board tells that it is missing', async () => {
    const { exitCode, stderr } = await runCommand('reset', '--device', 'tcp://127.0.0.1:1', '--no-retry');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('CANNOT_CONNECT')]);
  });

  it('a latched fault fails the self-test, and acknowledge clears it', async () => {
    const device = await servedBoard(FAULT.selfTest);
    const failed = await json('selftest', '--device', device);
    expect(failed).toMatchObject({
      exitCode: 1,
      error: { code: 'DEVICE_FAULT', data: { fault: 'selfTest' } },
    });
    expect(await json('acknowledge', '--device', device)).toMatchObject({
      before: 'fault',
      fault: 'selfTest',
      after: 'idle',
    });
    expect(await json('selftest', '--device', device)).toMatchObject({ exitCode: 0, passed: true });
  });
});

describe('thermolink run', () => {
  it('reads the voltages of the cells: e/λ without couplings, the solution of A v = e with couplings', async () => {
    const alone = await json('run', '--samples', '2', '--damping', '0.5');
    expect(alone).toMatchObject({ exitCode: 0, outcome: 'completed', readings: 2 });
    for (const voltage of alone.mean) expect(voltage).toBeCloseTo(0.5, 2);
    const couplings = file('A.csv', '0.5,0.25\n0.25,0.5\n');
    const out = join(directory, 'v.csv');
    const drive = file('e.csv', '0.3\n0.15\n');
    const solved = await json(
      'run',
      '--couplings',
      couplings,
      '--drive',
      drive,
      '--settle',
      '64',
      '--out',
      out,
    );
    expect(solved.mean[0]).toBeCloseTo(0.6, 2);
    expect(solved.mean[1]).toBeCloseTo(0, 2);
    expect(readFileSync(out, 'utf8').trim().split('\n').map(Number)).toEqual(solved.mean);
  });

  it('the spread of noisy readings is √(κ/λ)', async () => {
    const { standardDeviation } = await json(
      ...['run', '--noise', '1e-4', '--samples', '1000', '--every', '4', '--seed', '5'],
    );
    // The spread of n readings has the relative standard error 1/√(2n) = 2.2 %. The correlation of e⁻⁴
    // between readings is too small to matter. The limit is six standard errors, which gives a false alarm on
    // eight cells once in 10⁷ runs. The seed is fixed.
    for (const spread of standardDeviation) expect(Math.abs(spread / 0.01 - 1)).toBeLessThan(0.14);
  });

  it.each([
    [['--couplings', '1,2\n2,1\n'], 'BAD_ARGUMENT'],
    [['--drive', '0.1\n0.2\n'], 'BAD_ARGUMENT'],
    [['--drive', '9\n'.repeat(8)], 'BAD_ARGUMENT'],
    [['--couplings', '0.1,nan\n0.1,0.1\n'], 'BAD_MATRIX'],
    [['--couplings', Array.from({ length: 9 }, () => '0,0,0,0,0,0,0,0,0').join('\n')], 'TOO_LARGE'],
  ])('%j is refused', async ([flag, text], code) => {
    const result = await json('run', flag, file('wrong.csv', text));
    expect(result.error.code).toBe(code);
  });

  it('noise beyond the register, and couplings on a board without a dense array, are refused', async () => {
    expect((await json('run', '--noise', '5')).error.code).toBe('BAD_ARGUMENT');
    const couplings = file('small.csv', '0.5,0\n0,0.5\n');
    const crossbar = await json('run', '--device', 'emulator:ideal-crossbar', '--couplings', couplings);
    expect(crossbar.error.code).toBe('UNSUPPORTED');
  });
});

it('--log-level trace has every frame with its header and its message', async () => {
  const log = join(directory, 'log.jsonl');
  await runCommand(
    'ping',
    '--device',
    'emulator:ideal-8',
    '-c',
    '3',
    '--log-level',
    'trace',
    '--log-file',
    log,
  );
  const frames = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ frame }) => frame !== undefined);
  const told = frames.map(({ msg, kind, message, fields }) => [msg, kind, message, fields]);
  expect(told.slice(0, 2)).toMatchObject([
    ['frame sent', 'command', 'hello', { purpose: 'open' }],
    ['frame received', 'answer', 'hello', { model: 'ideal-8' }],
  ]);
  const pings = frames.filter(({ message }) => message === 'ping');
  expect(pings.map(({ msg, requestId }) => [msg, requestId])).toEqual(
    [1, 2, 3].flatMap((id) => [
      ['frame sent', id],
      ['frame received', id],
    ]),
  );
  expect(pings[0].frame).toMatchObject({ channel: 'command', seq: 0, ack: 65535, payloadBytes: 4 });
});
