import { spawnSync } from 'node:child_process';

const MODULES = 'import serial, msgpack';

/**
 * A Python that has the client's packages. Debian installs them for Debian's own Python, which may not be the
 * first in the path.
 */
const python = ['python3', '/usr/bin/python3'].find(
  (program) => spawnSync(program, ['-c', MODULES]).status === 0,
);

const MISSING =
  'no Python with pyserial and msgpack: apt-get install python3-serial python3-msgpack to run the foreign client';
if (!python) console.warn(MISSING);

/** What is missing to run the client, or undefined. CI must have it: .ci/run installs it. */
export function missingPython(): string | undefined {
  if (python) return undefined;
  if (process.env['CI']) throw new Error(MISSING);
  return MISSING;
}

export interface ClientResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** client.py with these arguments, to its end. */
export function runClient(...args: readonly string[]): ClientResult {
  const { status, stdout, stderr } = spawnSync(
    python!,
    ['-B', new URL('client.py', import.meta.url).pathname, ...args],
    { encoding: 'utf8', timeout: 50_000 },
  );
  return { exitCode: status, stdout, stderr };
}
