import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EmulatedDevice, findProfile } from '../../emulator/index.js';
import { BoardServer } from '../../src/serve/board-server.js';
import { listenTcp } from '../../src/serve/listen-tcp.js';
import { BUILT_CLI, isBuilt } from '../support/child-process.js';
import { fewDigits } from '../support/few-digits.js';
import { temporaryDirectory } from './support/temporary-files.js';

/**
 * This time is longer than every deadline of a call, than the watchdog time, and than the silence that a link
 * allows.
 */
const STOPPED_MS = 11_000;

const root = temporaryDirectory();
const digits = fewDigits(256, 64);
const matrixFile = join(root, 'A.csv');
const CELLS = 48;
writeFileSync(
  matrixFile,
  Array.from({ length: CELLS }, (_, i) =>
    Array.from({ length: CELLS }, (_, j) => (i === j ? 2 : 1 / (CELLS + (i - j) ** 2))).join(','),
  ).join('\n'),
);

/** Runs a command. With `stop`, its process is stopped for 11 s once it shows progress. */
async function run(args: readonly string[], stop: boolean): Promise<string> {
  const child = spawn(process.execPath, [BUILT_CLI, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  let isStopped = false;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (!stop || isStopped || !/\d %/.test(stderr)) return;
    isStopped = true;
    child.kill('SIGSTOP');
    setTimeout(() => child.kill('SIGCONT'), STOPPED_MS);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  expect({ code, isStopped }, stderr).toEqual({ code: 0, isStopped: stop });
  return stderr;
}

/** An emulated board in this process, which goes on while its host is stopped. */
async function serve(profile: string): Promise<string> {
  const server = new BoardServer(new EmulatedDevice({ profile: findProfile(profile)!, dieSeed: 1 }));
  const listener = await listenTcp(server, { host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await listener.close();
    await server.close();
  });
  return listener.uri;
}

const WORK = {
  'an inverse': {
    profile: 'ideal-64',
    args: (out: string) => ['invert', '--matrix', matrixFile, '--tolerance', '1e-5', '--out', `${out}.npy`],
    result: (out: string): unknown => readFileSync(`${out}.npy`).toString('base64'),
  },
  'a training': {
    profile: 'ideal-crossbar',
    args: (out: string) => ['train', 'mnist', '--data', digits, '--batch', '16', '--out', out],
    result: (out: string): unknown =>
      readFileSync(join(out, 'metrics.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => {
          const { timing: _, repeats: __, ...facts } = JSON.parse(line) as Record<string, unknown>;
          return facts;
        }),
  },
} as const;

describe.runIf(isBuilt && process.platform !== 'win32')(
  'a process that is stopped for 11 s and goes on',
  { tags: 'long' },
  () => {
    it.each([
      ['an inverse', 'in this process'],
      ['an inverse', 'over TCP'],
      ['a training', 'in this process'],
      ['a training', 'over TCP'],
    ] as const)('ends %s %s with the same bits as a process that was not stopped', async (name, place) => {
      const { profile, args, result } = WORK[name];
      const [expected, found] = ['undisturbed', 'stopped'].map((run) =>
        join(root, `${name} ${place} ${run}`),
      );
      await run([...args(expected), '--device', `emulator:${profile}`], false);
      const device = place === 'over TCP' ? await serve(profile) : `emulator:${profile}`;
      await run([...args(found), '--device', device], true);
      expect(result(found)).toEqual(result(expected));
    });
  },
);
