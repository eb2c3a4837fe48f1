import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endOnBrokenPipe } from '../../src/cli/output/broken-pipe.js';
import { type SignalHost, withInterrupt } from '../../src/cli/output/interrupt.js';
import { reportError } from '../../src/cli/output/report-error.js';
import { ERROR_CODES, type ErrorCode, ThermolinkError } from '../../src/errors.js';
import { BUILT_CLI, isBuilt } from '../support/child-process.js';
import { captureOutput } from '../support/command-line.js';

function report(error: unknown, json = false) {
  let [out, err] = ['', ''];
  const stdout = { write: (text: string) => (out += text) };
  const stderr = { write: (text: string) => (err += text) };
  return { exitCode: reportError(error, { json, stdout, stderr }), out, err };
}

const LOST = new ThermolinkError('LINK_LOST', 'the port closed', {
  cause: new Error('EIO: read failed', { cause: new Error('unplugged') }),
  hint: 'Check the cable',
  retryable: true,
  data: { retransmissions: 3n, ratio: Number.NaN, codes: Int16Array.of(1, 2) },
});

describe('a failed operation', () => {
  it('is one paragraph: the event, its cause, and a remedy', () => {
    expect(report(LOST)).toEqual({
      exitCode: 1,
      out: '',
      err: 'thermolink: LINK_LOST: the port closed. EIO: read failed. unplugged. Check the cable.\n',
    });
  });

  it('repeats nothing and shows no stack, no line break and no control character', () => {
    const error = new ThermolinkError('BAD_FILE', 'a\n\x1b[2Jb: ENOENT.', { cause: new Error('ENOENT') });
    expect(report(error).err).toBe('thermolink: BAD_FILE: a \\u001b[2Jb: ENOENT.\n');
  });

  it('is an object on stdout with --json', () => {
    const { exitCode, out, err } = report(LOST, true);
    expect([exitCode, err]).toEqual([1, '']);
    expect(JSON.parse(out)).toEqual({
      error: {
        code: 'LINK_LOST',
        message: 'the port closed',
        hint: 'Check the cable',
        retryable: true,
        data: { retransmissions: '3', ratio: 'NaN', codes: [1, 2] },
      },
    });
  });

  it('is reported even if its data or causes contain themselves', () => {
    const data: Record<string, unknown> = {};
    data['self'] = data;
    const cause = new Error('loop');
    cause.cause = cause;
    const error = new ThermolinkError('TIMEOUT', 'late', { data, cause });
    expect(JSON.parse(report(error, true).out).error).toMatchObject({
      code: 'TIMEOUT',
      hint: null,
      data: {},
    });
    expect(report(error).err).toBe('thermolink: TIMEOUT: late. loop.\n');
  });

  it('has exit code 2 for wrong usage and 1 otherwise', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[])
      expect(report(new ThermolinkError(code, 'x')).exitCode).toBe(code === 'BAD_ARGUMENT' ? 2 : 1);
  });
});

describe('what commander throws', () => {
  it.each([
    [new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'), 0, ''],
    [new CommanderError(0, 'commander.version', '1.0.0'), 0, ''],
    [new CommanderError(1, 'commander.help', '(outputHelp)'), 2, 'No command was given.'],
    [
      new CommanderError(1, 'commander.unknownOption', "error: unknown option '--x'"),
      2,
      "unknown option '--x'.",
    ],
  ])('%s', (error, exitCode, message) => {
    const result = report(error);
    expect(result.exitCode).toBe(exitCode);
    expect(result.err).toBe(message && `thermolink: BAD_ARGUMENT: ${message} See thermolink --help.\n`);
  });
});

describe('a bug', () => {
  it('shows its stack and is called a bug', () => {
    const { exitCode, err, out } = report(new TypeError('x is undefined'));
    expect([exitCode, out]).toEqual([1, '']);
    expect(err).toContain('bug');
    expect(err).toContain('TypeError: x is undefined');
    expect(err).toContain('report-error.test.ts');
  });

  it('of any kind is reported, also as JSON', () => {
    for (const value of [undefined, null, 'text', 5, Symbol('s'), Object.create(null)]) {
      expect(report(value).exitCode).toBe(1);
      const { out, err } = report(value, true);
      expect(JSON.parse(out).error.code).toBe('BUG');
      expect(err).toContain('bug');
    }
  });
});

describe('output that cannot be written', () => {
  // Work that was interrupted must end within 10 s. A timer left here would report in a later test.
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout'] }));
  afterEach(() => vi.useRealTimers());

  function listen() {
    const ends: number[] = [];
    const outputs = { stdout: new EventEmitter(), stderr: new EventEmitter() };
    endOnBrokenPipe(outputs, (exitCode) => ends.push(exitCode));
    const fail = (stream: keyof typeof outputs, code: string) =>
      captureOutput(async () =>
        outputs[stream].emit('error', Object.assign(new Error(`${code}: it`), { code })),
      );
    return { ends, fail };
  }

  it.each(['stdout', 'stderr'] as const)(
    'because the reader of %s has gone ends the process without a message',
    async (stream) => {
      const { ends, fail } = listen();
      expect(await fail(stream, 'EPIPE')).toMatchObject({ stdout: '', stderr: '' });
      expect(ends).toEqual([0]);
    },
  );

  it('because the disk is full is an error, since the results are lost', async () => {
    const { ends, fail } = listen();
    const { stdout, stderr } = await fail('stdout', 'ENOSPC');
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^thermolink: BAD_FILE: .* standard output\. ENOSPC: it\. .*\n$/);
    expect(ends).toEqual([1]);
  });

  it('aborts the work as an interrupt does; the process then ends without a message, or in BAD_FILE on a full disk', async () => {
    const closing = (signal: AbortSignal) =>
      new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('closed')));
    const stopping = (signal: AbortSignal) =>
      new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const waiting = (signal: AbortSignal) =>
      new Promise<string>((_, reject) =>
        // This is the error with which a wait for `drain` ends.
        signal.addEventListener('abort', () => reject(new Error(signal.reason.cause.message))),
      );
    const unsafe = (signal: AbortSignal) =>
      new Promise<string>((_, reject) =>
        signal.addEventListener('abort', () => reject(new ThermolinkError('LINK_LOST', 'it closed'))),
      );
    const ended = async (work: typeof closing, stream: 'stdout' | 'stderr', code: string) => {
      const { ends, fail } = listen();
      const result = withInterrupt(work).then(String, (error: unknown) => {
        const { exitCode, err } = report(error);
        return [exitCode, err];
      });
      // A second failure changes nothing.
      await Promise.all([fail(stream, code), fail(stream, code)]);
      expect(ends).toEqual([]);
      return result;
    };
    for (const stream of ['stdout', 'stderr'] as const) {
      expect(await ended(closing, stream, 'EPIPE')).toBe('closed');
      for (const work of [stopping, waiting]) expect(await ended(work, stream, 'EPIPE')).toEqual([0, '']);
      expect(await ended(unsafe, stream, 'EPIPE')).toEqual([
        1,
        expect.stringContaining('while stopping, LINK_LOST'),
      ]);
    }
    for (const work of [closing, stopping, waiting])
      expect(await ended(work, 'stdout', 'ENOSPC')).toEqual([
        1,
        expect.stringMatching(/BAD_FILE.*ENOSPC: it/s),
      ]);
  });

  it('ends the process after 10 s if the work does not end', async () => {
    const { ends, fail } = listen();
    let end = (): void => undefined;
    const result = withInterrupt(() => new Promise<void>((resolve) => (end = resolve)));
    await fail('stdout', 'ENOSPC');
    vi.advanceTimersByTime(9_999);
    expect(ends).toEqual([]);
    const { stderr } = await captureOutput(async () => vi.advanceTimersByTime(1));
    expect(stderr).toContain('BAD_FILE');
    expect(ends).toEqual([1]);
    end();
    await result.catch(() => undefined);
  });

  it('does not change the exit code of a command that Ctrl-C ends', async () => {
    const { ends, fail } = listen();
    const host = new EventEmitter() as EventEmitter & SignalHost;
    const result = withInterrupt(
      (signal) =>
        new Promise((_, reject) =>
          signal.addEventListener('abort', () => setImmediate(reject, signal.reason)),
        ),
      { host },
    ).catch((error: unknown) => report(error).exitCode);
    host.emit('SIGINT', 'SIGINT');
    await fail('stdout', 'EPIPE');
    expect(await result).toBe(130);
    expect(ends).toEqual([]);
  });

  it('does not end the work if only its messages are lost, as when a terminal was closed', async () => {
    const { ends, fail } = listen();
    for (const code of ['EIO', 'ENOSPC']) await fail('stderr', code);
    expect(ends).toEqual([]);
  });

  it.runIf(isBuilt && existsSync('/dev/full'))('is reported by the command line itself', () => {
    const full = openSync('/dev/full', 'w');
    try {
      const { status, stderr } = spawnSync(process.execPath, [BUILT_CLI, 'train', '--help'], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      });
      expect(stderr).toMatch(/^thermolink: BAD_FILE: [^\n]*ENOSPC[^\n]*\n$/);
      expect(status).toBe(1);
    } finally {
      closeSync(full);
    }
  });
});
