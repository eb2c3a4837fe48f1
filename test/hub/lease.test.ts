import { setMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  type Lease,
  LeaseQueue,
  type LeaseRequest,
  QUEUE_MAX,
  QUEUE_PER_OWNER_MAX,
} from '../../src/hub/lease.js';
import { VirtualClock } from '../support/virtual-clock.js';

const SILENCE_MS = 1000;

function queueOf(makeSafe: () => Promise<void> = () => Promise.resolve()) {
  const clock = new VirtualClock();
  const told: string[] = [];
  const listener = { changed: () => undefined, told: (what: string) => void told.push(what) };
  const queue = new LeaseQueue(makeSafe, listener, { clock, silenceMs: SILENCE_MS });
  queue.begin();
  const ask = async (owner: string, more: Partial<LeaseRequest> = {}): Promise<Lease> =>
    queue.acquire({
      owner,
      right: 'drive',
      client: `${owner}'s client`,
      waitMs: 0,
      takeOver: false,
      signal: new AbortController().signal,
      ...more,
    });
  return { queue, clock, told, ask };
}

describe('a lease', () => {
  it('is given in the order in which clients came, and the board is made safe in between', async () => {
    const order: string[] = [];
    const { clock, ask, queue } = queueOf(async () => void order.push('safe'));
    const first = await ask('a');
    const others = ['b', 'c', 'd'].map(async (owner) => {
      const lease = await ask(owner, { waitMs: 60_000 });
      order.push(lease.owner);
      await lease.release();
    });
    await clock.run(Promise.resolve());
    expect(queue.queue.map(({ owner }) => owner)).toEqual(['b', 'c', 'd']);
    await first.release();
    await clock.run(Promise.all(others));
    expect(order).toEqual(['safe', 'b', 'safe', 'c', 'safe', 'd', 'safe']);
    expect(queue.holder).toBeUndefined();
  });

  it('is refused after the time that a client waits, with the name of the holder', async () => {
    const { clock, ask, told } = queueOf();
    await ask('a');
    await expect(clock.run(ask('b', { waitMs: 5000 }))).rejects.toMatchObject({
      status: 409,
      body: { code: 'BUSY', message: 'a has the board.' },
    });
    expect(clock.nowMs()).toBe(5000);
    expect(told).toContain('waitedTooLong');
  });

  it('is given to a client that does not wait if the holder leaves within a moment', async () => {
    const { clock, ask } = queueOf();
    const first = await ask('a');
    const again = ask('a');
    await first.release();
    expect((await clock.run(again)).owner).toBe('a');
    expect(clock.nowMs()).toBe(0);
  });

  it('can be taken over only by the same owner or with the right admin', async () => {
    const { clock, ask } = queueOf();
    const first = await ask('a');
    first.over.addEventListener('abort', () => void first.release());
    await expect(ask('b', { takeOver: true })).rejects.toMatchObject({ status: 403 });
    expect(first.over.aborted).toBe(false);
    const second = await clock.run(ask('a', { takeOver: true }));
    expect(first.reason).toBe('takenOver');
    second.over.addEventListener('abort', () => void second.release());
    const third = await clock.run(ask('c', { takeOver: true, right: 'admin' }));
    expect(second.reason).toBe('takenOver');
    expect(third.owner).toBe('c');
  });

  it('ends for a silent holder only while another client waits', async () => {
    const { clock, ask } = queueOf();
    const first = await ask('a');
    first.over.addEventListener('abort', () => void first.release());
    clock.schedule(10 * SILENCE_MS, () => undefined);
    await clock.run(new Promise<void>((resolve) => void clock.schedule(10 * SILENCE_MS, resolve)));
    expect(first.reason).toBeUndefined();
    first.heardMs = clock.nowMs();
    await clock.run(ask('b', { waitMs: 100 * SILENCE_MS }));
    expect(first.reason).toBe('silentHolder');
    expect(clock.nowMs()).toBe(11 * SILENCE_MS);
  });

  it('is given only after the last of two stops of the board has ended', async () => {
    let finish: () => void = () => undefined;
    const { clock, ask, queue } = queueOf(() => new Promise((resolve) => (finish = resolve)));
    const stopping = queue.vacate('stopped');
    const asking = ask('a');
    await clock.run(Promise.resolve());
    expect(queue.holder).toBeUndefined();
    // Somebody else stops the board too.
    const finishFirst = finish;
    const again = queue.vacate('stopped');
    finishFirst();
    await stopping;
    expect(queue.holder).toBeUndefined();
    finish();
    await again;
    expect((await asking).owner).toBe('a');
  });

  it('has a queue of bounded length, which clients leave when they disconnect', async () => {
    const { ask, queue } = queueOf();
    await ask('a');
    const gone = new AbortController();
    setMaxListeners(QUEUE_MAX, gone.signal);
    const waiting = Array.from({ length: QUEUE_MAX }, (_, i) =>
      ask(i < QUEUE_PER_OWNER_MAX ? 'b' : 'd', { waitMs: 1e6, signal: gone.signal }),
    );
    const outcomes = Promise.allSettled(waiting);
    await expect(ask('c', { waitMs: 1e6 })).rejects.toMatchObject({ status: 429 });
    gone.abort();
    expect((await outcomes).every(({ status }) => status === 'rejected')).toBe(true);
    expect(queue.queue).toEqual([]);
  });

  it('has places in its queue that one owner cannot take from other owners', async () => {
    const { ask, queue } = queueOf();
    await ask('a');
    const waiting = Array.from({ length: QUEUE_PER_OWNER_MAX }, () => ask('b', { waitMs: 1e6 }));
    const outcomes = Promise.allSettled(waiting);
    await expect(ask('b', { waitMs: 1e6 })).rejects.toMatchObject({ status: 429 });
    const other = ask('c', { waitMs: 1e6 });
    expect(queue.queue).toHaveLength(QUEUE_PER_OWNER_MAX + 1);
    queue.close();
    await expect(other).rejects.toMatchObject({ status: 503 });
    expect(await outcomes).toHaveLength(QUEUE_PER_OWNER_MAX);
  });

  it('is not given when the server ends', async () => {
    const { ask, queue } = queueOf();
    const first = await ask('a');
    const waiting = ask('b', { waitMs: 1e6 });
    queue.close();
    await expect(waiting).rejects.toMatchObject({ status: 503 });
    expect(first.reason).toBe('closed');
    await expect(ask('c')).rejects.toMatchObject({ status: 503 });
  });
});
