import { describe, expect, it } from 'vitest';
import { VirtualTime } from './virtual-time.js';

describe('virtual time', () => {
  it('lets every promise settle between two events of the same time', async () => {
    const time = new VirtualTime();
    const seen: string[] = [];
    time.schedule(1, () => {
      void (async () => {
        for (let i = 0; i < 100; i++) await Promise.resolve();
        seen.push('settled');
      })();
    });
    time.schedule(1, () => seen.push('second'));
    await time.run(() => seen.length === 2);
    expect(seen).toEqual(['settled', 'second']);
    expect(time.nowMs()).toBe(1);
  });

  it('keeps the order of time, then of scheduling, and skips cancelled events', async () => {
    const time = new VirtualTime();
    const seen: number[] = [];
    const delays = [5, 3, 9, 3, 1, 7, 3];
    const cancels = delays.map((ms, i) => time.schedule(ms, () => seen.push(i)));
    cancels[3]();
    await time.run(() => seen.length === 6);
    expect(seen).toEqual([4, 1, 6, 0, 5, 2]);
  });

  it('throws when there are no more events', async () => {
    await expect(new VirtualTime().run(() => false)).rejects.toThrow('nothing is left');
  });
});
