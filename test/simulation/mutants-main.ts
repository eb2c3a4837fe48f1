import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MUTANTS } from './mutants.js';
import { runMutant } from './run-mutant.js';

/** Every deliberate bug must be found within this number of seeds. */
const SEEDS = 2000;
const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { seeds: { type: 'string' }, only: { type: 'string' } } });
  const seeds = Number(values.seeds ?? SEEDS);
  let survivors = 0;
  const chosen = MUTANTS.filter(({ name }) => name.includes(values.only ?? ''));
  for (const mutant of chosen) {
    const startMs = performance.now();
    const { seed, finding } = await runMutant(mutant, ROOT, seeds);
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    if (seed === undefined) survivors++;
    const verdict = seed === undefined ? 'NOT FOUND' : `found by seed ${seed}`;
    process.stdout.write(`${mutant.name}: ${verdict} (${seconds} s)\n    ${finding}\n`);
  }
  process.stdout.write(
    `${chosen.length - survivors} of ${chosen.length} deliberate bugs found within ${seeds} seeds\n`,
  );
  return survivors > 0 ? 1 : 0;
}

process.exitCode = await main();
