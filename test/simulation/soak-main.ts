import { parseArgs } from 'node:util';
import { slope } from './heap.js';
import { soak } from './soak.js';

const SLOPE_BYTES_MAX = 1_000_000;
/** Memory that is allocated at the beginning is not a leak. These minutes are left out. */
const WARM_UP_MINUTES = 2;

/** npm run soak -- [--minutes N] [--seed S] */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } });
  const minutes = Number(values.minutes ?? 30);
  const startMs = performance.now();
  const seconds = (): string => ((performance.now() - startMs) / 1000).toFixed(0);
  const { samples, lost, live } = await soak(minutes, Number(values.seed ?? 1), (minute) => {
    process.stdout.write(`${minute} of ${minutes} virtual minutes, ${seconds()} s\n`);
  });
  const perMinute = slope(live.slice(WARM_UP_MINUTES));
  process.stdout.write(
    `${samples} samples in ${seconds()} s, ${lost} lost; heap ${(perMinute / 1e6).toFixed(3)} MB a minute\n`,
  );
  return lost > 0 || !(perMinute < SLOPE_BYTES_MAX) ? 1 : 0;
}

process.exitCode = await main();
