import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  HISTORY_LINES_MAX,
  historyFile,
  readHistory,
  writeHistory,
} from '../../src/cli/commands/shell/history.js';
import { completeLine } from '../../src/cli/commands/shell/shell-commands.js';
import { openPty, type PtyPort } from '../../src/transport/pty.js';
import { BUILT_CLI, isBuilt } from '../support/child-process.js';
import { temporaryDirectory } from './support/temporary-files.js';

const directory = temporaryDirectory();
const DEADLINE_MS = 20_000;
const hasPty = process.platform === 'linux' || process.platform === 'darwin';

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('close', resolve));
}

/** A shell whose lines come from a pipe. */
async function piped(lines: string, ...args: string[]) {
  const child = spawn(process.execPath, [BUILT_CLI, 'shell', ...args], { stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(lines);
  return { exitCode: await exitOf(child), stdout, stderr };
}

/** A shell at a terminal: its input and its output. */
class Terminal {
  readonly #pty: PtyPort;
  readonly exited: Promise<number | null>;
  shown = '';
  #wake: () => void = () => undefined;

  private constructor(pty: PtyPort, child: ChildProcess) {
    this.#pty = pty;
    this.exited = exitOf(child);
    pty.onData((bytes) => {
      this.shown += Buffer.from(bytes).toString();
      this.#wake();
    });
  }

  static async open(home: string): Promise<Terminal> {
    const pty = await openPty();
    const line = openSync(pty.path, 'r+');
    const child = spawn(process.execPath, [BUILT_CLI, 'shell', '--device', 'emulator:ideal-8'], {
      stdio: [line, line, line],
      env: { ...process.env, XDG_STATE_HOME: home, TERM: 'xterm' },
    });
    closeSync(line);
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await pty.close();
    });
    return new Terminal(pty, child);
  }

  type(text: string): void {
    void this.#pty.write(Buffer.from(text));
  }

  /** Waits until the text appears after the text of the previous wait. */
  async shows(text: string): Promise<void> {
    const untilMs = performance.now() + DEADLINE_MS;
    while (!this.shown.includes(text)) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) throw new Error(`${text} did not come: ${JSON.stringify(this.shown)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.shown = this.shown.slice(this.shown.indexOf(text) + text.length);
  }
}

describe.runIf(isBuilt)('thermolink shell, lines from a pipe', () => {
  it('executes them one after another; it reports a failed line and continues', async () => {
    const { exitCode, stdout, stderr } = await piped(
      'ping 2\nnonsense\n\nstop\nstatus\nacknowledge\nsolve 4,1;1,3 1;2',
    );
    expect(stderr).toContain('BAD_ARGUMENT: There is no command nonsense');
    expect(stdout).toMatch(/^2 round trips: [\s\S]*is in safe[\s\S]*state +safe[\s\S]*x\[0\] +0\.09/);
    expect(exitCode).toBe(1);
  });

  it('with --json each command has one line; a reset connects again', { tags: 'long' }, async () => {
    const { exitCode, stdout } = await piped('reset\nstatus\nping x\nacknowledge\n', '--json');
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { bootEpochBefore: expect.any(Number) },
      { state: 'idle' },
      { error: { code: 'BAD_ARGUMENT' } },
      { before: 'idle', after: 'idle' },
    ]);
    expect(exitCode).toBe(1);
  });
});

describe.runIf(isBuilt && hasPty)('thermolink shell at a terminal', () => {
  it('Tab completes, Ctrl-C ends the command, Ctrl-D the shell, and the history stays', async () => {
    const home = join(directory, 'state');
    const first = await Terminal.open(home);
    await first.shows('thermolink> ');
    // Readline treats a Tab within longer input as pasted text.
    first.type('pin');
    await first.shows('pin');
    first.type('\t');
    await first.shows('g');
    first.type('\r');
    await first.shows('1 round trip');
    first.type('run settle=1e9\r');
    await first.shows('settle=1e9');
    first.type('\u0003');
    await first.shows('ABORTED');
    first.type('status\r');
    await first.shows('committedBanks');
    first.type('\u0004');
    expect(await first.exited).toBe(0);
    expect(readFileSync(join(home, 'thermolink', 'shell-history'), 'utf8')).toBe(
      'ping\nrun settle=1e9\nstatus\n',
    );
  });

  it('the arrow keys bring back the lines of the previous shell', { tags: 'long' }, async () => {
    const home = join(directory, 'earlier');
    mkdirSync(join(home, 'thermolink'), { recursive: true });
    writeFileSync(join(home, 'thermolink', 'shell-history'), 'counters\nping 3\n');
    const shell = await Terminal.open(home);
    await shell.shows('thermolink> ');
    shell.type('\u001b[A\r');
    await shell.shows('3 round trips');
    shell.type('\u0003');
    await shell.shows('Ctrl-D ends the shell');
    shell.type('exit\r');
    expect(await shell.exited).toBe(0);
  });
});

describe('the history of the shell', () => {
  it('is bounded, forgets blank lines, and a folder that cannot be made is no error', () => {
    const file = join(directory, 'bounded', 'shell-history');
    const lines = Array.from({ length: HISTORY_LINES_MAX + 5 }, (_, i) => `ping ${i}`);
    writeHistory(['', ...lines], file);
    expect(readHistory(file)).toEqual(lines.slice(0, HISTORY_LINES_MAX));
    expect(() => writeHistory(lines, '/dev/null/no/history')).not.toThrow();
    expect(readHistory('/dev/null/no/history')).toEqual([]);
  });

  it('is in the state folder of the user', () => {
    expect(historyFile({ XDG_STATE_HOME: '/home/a/state' })).toBe('/home/a/state/thermolink/shell-history');
  });
});

it('Tab offers commands, and the settings of run', () => {
  expect(completeLine('st')[0]).toEqual(['status', 'stop']);
  expect(completeLine('run se')).toEqual([['settle=', 'seed='], 'se']);
  expect(completeLine('ping x')[0]).toEqual([]);
});
