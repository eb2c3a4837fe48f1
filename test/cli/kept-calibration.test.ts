import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { listenTcp } from '../../src/serve/listen-tcp.js';
import { runCommand } from '../support/command-line.js';
import { temporaryDirectory } from './support/temporary-files.js';

const directory = temporaryDirectory();

/** A board that stays between commands. */
async function served(cells = 4): Promise<{ uri: string; board: EmulatedDevice }> {
  const board = new EmulatedDevice({ profile: { ...findProfile('prototype-8')!, cells }, dieSeed: 3 });
  const server = new BoardServer(board);
  const listener = await listenTcp(server, { host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    const closing = listener.close();
    await server.close();
    await closing;
  });
  return { uri: listener.uri, board };
}

it('a board keeps the record of its calibration, and gives it to the next host', () => expectKept(4));
it('a board of 8 cells keeps the record of its calibration too', { tags: 'long' }, () => expectKept(8));

async function expectKept(cells: number): Promise<void> {
  const { uri } = await served(cells);
  const [measured, fetched] = ['measured.json', 'fetched.json'].map((name) => path.join(directory, name));
  const calibrate = (...args: string[]) => runCommand('calibrate', '--device', uri, ...args);
  const none = await calibrate('--fetch', '--out', fetched);
  expect(none).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/has no calibration record at present.*--keep/),
  });
  const kept = await calibrate('--keep', '--samples', '1000', '--no-crosspoints', '--out', measured);
  expect(kept).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`${measured} and the board`) });
  const got = await calibrate('--fetch', '--out', fetched, '--json');
  expect(JSON.parse(got.stdout)).toMatchObject({ file: fetched, board: { model: 'prototype-8', cells } });
  expect(readFileSync(fetched, 'utf8')).toBe(readFileSync(measured, 'utf8'));
}

it('identify makes the board show itself, and prints its name', async () => {
  const { uri, board } = await served();
  const { exitCode, stdout } = await runCommand('identify', '--device', uri, '--seconds', '30');
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: `prototype-8, die 3 at ${uri} shows itself for 30.0 s.\n`,
  });
  expect(board.board.identifyUntilMs).toBeGreaterThan(0);
  expect((await runCommand('identify', '--device', uri, '--seconds', '61')).exitCode).toBe(2);
});
