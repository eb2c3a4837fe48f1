import { type ChildProcess, spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { ENVIRONMENT } from './build.js';

/** Longest time of a start. It suits emulated microcontrollers on a busy machine. */
const DEADLINE_MS = 60_000;

/** thermolink-device in a process of its own. `end` returns the report of a sanitizer. */
export class DeviceProcess {
  readonly uri: string;
  readonly #child: ChildProcess;
  #errors = '';

  constructor(child: ChildProcess, uri: string) {
    this.#child = child;
    this.uri = uri;
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
  }

  /** Killed when the test ends. */
  static async start(program: string, ...args: readonly string[]): Promise<DeviceProcess> {
    const board = await spawnDevice(program, ...args);
    onTestFinished(() => board.kill());
    return board;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Ends the process as Ctrl-C does. Returns its standard error and its exit code. */
  async end(): Promise<{ readonly code: number | null; readonly errors: string }> {
    const exit = new Promise<number | null>((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGINT');
    return { code: await exit, errors: this.#errors };
  }
}

const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/**
 * Starts a device that outlives a test. The caller should end it. If the caller does not, it is killed with
 * this process.
 */
export async function spawnDevice(program: string, ...args: readonly string[]): Promise<DeviceProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: ENVIRONMENT });
  const kill = () => child.kill('SIGKILL');
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  const uri = await new Promise<string>((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => {
      kill();
      reject(new Error(`no URI: ${text}`));
    }, DEADLINE_MS);
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const match = /^ {2}(\S+)\n/m.exec(text);
      if (match) {
        clearTimeout(timer);
        resolve(match[1]);
      }
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`it ended with ${code}`));
    });
  });
  return new DeviceProcess(child, uri);
}
