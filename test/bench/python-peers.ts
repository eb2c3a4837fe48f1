import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { StepProblem } from '../../src/cli/commands/bench/step.js';

/** Another implementation of the tick, timed on request. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  microsecondsPerTick(problem: StepProblem, milliseconds: number): Promise<number>;
}

/** `npm run bench` runs in the repository's folder. */
const SCRIPT = path.resolve('test/bench/peers.py');

/**
 * Starts the peers (NumPy, PyTorch, JAX) that this Python can import. The list is empty if there is no
 * Python.
 */
export async function startPythonPeers(
  python: string,
): Promise<{ peers: readonly Peer[]; stop: () => void }> {
  const child = spawn(python, [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<undefined>((resolve) => {
    child.once('error', () => resolve(undefined));
    child.once('close', () => resolve(undefined));
  });
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (request: object): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await Promise.race([lines.next(), ended]);
    return line === undefined || line.done === true ? undefined : JSON.parse(line.value);
  };
  const listed = (await ask({ list: true })) as { peers: Record<string, string> } | undefined;
  const peers = Object.entries(listed?.peers ?? {}).map(([name, version]) => ({
    name,
    version,
    async microsecondsPerTick({ cells, rows }: StepProblem, milliseconds: number) {
      const answer = (await ask({ peer: name, cells, rows: rows ?? 0, milliseconds })) as
        | { microsecondsPerTick: number }
        | undefined;
      if (answer === undefined) throw new Error(`${python} ended while it timed ${name}`);
      return answer.microsecondsPerTick;
    },
  }));
  return { peers, stop: () => child.stdin.end() };
}
