import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { type SignalHost, withInterrupt } from '../../src/cli/output/interrupt.js';
import { reportError } from '../../src/cli/output/report-error.js';
import { ThermolinkError } from '../../src/errors.js';
import { thrown } from './support/thrown.js';

const IGNORE = { write: () => true };

class FakeHost extends EventEmitter implements SignalHost {
  readonly exits: number[] = [];
  exit(exitCode: number): void {
    this.exits.push(exitCode);
  }
  press(signal: string): void {
    this.emit(signal, signal);
  }
}

/** Work that calls `end` when the signal aborts, like a command that first stops the board. */
function stopping(end: (signal: AbortSignal) => unknown): (signal: AbortSignal) => Promise<string> {
  return (signal) =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        const result = end(signal);
        if (typeof result === 'string') resolve(result);
        else reject(result);
      });
    });
}

describe('withInterrupt', () => {
  it.each([
    ['SIGINT', 130, 'Ctrl-C'],
    ['SIGTERM', 143, 'SIGTERM'],
    ['SIGHUP', 129, 'SIGHUP (its terminal was closed)'],
  ])('%s aborts the work and ends in exit code %i', async (name, exitCode, message) => {
    const host = new FakeHost();
    const told: string[] = [];
    const work = stopping((signal) => signal.reason);
    const ended = thrown(() => withInterrupt(work, { host, onInterrupt: (signal) => told.push(signal) }));
    host.press(name);
    const error = await ended;
    expect(error).toMatchObject({
      code: 'ABORTED',
      message: `interrupted by ${message}`,
      data: { signal: name },
    });
    expect(reportError(error, { stderr: IGNORE })).toBe(exitCode);
    expect(told).toEqual([name]);
    expect(host.exits).toEqual([]);
    expect(host.eventNames()).toEqual([]);
  });

  it('a second signal exits at once, unless it is an echo of the first', async () => {
    const host = new FakeHost();
    const time = { ms: 0 };
    let finish = () => {};
    const work = () => new Promise<void>((resolve) => (finish = resolve));
    const ended = withInterrupt(work, { host, clock: () => time.ms });
    host.press('SIGINT');
    time.ms = 20;
    host.press('SIGINT');
    expect(host.exits).toEqual([]);
    time.ms = 900;
    host.press('SIGTERM');
    expect(host.exits).toEqual([143]);
    finish();
    await ended;
  });

  it('returns what the work returns, with or without a signal, and takes its listeners away', async () => {
    const host = new FakeHost();
    expect(await withInterrupt(async () => 'done', { host })).toBe('done');
    const ended = withInterrupt(
      stopping(() => 'saved'),
      { host },
    );
    host.press('SIGINT');
    expect(await ended).toBe('saved');
    expect(host.eventNames()).toEqual([]);
  });

  it('passes errors on when there was no signal', async () => {
    const host = new FakeHost();
    const error = new ThermolinkError('NO_ANSWER', 'silence');
    await expect(withInterrupt(() => Promise.reject(error), { host })).rejects.toBe(error);
    await expect(
      withInterrupt(
        () => {
          throw error;
        },
        { host },
      ),
    ).rejects.toBe(error);
    expect(host.eventNames()).toEqual([]);
  });

  it('reports a failure of the stop, keeps the exit code, and rethrows bugs', async () => {
    const host = new FakeHost();
    async function interruptedWith(reason: unknown): Promise<unknown> {
      const ended = withInterrupt(
        stopping(() => reason),
        { host },
      ).catch((error: unknown) => error);
      host.press('SIGINT');
      return ended;
    }
    const lost = new ThermolinkError('LINK_LOST', 'the port closed', {
      hint: 'Check the cable.',
      data: { sent: 5 },
    });
    expect(await interruptedWith(lost)).toMatchObject({
      code: 'ABORTED',
      message: 'interrupted by Ctrl-C; while stopping, LINK_LOST: the port closed',
      hint: 'Check the cable.',
      data: { signal: 'SIGINT', sent: 5 },
    });
    const abort = new DOMException('This operation was aborted', 'AbortError');
    expect(await interruptedWith(abort)).toMatchObject({ code: 'ABORTED', message: 'interrupted by Ctrl-C' });
    const way = new ThermolinkError('ABORTED', 'cancelled', {
      hint: 'Go on by --resume.',
      data: { steps: 5 },
    });
    expect(await interruptedWith(way)).toMatchObject({
      code: 'ABORTED',
      message: 'interrupted by Ctrl-C',
      hint: 'Go on by --resume.',
      data: { signal: 'SIGINT', steps: 5 },
    });
    const bug = new TypeError('x');
    expect(await interruptedWith(bug)).toBe(bug);
  });
});
