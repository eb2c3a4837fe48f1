import { describe, expect, it } from 'vitest';
import { benchRecord } from '../../src/cli/commands/bench/record.js';

describe('bench record', () => {
  it('tells the cost of a recording in threads, time and disk', async () => {
    const shares: number[] = [];
    const { fileOverCodes, ...works } = await benchRecord('emulator:ideal-64', AbortSignal.timeout(60_000), {
      rounds: 1,
      repeats: 1,
      onProgress: (share) => shares.push(share),
    });
    // All bytes are kept, and little else is kept.
    expect(fileOverCodes).toBeGreaterThan(1);
    expect(fileOverCodes).toBeLessThan(1.2);
    for (const cost of Object.values(works)) {
      const { plainSecondsPerMegabyte, recordedSecondsPerMegabyte, recorderSecondsPerMegabyte } = cost;
      expect(plainSecondsPerMegabyte).toBeGreaterThan(0);
      const slower = Math.max(recordedSecondsPerMegabyte, recorderSecondsPerMegabyte);
      expect(cost.fullRateLeft).toBeCloseTo(plainSecondsPerMegabyte / slower, 9);
      expect(cost.clockRateLeft).toBeGreaterThan(0);
    }
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBeLessThan(1);
  });

  it('is ended by Ctrl-C', async () => {
    await expect(benchRecord('emulator:ideal-64', AbortSignal.abort())).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});
