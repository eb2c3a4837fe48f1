import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { ROOT } from '../repository/files.js';

/** The file of the built command line. `npm test` builds it first. */
export const BUILT_CLI = path.join(ROOT, 'dist/src/cli/main.js');
export const isBuilt = existsSync(BUILT_CLI);
if (!isBuilt && process.env['CI'])
  throw new Error('The command line is not built in CI. Run npm run build first.');

const DEADLINE_MS = 15_000;

/**
 * A Node process that prints lines of JSON. It is killed when the test ends, also after a failure. `whenDone`
 * can choose a later time.
 */
export class JsonProcess {
  readonly #child: ChildProcess;
  readonly #lines: Record<string, unknown>[] = [];
  readonly #exit: Promise<number | null>;
  #text = '';
  #wake: () => void = () => undefined;
  stderr = '';

  /** `wrapper` is a command that runs Node, such as one that enters a network namespace. */
  constructor(
    args: readonly string[],
    whenDone: (end: () => void) => void = onTestFinished,
    wrapper: readonly string[] = [],
  ) {
    const [program, ...before] = [...wrapper, process.execPath];
    this.#child = spawn(program, [...before, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    whenDone(() => void this.#child.kill('SIGKILL'));
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#text + text).split('\n');
      this.#text = lines.pop()!;
      for (const line of lines) this.#lines.push(JSON.parse(line));
      this.#wake();
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#wake();
    });
    this.#exit = new Promise((resolve) => this.#child.on('close', resolve));
    void this.#exit.then(() => this.#wake());
  }

  /** The id of the process in the system. */
  get pid(): number {
    return this.#child.pid!;
  }

  /**
   * The next line with this event; earlier lines of other events are skipped. Fails at the deadline, or when
   * the process ends.
   */
  async next<T extends object>(event: string, deadlineMs = DEADLINE_MS): Promise<T> {
    return this.#awaited(`no event ${event}`, deadlineMs, () => {
      for (let line = this.#lines.shift(); line; line = this.#lines.shift())
        if (line['event'] === event) return line as T;
      return undefined;
    });
  }

  /** Waits until the process has written this text to standard error. Fails like `next`. */
  async said(text: string, deadlineMs = DEADLINE_MS): Promise<void> {
    await this.#awaited(`it did not say ${text}`, deadlineMs, () => this.stderr.includes(text) || undefined);
  }

  async #awaited<T>(failure: string, deadlineMs: number, look: () => T | undefined): Promise<T> {
    const untilMs = performance.now() + deadlineMs;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0 || this.#child.exitCode !== null)
        throw new Error(`${failure} (exit code ${this.#child.exitCode}): ${this.stderr}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** The exit code, after the process has ended by itself. */
  ended(): Promise<number | null> {
    return this.#exit;
  }

  /** Sends a signal. Resolves with the exit code, or with null if the signal ended the process. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), DEADLINE_MS);
    this.#child.kill(signal);
    try {
      return await this.#exit;
    } finally {
      clearTimeout(deadline);
    }
  }
}
