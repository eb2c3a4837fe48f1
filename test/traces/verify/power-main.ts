import { parseArgs } from 'node:util';
import { FAULTS, type FaultName, studyTrial } from './power-study.js';

/**
 * npm run verify:power -- [--fault none,gain,…] [--trials N] [--samples N] [--ticks N] [--rate R] [--first N]
 */
async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { fault: text, trials: text, samples: text, ticks: text, rate: text, first: text },
  });
  const [trials, first] = [Number(values.trials ?? 20), Number(values.first ?? 0)];
  const options = {
    cells: 64,
    samples: Number(values.samples ?? 200_000),
    ticksPerSample: Number(values.ticks ?? 64),
    rate: Number(values.rate ?? 1e-3),
  };
  for (const fault of (values.fault?.split(',') ?? FAULTS) as FaultName[]) {
    let alarms = 0;
    const found = new Map<string, number>();
    for (let trial = first; trial < first + trials; trial++) {
      const { deviations } = await studyTrial(fault, trial, options);
      if (deviations.length > 0) alarms++;
      for (const statistic of new Set(deviations.map((deviation) => deviation.statistic)))
        found.set(statistic, (found.get(statistic) ?? 0) + 1);
    }
    const by = [...found].map(([statistic, count]) => `${statistic} ${count}`).join(', ');
    process.stdout.write(`${fault}: ${alarms} of ${trials}${by === '' ? '' : ` (${by})`}\n`);
  }
}

await main();
