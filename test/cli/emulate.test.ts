import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/connect.js';
import { ROOT } from '../repository/files.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { runCommand } from '../support/command-line.js';
import { fewDigits } from '../support/few-digits.js';
import { diagonalProgram } from '../support/test-board.js';
import { temporaryDirectory } from './support/temporary-files.js';

const directory = temporaryDirectory();
const digits = fewDigits();
const hasPty = process.platform === 'linux' || process.platform === 'darwin';

interface Served {
  readonly server: JsonProcess;
  readonly uris: readonly string[];
}

/** `thermolink emulate` in a process of its own, and the URI to connect to. */
function emulate(...args: string[]): Promise<Served> {
  return listening(new JsonProcess([BUILT_CLI, 'emulate', '--json', ...args]));
}

async function listening(server: JsonProcess): Promise<Served> {
  const { uris } = await server.next<{ uris: string[] }>('listening');
  return { server, uris };
}

let shared: Promise<Served> | undefined;

/** An ideal-8 over TCP for tests that do not change the board. The board starts with the first such test. */
function sharedBoard(): Promise<Served> {
  shared ??= listening(new JsonProcess([BUILT_CLI, 'emulate', '--json', '--profile', 'ideal-8'], endAll));
  return shared;
}

const ends: (() => void)[] = [];
const endAll = (end: () => void): void => void ends.push(end);
afterAll(() => {
  for (const end of ends) end();
});

/** A client that starts an endless run, prints a line, and stays. */
const RUNNING_CLIENT = `
const { connect } = await import(${JSON.stringify(path.join(ROOT, 'dist/src/index.js'))});
const device = await connect(process.argv[1]);
const cells = 8, zeros = () => new Int16Array(cells);
const couplings = new Int16Array(cells * cells);
for (let i = 0; i < cells; i++) couplings[i * cells + i] = 32767;
await device.loadProgram(0, { mode: 0, cells, rows: cells, couplingBits: 16, rowAttenuation: 0, couplings,
  drive: zeros(), initialState: zeros(), damping: 0, noiseAmplitude: 0, noiseShift: 8 });
await device.run({ bank: 0, runSeed: 1, burnInTicks: 2 ** 50, sampleCount: 0, ticksPerSample: 0 });
console.log(JSON.stringify({ event: 'running' }));
setInterval(() => undefined, 1000);
`;

describe.runIf(isBuilt)('thermolink emulate, as a process of its own', () => {
  it('serves over TCP at the port that it prints, until it is told to end', async () => {
    const { server, uris } = await emulate('--profile', 'ideal-8', '--die', '7', '--seed', '42');
    expect(uris).toEqual([expect.stringMatching(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/)]);
    const { exitCode, stdout } = await runCommand('info', '--json', '--device', uris[0]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).identity).toMatchObject({
      model: 'ideal-8',
      serialNumber: 'die 7',
      bootEpoch: 42,
    });
    expect(await server.next('connected')).toMatchObject({
      client: expect.stringContaining('tcp://127.0.0.1'),
    });
    expect(await server.next('left')).toMatchObject({ state: 'safe' });
    expect(await server.end('SIGTERM')).toBe(0);
    const { exitCode: late, stderr } = await runCommand('info', '--device', uris[0]);
    expect(late).toBe(1);
    expect(stderr).toContain('CANNOT_CONNECT');
  });

  it.runIf(hasPty)(
    'serves over a pseudo-terminal, and removes its link at the end',
    { tags: 'long' },
    async () => {
      const link = path.join(directory, 'board');
      const { server, uris } = await emulate('--profile', 'ideal-8', '--pty', link);
      expect(uris).toEqual([`serial:${link}`]);
      for (let client = 0; client < 2; client++) {
        const { exitCode, stdout } = await runCommand('info', '--json', '--device', `${uris[0]}?dtr=1`);
        expect(exitCode).toBe(0);
        expect(JSON.parse(stdout)).toMatchObject({
          identity: { model: 'ideal-8' },
          status: { state: 'idle' },
        });
      }
      expect(await server.end('SIGINT')).toBe(0);
      expect(lstatSync(link, { throwIfNoEntry: false })).toBeUndefined();
    },
  );

  it('tells a second client BUSY and leaves the first alone', { tags: 'long' }, async () => {
    const { uris } = await sharedBoard();
    const first = await connect(uris[0]);
    const { exitCode, stdout } = await runCommand('info', '--json', '--device', uris[0]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'BUSY', retryable: true });
    expect(await first.ping()).toBeLessThan(1000);
    await first.close();
  });

  it('stops the run of a client that was killed, long before any watchdog', { tags: 'long' }, async () => {
    const { server, uris } = await emulate('--profile', 'ideal-8');
    const client = new JsonProcess(['--input-type=module', '-e', RUNNING_CLIENT, uris[0]]);
    await client.next('running');
    const startMs = performance.now();
    await client.end('SIGKILL');
    expect(await server.next('left')).toMatchObject({ stoppedRunId: 1, state: 'safe' });
    expect(performance.now() - startMs).toBeLessThan(1500);
    const next = await connect(uris[0]);
    expect(await next.readStatus()).toMatchObject({ state: 'idle', committedBanks: 1 });
    expect((await next.readCounters()).watchdogTrips).toBe(0);
    await next.close();
  });

  it('keeps programs for the next client, also on a pseudo-terminal', { tags: 'long' }, async () => {
    const link = path.join(directory, 'keep');
    const { server, uris } = await emulate('--profile', 'ideal-8', ...(hasPty ? ['--pty', link] : []));
    const first = await connect(uris[0]);
    await first.loadProgram(1, diagonalProgram(8));
    await first.close();
    const next = await connect(uris[0]);
    expect((await next.readStatus()).committedBanks).toBe(2);
    await next.close();
    await server.end('SIGTERM');
  });

  it.runIf(process.platform === 'linux')(
    'a client over TCP gets the board after the client on the pseudo-terminal has gone',
    { tags: 'long' },
    async () => {
      const link = path.join(directory, 'both');
      const { uris } = await emulate('--profile', 'ideal-8', '--pty', link, '--tcp', '127.0.0.1:0');
      const [tcp, pty] = uris;
      for (let turn = 0; turn < 2; turn++) {
        const first = await connect(pty);
        // The first client is silent, and still has the board.
        expect((await runCommand('info', '--json', '--device', tcp)).exitCode).toBe(1);
        expect(await first.ping()).toBeLessThan(1000);
        await first.close();
        expect((await runCommand('info', '--json', '--device', tcp)).exitCode).toBe(0);
      }
    },
  );

  it('tells clients that it ends', { tags: 'long' }, async () => {
    const { server, uris } = await emulate('--profile', 'ideal-8');
    const device = await connect(uris[0], { reconnect: false });
    expect(await server.end('SIGTERM')).toBe(0);
    await expect(device.ping()).rejects.toMatchObject({ code: 'LINK_LOST' });
    await device.close();
  });

  // test/algorithms/same-bits.test.ts tests the other algorithms over every line.
  it('training gives the same bits in process, over TCP and over a pseudo-terminal', {
    tags: 'long',
  }, async () => {
    const train = async (name: string, ...device: string[]): Promise<string> => {
      const out = path.join(directory, name);
      const { exitCode, stdout } = await runCommand(
        ...['train', 'mnist', '--data', digits, '--train-size', '256', '--seed', '3'],
        ...['--json', '--out', out, ...device],
      );
      expect(exitCode, stdout).toBe(0);
      return readFileSync(path.join(out, 'metrics.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.stringify({ ...JSON.parse(line), timing: undefined }))
        .join('\n');
    };
    const expected = await train('in-process', '--device', 'emulator:ideal-crossbar?die=5');
    expect(expected.split('\n')).toHaveLength(2);
    const tcp = await emulate('--die', '5');
    expect(await train('tcp', '--device', tcp.uris[0])).toBe(expected);
    if (!hasPty) return;
    const pty = await emulate('--die', '5', '--pty', path.join(directory, 'train'));
    expect(await train('pty', '--device', pty.uris[0])).toBe(expected);
  });
});

describe('refusals of thermolink emulate', () => {
  it.each(['0.0.0.0:0', '[::]:0', '192.0.2.1:0'])(
    '%s, because other machines can reach it: the error names the command that uses tokens',
    async (address) => {
      const { exitCode, stderr } = await runCommand('emulate', '--tcp', address);
      expect(exitCode).toBe(2);
      expect(stderr).toContain('no token');
      expect(stderr).toContain('thermolink serve');
    },
  );

  it.each([
    ['--tcp', '7000'],
    ['--tcp', '127.0.0.1:99999'],
    ['--profile', 'huge'],
    ['--die', '-1'],
  ])('%s %s', async (...args) => {
    const { exitCode, stderr } = await runCommand('emulate', ...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('BAD_ARGUMENT');
  });

  it.runIf(isBuilt)('a port number that is taken', { tags: 'long' }, async () => {
    const { uris } = await sharedBoard();
    const { exitCode, stderr } = await runCommand('emulate', '--tcp', uris[0].replace('tcp://', ''));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('CANNOT_LISTEN');
    expect(stderr).toContain('taken');
  });

  it.runIf(hasPty)('a link that would replace a file', async () => {
    const file = path.join(directory, 'precious');
    writeFileSync(file, 'precious');
    const { exitCode, stderr } = await runCommand('emulate', '--pty', file);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('CANNOT_LISTEN');
    expect(readFileSync(file, 'utf8')).toBe('precious');
  });
});
