import { spawnSync } from 'node:child_process';
import { FoundPython } from '../support/python.js';

const python = new FoundPython({
  modules: 'serial, msgpack',
  packages: 'python3-serial python3-msgpack',
  purpose: 'the foreign client',
});

/** The missing tools to run the client, or undefined. */
export function missingPython(): string | undefined {
  return python.missing();
}

export interface ClientResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs client.py with these arguments until it ends. */
export function runClient(...args: readonly string[]): ClientResult {
  const { status, stdout, stderr } = spawnSync(
    python.program!,
    ['-B', new URL('client.py', import.meta.url).pathname, ...args],
    { encoding: 'utf8', timeout: 50_000 },
  );
  return { exitCode: status, stdout, stderr };
}
