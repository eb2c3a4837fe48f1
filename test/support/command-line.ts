import { main } from '../../src/cli/program.js';

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandResult extends Printed {
  readonly exitCode: number;
}

/** Runs one command line in this process and returns its output. */
export async function runCommand(...args: string[]): Promise<CommandResult> {
  const { result: exitCode, ...printed } = await captureOutput(() => main(args));
  return { exitCode, ...printed };
}

/** Runs `work` and returns its output. */
export async function captureOutput<T>(work: () => Promise<T>): Promise<Printed & { readonly result: T }> {
  const printed = { stdout: '', stderr: '' };
  const originals = { stdout: process.stdout.write, stderr: process.stderr.write };
  const capture = (name: 'stdout' | 'stderr') => (text: string | Uint8Array) => {
    printed[name] += typeof text === 'string' ? text : Buffer.from(text).toString();
    return true;
  };
  process.stdout.write = capture('stdout');
  process.stderr.write = capture('stderr');
  try {
    const result = await work();
    return { result, ...printed };
  } finally {
    process.stdout.write = originals.stdout;
    process.stderr.write = originals.stderr;
  }
}
