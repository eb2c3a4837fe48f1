import { describe, expect, it } from 'vitest';
import { Campaign } from './campaign.js';
import { Coverage } from './faults.js';
import { simulate } from './simulate.js';

/** CI simulates 500 by `npm run simulate`; these are for whoever runs the tests alone. */
const SEEDS = 40;
/** Long enough for the buffers that are used again. */
const LARGE_FRAME_BYTES = 8192;
const LARGE_FRAME_SEEDS = 20;

describe('host, line and board, simulated', () => {
  it(`keep every promise of the protocol in ${SEEDS} histories`, async () => {
    const campaign = new Campaign(new Coverage());
    for (let seed = 0; seed < SEEDS; seed++) {
      const { violations, lastMessages } = await campaign.run(seed);
      expect(violations, `seed ${seed}\n${lastMessages.join('\n')}`).toEqual([]);
    }
  });

  it(`keep them in ${LARGE_FRAME_SEEDS} histories with frames of ${LARGE_FRAME_BYTES} bytes`, async () => {
    const campaign = new Campaign(new Coverage(), { frameBytes: LARGE_FRAME_BYTES });
    for (let seed = 0; seed < LARGE_FRAME_SEEDS; seed++) {
      const { violations, lastMessages } = await campaign.run(seed);
      expect(violations, `seed ${seed}\n${lastMessages.join('\n')}`).toEqual([]);
    }
  });

  it('repeat a history exactly', async () => {
    const first = await written(22);
    expect(first.length).toBeGreaterThan(1000);
    expect(await written(22)).toEqual(first);
  });
});

/** Everything that both sides wrote, with its direction. */
async function written(seed: number): Promise<string[]> {
  const lines: string[] = [];
  await simulate(seed, {
    onWrite: (direction, bytes) => lines.push(`${direction} ${Buffer.from(bytes).toString('hex')}`),
  });
  return lines;
}
