import { describe, expect, it } from 'vitest';
import { EntryRing } from '../../../src/traces/record/entry-ring.js';
import { Random } from '../../simulation/random.js';

const SEED = 13;

describe('a ring of entries', () => {
  it(`returns all entries in order, for any position of its end (seed ${SEED})`, () => {
    const random = new Random(SEED, 0);
    const ring = EntryRing.ofBytes(4096);
    const [sent, got]: [string[], string[]] = [[], []];
    const text = (tag: number, time: number, bytes: Uint8Array): string =>
      `${tag} ${time} ${Buffer.from(bytes).toString('hex')}`;
    for (let i = 0; i < 500; i++) {
      const bytes = Uint8Array.from({ length: random.whole(0, 300) }, () => random.whole(0, 255));
      sent.push(text(i, i * 2 ** 40, bytes));
      expect(ring.put(i, i * 2 ** 40, bytes, 0)).toBe(true);
      if (ring.waitingBytes > 3000 || random.whole(0, 3) === 0)
        expect(ring.drain((...entry) => got.push(text(...entry)))).toBe(true);
    }
    ring.end();
    expect(ring.drain((...entry) => got.push(text(...entry)))).toBe(false);
    expect(got).toEqual(sent);
    expect(ring.waitingBytes).toBe(0);
  });

  it('copies every byte, wherever the bytes of an entry begin and however many they are', () => {
    const ring = EntryRing.ofBytes(16_384);
    const source = Uint8Array.from({ length: 3000 }, (_, i) => (i * 167) & 0xff);
    const isRight: boolean[] = [];
    for (const start of [0, 1, 3, 4, 7, 8]) {
      // 256 bytes and more are copied in another way.
      for (const length of [0, 1, 255, 256, 257, 2048, 2900]) {
        const bytes = source.subarray(start, start + length);
        expect(ring.put(1, 0, bytes, 0)).toBe(true);
        expect(ring.put(2, 0, bytes, 0)).toBe(true);
        ring.drain((_, __, read) => isRight.push(Buffer.compare(read, bytes) === 0));
        expect(isRight.splice(0)).toEqual([true, true]);
      }
    }
  });

  it('uses only the beginning of its memory while the reader keeps up', () => {
    const ring = EntryRing.ofBytes(65_536);
    const bytes = new Uint8Array(1000).fill(0xff);
    let count = 0;
    for (let i = 0; i < 300; i++) {
      for (let together = 0; together < 3; together++) ring.put(i, i, bytes, 0);
      ring.drain((tag, time, read) => {
        if (tag === i && time === i && Buffer.compare(read, bytes) === 0) count++;
      });
    }
    expect(count).toBe(900);
    expect(new Uint8Array(ring.memory.data).findLastIndex((byte) => byte !== 0)).toBeLessThan(4096);
  });

  it('waits with separate limits for the reader, and for the decision who reads', () => {
    const bytes = new Uint8Array(3000);
    const LONG_MS = 60_000;
    const undecided = EntryRing.ofBytes(4096);
    expect(undecided.put(1, 0, bytes, LONG_MS, 0)).toBe(true);
    expect(undecided.put(1, 0, bytes, LONG_MS, 0)).toBe(false);
    const decided = EntryRing.ofBytes(4096);
    decided.claim('thread');
    expect(decided.put(1, 0, bytes, 0, LONG_MS)).toBe(true);
    expect(decided.put(1, 0, bytes, 0, LONG_MS)).toBe(false);
  });

  it('reports when no reader takes entries, and does not count an entry that was cut off then', () => {
    const ring = EntryRing.ofBytes(4096);
    const whole = new Uint8Array(3000).fill(1);
    expect(ring.put(1, 0, whole, 0)).toBe(true);
    expect(ring.put(2, 0, whole, 0)).toBe(false);
    ring.end();
    const tags: number[] = [];
    expect(ring.drain((tag) => tags.push(tag))).toBe(false);
    expect(tags).toEqual([1]);
  });

  it('is read only by the first reader that claims it', () => {
    const ring = EntryRing.ofBytes(4096);
    expect(ring.claim('thread')).toBe(true);
    expect(new EntryRing(ring.memory).claim('writer')).toBe(false);
    expect(ring.claim('thread')).toBe(true);
  });
});
