import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { hasProgram } from '../support/programs.js';

/** Debian puts nats-server into a folder that is only in the PATH of root. */
const PROGRAM = ['nats-server', '/usr/sbin/nats-server'].find(hasProgram);

/**
 * If nats-server is missing, the tests of farms are skipped. In CI it must not be missing; .ci/run installs
 * it.
 */
export const hasNats = PROGRAM !== undefined;
if (!hasNats && process.env['CI']) throw new Error('CI has no nats-server');

const STARTS_MS = 20_000;

/** A NATS server with JetStream in a directory of its own, which can be killed and started again. */
export class NatsServer {
  readonly port: number;
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'thermolink-nats-'));
  readonly #options: readonly string[];
  readonly #wrapper: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, options: readonly string[], wrapper: readonly string[]) {
    this.port = port;
    this.#options = options;
    this.#wrapper = wrapper;
  }

  /** `wrapper` is a command that runs the server, such as one that enters a network namespace. */
  static async start(
    options: readonly string[] = ['-a', '127.0.0.1'],
    wrapper: readonly string[] = [],
  ): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), options, wrapper);
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Starts the server, also after `kill`. It uses the same files each time. */
  async start(): Promise<void> {
    const args = ['-p', String(this.port), '-js', '-sd', this.#directory, ...this.#options];
    const [program, ...before] = [...this.#wrapper, PROGRAM!];
    const child = spawn(program, [...before, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nats-server did not start: ${said}`)), STARTS_MS);
      child.stderr.on('data', (bytes: Buffer) => {
        said = (said + bytes.toString()).slice(-5000);
        if (!said.includes('Server is ready')) return;
        clearTimeout(timer);
        resolve();
      });
      child.once('exit', () => reject(new Error(`nats-server ended: ${said}`)));
    });
  }

  /** Kills the server by SIGKILL, so it writes nothing more. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    this.#child = undefined;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A server for the tests of a file, which ends after them. */
export function serverOfFile(): () => Promise<NatsServer> {
  let server: Promise<NatsServer> | undefined;
  afterAll(async () => (await server)?.remove());
  return () => (server ??= NatsServer.start());
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { readonly port: number };
  listener.close();
  await once(listener, 'close');
  return port;
}
