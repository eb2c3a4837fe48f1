import { afterEach, expect, it, vi } from 'vitest';
import { SILENT_LOGGER } from '../../src/driver/logger.js';
import { BoardLease } from '../../src/farm/board-lease.js';
import type { Farm } from '../../src/farm/farm.js';
import type { AnnouncedBoard } from '../../src/farm/messages.js';

afterEach(() => void vi.useRealTimers());

it('a lease without answers has at most one renewal on its way and one that waits, and is released in time', async () => {
  vi.useFakeTimers();
  const answers: ((revision: number) => void)[] = [];
  const texts: string[] = [];
  const update = (_: string, text: string) => {
    texts.push(text);
    return new Promise<number>((resolve) => answers.push(resolve));
  };
  const boards = { create: async () => 1, update, delete: () => new Promise(() => undefined) };
  const ask = <T>(attempt: () => Promise<T>) => attempt();
  const farm = { boards, log: SILENT_LOGGER, ask } as unknown as Farm;
  const lease = await BoardLease.take(farm, 'key', {} as AnnouncedBoard, new AbortController().signal);
  for (let i = 1; i <= 100; i++) lease.announce({ jobsDone: i });
  await vi.advanceTimersByTimeAsync(600_000);
  expect(texts).toHaveLength(1);
  answers[0](2);
  await vi.advanceTimersByTimeAsync(0);
  expect(texts).toHaveLength(2);
  expect(JSON.parse(texts[1])).toMatchObject({ jobsDone: 100 });
  let isReleased = false;
  void lease.release().then(() => (isReleased = true));
  expect(lease.lost.aborted).toBe(true);
  await vi.advanceTimersByTimeAsync(3000);
  expect(isReleased).toBe(true);
  answers[1](3);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(texts).toHaveLength(2);
});
