import { spawn } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { ROOT } from '../repository/files.js';
import { BUILT_CLI, isBuilt, JsonProcess } from '../support/child-process.js';
import { FoundPython } from '../support/python.js';

/** The folder of the Python package. */
export const PACKAGE = `${ROOT}/firmware-protocol/python`;

const python = new FoundPython({
  modules: 'serial, msgpack, numpy',
  packages: 'python3-serial python3-msgpack python3-numpy',
  purpose: 'the Python package',
});

/** The missing thing without which the package does not run, or undefined. */
export function missingPackage(): string | undefined {
  return python.missing() ?? (isBuilt ? undefined : 'not built: npm run build');
}

/** Serves an emulated board until the test ends, and returns its URI. */
export async function serveBoard(profile: string, ...options: readonly string[]): Promise<string> {
  const place = options.includes('--pty') ? [] : ['--tcp', '127.0.0.1:0'];
  const server = new JsonProcess([
    ...[BUILT_CLI, 'emulate', '--json', '--seed', '1', '--profile', profile],
    ...[...place, ...options],
  ]);
  return (await server.next<{ uris: string[] }>('listening')).uris[0];
}

export interface PythonResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Python with the package on its path, until it ends or the test ends. */
export function runPython(
  args: readonly string[],
  { input = '', environment = {} }: { input?: string; environment?: Record<string, string> } = {},
): Promise<PythonResult> {
  const child = spawn(python.program!, ['-B', ...args], {
    env: { ...process.env, ...environment, PYTHONPATH: PACKAGE },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined).end(input);
  return new Promise((resolve) => child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr })));
}
