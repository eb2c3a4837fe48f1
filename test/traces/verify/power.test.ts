import { describe, expect, it } from 'vitest';
import { type FaultName, studyTrial } from './power-study.js';

async function alarms(fault: FaultName, trials: number, samples: number, rate: number): Promise<number> {
  let raised = 0;
  for (let trial = 0; trial < trials; trial++) {
    const options = { cells: 64, samples, ticksPerSample: 32, rate };
    if ((await studyTrial(fault, trial, options)).deviations.length > 0) raised++;
  }
  return raised;
}

describe('the statistics of an emulated board of 64 cells', () => {
  it('find a dead cell and another die in a thousand samples, and nothing on a good board', {
    tags: 'long',
  }, async () => {
    expect(await alarms('dead', 1, 1000, 1e-3)).toBe(1);
    expect(await alarms('die', 1, 1000, 1e-3)).toBe(1);
    expect(await alarms('none', 2, 1000, 1e-6)).toBe(0);
  });

  it('raise 3 to 19 alarms in 200 at rate 0.05 on the same board', { tags: 'long' }, async () => {
    const raised = await alarms('none', 200, 4000, 0.05);
    expect(raised).toBeGreaterThanOrEqual(3);
    expect(raised).toBeLessThanOrEqual(19);
  });

  // To find a noise temperature that is 3 % higher takes 200,000 samples, and half a minute for each trace:
  // npm run verify:power.
  it.each([
    ['gain', 50_000],
    ['dead', 2000],
    ['swapped', 2000],
    ['die', 2000],
  ] as const)('find in 18 of 20 traces: %s, in %i samples', { tags: 'long' }, async (fault, samples) => {
    expect(await alarms(fault, 20, samples, 1e-3)).toBeGreaterThanOrEqual(18);
  });
});
