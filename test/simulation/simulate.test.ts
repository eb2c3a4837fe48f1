import { describe, expect, it } from 'vitest';
import { Campaign } from './campaign.js';
import { Coverage } from './faults.js';
import type { Scenario } from './scenario.js';
import { simulate } from './simulate.js';

/** Frames of this length use the buffers that are reused. */
const LARGE_FRAME_BYTES = 8192;

async function expectPromisesKept(seeds: number, change: Partial<Scenario> = {}): Promise<void> {
  const campaign = new Campaign(new Coverage(), change);
  for (let seed = 0; seed < seeds; seed++) {
    const { violations, lastMessages } = await campaign.run(seed);
    expect(violations, `seed ${seed}\n${lastMessages.join('\n')}`).toEqual([]);
  }
}

describe('host, line and board, simulated', () => {
  it('keep every promise of the protocol in a history', () => expectPromisesKept(1));

  it(`keep every promise in a history with frames of ${LARGE_FRAME_BYTES} bytes`, () =>
    expectPromisesKept(1, { frameBytes: LARGE_FRAME_BYTES }));

  it('repeat a history exactly', { tags: 'long' }, async () => {
    const first = await written(22);
    expect(first.length).toBeGreaterThan(1000);
    expect(await written(22)).toEqual(first);
  });
});

// `npm run simulate` plays 500 and more.
describe('host and board keep every promise in more histories', { tags: 'long' }, () => {
  it('40 histories', () => expectPromisesKept(40));

  it(`20 histories with frames of ${LARGE_FRAME_BYTES} bytes`, () =>
    expectPromisesKept(20, { frameBytes: LARGE_FRAME_BYTES }));
});

/** All bytes that both sides wrote, with their direction. */
async function written(seed: number): Promise<string[]> {
  const lines: string[] = [];
  await simulate(seed, {
    onWrite: (direction, bytes) => lines.push(`${direction} ${Buffer.from(bytes).toString('hex')}`),
  });
  return lines;
}
