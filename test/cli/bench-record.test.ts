import { describe, expect, it } from 'vitest';
import { benchRecord } from '../../src/cli/commands/bench/record.js';

describe('bench record', () => {
  it('tells the cost of a recording in threads, time and disk', { tags: 'long' }, async () => {
    const shares: number[] = [];
    const { fileOverCodes, upload, again, download, slowUploadShare, slowDownloadShare } = await benchRecord(
      'ideal-64',
      AbortSignal.timeout(60_000),
      { rounds: 1, repeats: 1, slowMs: 60, onProgress: (share) => shares.push(share) },
    );
    // The file has all bytes, and little else.
    expect(fileOverCodes).toBeGreaterThan(1);
    expect(fileOverCodes).toBeLessThan(1.2);
    for (const cost of [upload, again, download]) {
      const { plainSecondsPerMegabyte, recordedSecondsPerMegabyte, recorderSecondsPerMegabyte } = cost;
      expect(plainSecondsPerMegabyte).toBeGreaterThan(0);
      const slower = Math.max(recordedSecondsPerMegabyte, recorderSecondsPerMegabyte);
      expect(cost.fullRateLeft).toBeCloseTo(plainSecondsPerMegabyte / slower, 9);
      expect(cost.limit).toBe(recorderSecondsPerMegabyte > recordedSecondsPerMegabyte ? 'recorder' : 'host');
      expect(cost.clockRateLeft).toBeGreaterThan(0);
      expect(cost.plainClockSecondsPerMegabyte).toBeGreaterThan(0);
    }
    for (const share of [slowUploadShare, slowDownloadShare]) expect(Math.abs(share)).toBeLessThan(2);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBeLessThan(1);
  });

  it('measures over TCP too', { tags: ['long'] }, async () => {
    const { again, download } = await benchRecord('ideal-64', AbortSignal.timeout(60_000), {
      port: 'tcp',
      rounds: 1,
      repeats: 1,
      slowMs: 20,
    });
    for (const { clockRateLeft } of [again, download]) expect(clockRateLeft).toBeGreaterThan(0);
  });

  it('is ended by Ctrl-C', async () => {
    await expect(benchRecord('ideal-64', AbortSignal.abort())).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});
