/**
 * `npm run bench:startup`: the processor time of starting the command line, beside that of starting Node
 * alone, in the same rounds.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { formatTable } from '../../src/cli/output/table.js';
import { percentile } from '../../src/cli/statistics.js';
import { formatSeconds } from '../../src/number-text.js';

const ROUNDS = 11;
const CLI = path.resolve(import.meta.dirname, '../../src/cli/main.js');
/**
 * Makes a process write its user time and its system time when it ends. This text is no ECMAScript module,
 * because Node alone loads no such module.
 */
const REPORT = `
const { writeSync } = require('node:fs');
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  writeSync(3, String(user + system));
});`;

const STARTS: readonly (readonly string[])[] = [
  ['-e', '0'],
  [CLI, '--version'],
  [CLI, '--help'],
  [CLI, 'info', '--device', 'emulator:ideal-8'],
];

function processorSeconds(report: string, args: readonly string[]): number {
  const { output, status } = spawnSync(process.execPath, ['--require', report, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  if (status !== 0) throw new Error(`${args.join(' ')}: exit code ${status}`);
  return Number(output[3]) / 1e6;
}

const seconds = STARTS.map((): number[] => []);
const directory = mkdtempSync(path.join(tmpdir(), 'thermolink-'));
try {
  const report = path.join(directory, 'report.cjs');
  writeFileSync(report, REPORT);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, args] of STARTS.entries()) seconds[i].push(processorSeconds(report, args));
} finally {
  rmSync(directory, { recursive: true });
}
const medians = seconds.map((times) => percentile(times, 0.5));
const rows = STARTS.map((args, i) => [
  ['node', ...args].join(' ').replace(CLI, 'thermolink').replace('node thermolink', 'thermolink'),
  formatSeconds(medians[i]),
  `${(medians[i] / medians[0]).toFixed(2)}×`,
]);
process.stdout.write(
  formatTable(rows, { header: ['start', 'processor time', 'over Node'], align: ['left', 'right', 'right'] }),
);
