import { describe, expect, it } from 'vitest';
import { benchRecord } from '../../src/cli/commands/bench/record.js';

describe('bench record', () => {
  it('tells the cost of a recording in threads, time and disk', { tags: 'long' }, async () => {
    const shares: number[] = [];
    const { fileOverCodes, upload, again, download, lines } = await benchRecord(
      'ideal-64',
      AbortSignal.timeout(60_000),
      { rounds: 1, streamBytes: 1, lineMs: 60, onProgress: (share) => shares.push(share) },
    );
    // The file contains all bytes and only few others.
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
    expect(lines.map(({ bytesPerSecond, direction }) => [bytesPerSecond, direction])).toEqual([
      [1e6, 'upload'],
      [1e6, 'download'],
      [40e6, 'upload'],
      [40e6, 'download'],
    ]);
    for (const { bytesPerSecond, plainBytesPerSecond, clockRateLeft, processorShare } of lines) {
      expect(plainBytesPerSecond).toBeGreaterThan(0);
      // The first interval is short, because it ends when its piece is due. The clock of the timers is also
      // coarse.
      expect(plainBytesPerSecond).toBeLessThan(1.2 * bytesPerSecond);
      expect(clockRateLeft).toBeGreaterThan(0);
      expect(Number.isFinite(processorShare)).toBe(true);
    }
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(shares.at(-1)).toBeLessThan(1);
  });

  it('measures over TCP too', { tags: ['long'] }, async () => {
    const { again, download } = await benchRecord('ideal-64', AbortSignal.timeout(60_000), {
      port: 'tcp',
      rounds: 1,
      streamBytes: 1,
      lineMs: 20,
    });
    for (const { clockRateLeft } of [again, download]) expect(clockRateLeft).toBeGreaterThan(0);
  });

  it('is ended by Ctrl-C', async () => {
    await expect(benchRecord('ideal-64', AbortSignal.abort())).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});
