import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { openHub } from '../../src/hub/client/index.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { openPty } from '../../src/transport/pty.js';
import { serialUri } from '../../src/transport/serial-uri.js';
import { drive, runForLong } from '../hub/shared-board.js';
import { BUILT_CLI, isBuilt } from '../support/child-process.js';
import { temporaryDirectory } from './support/temporary-files.js';

/** The bytes at both ends of a whole MCAP file. */
const MCAP_MAGIC = Buffer.from('\x89MCAP0\r\n', 'latin1');

const root = temporaryDirectory();

/**
 * A server whose output is a pipe. Its reader takes the first line; `leave` closes the pipe, as `head -1`
 * does at its end.
 */
async function start(args: readonly string[]) {
  const child: ChildProcess = spawn(process.execPath, [BUILT_CLI, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode, stderr }));
  const [bytes] = (await once(child.stdout!, 'data')) as [Buffer];
  const leave = (): unknown => child.stdout!.destroy();
  return { ended, leave, listening: JSON.parse(bytes.toString()) as { url: string; uris: string[] } };
}

/**
 * An emulated board of this process on a pseudo-terminal. A pseudo-terminal does not show that its client has
 * gone, so only the host makes the board safe before its watchdog does.
 */
async function startBoard() {
  const device = new EmulatedDevice({ profile: findProfile('ideal-8')!, dieSeed: 1 });
  const server = new BoardServer(device);
  const pty = await openPty({});
  server.addLine(pty, () => pty.hasClient());
  onTestFinished(() => server.close());
  return { device, uri: serialUri(pty.path) };
}

function expectWhole(file: string): void {
  const bytes = readFileSync(file);
  expect(bytes.subarray(0, MCAP_MAGIC.length)).toEqual(MCAP_MAGIC);
  expect(bytes.subarray(-MCAP_MAGIC.length)).toEqual(MCAP_MAGIC);
}

describe.runIf(isBuilt && process.platform !== 'win32')('a closed pipe', { tags: 'long' }, () => {
  it('ends serve quietly: a board that is driven is safe, and recordings are whole', async () => {
    const recordings = join(root, 'recordings');
    mkdirSync(recordings);
    const driven = await startBoard();
    const boards = ['--device', `driven=${driven.uri}`, '--device', 'other=emulator:ideal-8'];
    const { ended, leave, listening } = await start(['serve', ...boards, '--recordings', recordings]);
    await openHub(listening.uris[0]).record('driven', true);
    const device = await drive(listening.uris[0]);
    onTestFinished(() => device.close());
    const run = await runForLong(device);
    const lost = run.finished.catch((error: unknown) => error);
    expect(driven.device.board.state).toBe('running');
    leave();
    // The server tells on its standard output who has the other board.
    await drive(listening.uris[1]).then(
      (other) => other.close(),
      () => undefined,
    );
    expect(await ended).toEqual({ exitCode: 0, stderr: '' });
    expect(driven.device.board.state).toBe('safe');
    expect(driven.device.board.watchdogTrips).toBe(0);
    await lost;
    const files = readdirSync(recordings);
    expect(files).toHaveLength(1);
    expectWhole(join(recordings, files[0]));
  });

  it('ends emulate quietly: its recording is whole, and the link to its pseudo-terminal is gone', async () => {
    const [file, link] = [join(root, 'session.mcap'), join(root, 'board')];
    const { ended, leave, listening } = await start([
      'emulate',
      '--tcp',
      '127.0.0.1:0',
      '--pty',
      link,
      '--record',
      file,
    ]);
    leave();
    await drive(listening.uris[0]).catch(() => undefined);
    expect(await ended).toEqual({ exitCode: 0, stderr: '' });
    expectWhole(file);
    expect(readdirSync(root)).not.toContain('board');
  });
});
