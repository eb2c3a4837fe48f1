import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { make, missingTools } from '../reference-firmware/build.js';
import type { Peer } from './python-peers.js';

/** Room for the largest problems of the table, and the optimization level of thermolink-device. */
const FLAGS = '-O3 -DCONFIG_ROWS=4096 -DCONFIG_COUPLINGS=16777216';

/** The model of the C device, or the reason why it cannot be built. */
export function startCDevice(): { readonly peers: readonly Peer[]; readonly stop: () => void } | string {
  const missing = missingTools();
  if (missing !== undefined) return missing;
  const child = spawn(make('thermolink-bench', 'build-bench', [`CFLAGS=${FLAGS}`]), {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<undefined>((resolve) => child.once('close', () => resolve(undefined)));
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const peer: Peer = {
    name: 'C device',
    version: `its model board, compiled by cc ${FLAGS.split(' ')[0]}`,
    async microsecondsPerTick({ cells, rows, couplingBits }, milliseconds) {
      child.stdin.write(`${cells} ${rows ?? 0} ${couplingBits} ${milliseconds}\n`);
      const line = await Promise.race([lines.next(), ended]);
      if (line === undefined || line.done === true) throw new Error('thermolink-bench has ended');
      return (JSON.parse(line.value) as { microsecondsPerTick: number }).microsecondsPerTick;
    },
  };
  return { peers: [peer], stop: () => child.stdin.end() };
}
