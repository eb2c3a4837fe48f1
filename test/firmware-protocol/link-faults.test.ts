import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHANNEL } from '../../firmware-protocol/framing.js';
import { RETRIES_MAX } from '../../firmware-protocol/link/command-sender.js';
import { law } from '../support/law.js';
import { type Faults, LossyPair, NO_FAULTS, numbered, numberOf } from '../support/lossy-link.js';

const SEED = 20240607;
const MESSAGES = 60;

const limits = (window: number) => ({ frameBytes: 512, window, inFlightBytes: 4096 });
const numbersOf = (inbox: readonly { payload: Uint8Array }[]) =>
  inbox.map(({ payload }) => numberOf(payload));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Faults whose probabilities are at most those of `most`. */
function faultsUpTo(most: Faults): fc.Arbitrary<Faults> {
  const parts = Object.entries(most).map(([name, top]) => [name, fc.nat(1000).map((n) => (n / 1000) * top)]);
  return fc.record(Object.fromEntries(parts)) as unknown as fc.Arbitrary<Faults>;
}

const MODERATE = faultsUpTo({
  drop: 0.05,
  duplicate: 0.2,
  flip: 0.05,
  truncate: 0.05,
  fragment: 1,
  delay: 0.3,
  reorder: 0.2,
  extraMs: 80,
});
const SEVERE = faultsUpTo({
  drop: 0.6,
  duplicate: 0.5,
  flip: 0.4,
  truncate: 0.4,
  fragment: 1,
  delay: 1,
  reorder: 1,
  extraMs: 5000,
});

/** The host sends MESSAGES numbered messages, and the device sends each of them back. */
function exchange(seed: number, faults: Faults, window: number): LossyPair {
  const pair = new LossyPair(seed, faults, limits(window));
  for (let i = 0; i < MESSAGES; i++) pair.host.outbox.push(numbered(i, (i * 37) % 400));
  pair.onMessage = (end, payload) => {
    if (end === pair.device) pair.device.outbox.push(payload.slice());
  };
  pair.run();
  return pair;
}

describe.each([1, 2, 32])('window %i', (window) => {
  law(
    'all commands arrive in order and exactly once, whatever moderate faults do',
    { seed: SEED, numRuns: 60 },
    (runs) => {
      fc.assert(
        fc.property(fc.integer(), MODERATE, (seed, faults) => {
          const { failed, host, device } = exchange(seed, faults, window);
          expect(failed).toBe(false);
          expect(numbersOf(device.inbox)).toEqual(upTo(MESSAGES));
          expect(numbersOf(host.inbox)).toEqual(upTo(MESSAGES));
          expect(host.link.unacknowledged + device.link.unacknowledged).toBe(0);
        }),
        runs,
      );
    },
  );

  law(
    'after severe faults all messages are delivered or the link has failed; none is missing, repeated or swapped',
    { seed: SEED, numRuns: 100 },
    (runs) => {
      let failures = 0;
      fc.assert(
        fc.property(fc.integer(), SEVERE, (seed, faults) => {
          const { failed, host, device } = exchange(seed, faults, window);
          if (failed) failures++;
          else expect(device.inbox.length + host.inbox.length).toBe(2 * MESSAGES);
          for (const { inbox } of [host, device]) expect(numbersOf(inbox)).toEqual(upTo(inbox.length));
        }),
        runs,
      );
      // Some links failed and some did not, so both sides of the law were tested.
      expect(failures).toBeGreaterThan(0);
      expect(failures).toBeLessThan(runs.numRuns);
    },
  );
});

test('without faults nothing is sent twice and nothing is counted', () => {
  const { host, device } = exchange(1, NO_FAULTS, 32);
  for (const { link } of [host, device])
    expect(link.counters).toMatchObject({
      retransmissions: 0,
      framesDuplicate: 0,
      framesOutOfOrder: 0,
      framesForeign: 0,
      naksSent: 0,
      acksInvalid: 0,
      faults: { cobs: 0, crc: 0, short: 0, oversize: 0, header: 0 },
    });
});

test('faults are counted by their kind', () => {
  const { host, device } = exchange(5, { ...NO_FAULTS, flip: 0.1, duplicate: 0.1, drop: 0.1 }, 32);
  const { counters } = device.link;
  expect(counters.faults.crc + counters.faults.cobs).toBeGreaterThan(0);
  expect(counters.framesDuplicate).toBeGreaterThan(0);
  expect(counters.framesOutOfOrder).toBeGreaterThan(0);
  expect(counters.naksSent).toBeGreaterThan(0);
  expect(host.link.counters.naksReceived).toBeGreaterThan(0);
  expect(host.link.counters.retransmissions).toBeGreaterThan(0);
});

// link-vectors.test.ts tests the end of the sequence numbers in a short time.
test('70,000 messages pass the end of the sequence numbers, over a medium that loses and repeats', {
  tags: 'long',
}, () => {
  const faults = { ...NO_FAULTS, drop: 0.01, duplicate: 0.02, flip: 0.01, reorder: 0.02, extraMs: 10 };
  const pair = new LossyPair(SEED, faults, { frameBytes: 256, window: 32, inFlightBytes: 4096 });
  const total = 70_000;
  let sent = 0;
  let received = 0;
  const refill = () => {
    while (sent < total && pair.host.outbox.length < 32) pair.host.outbox.push(numbered(sent++));
  };
  pair.onMessage = (_, payload) => {
    if (numberOf(payload) !== received) expect(numberOf(payload)).toBe(received);
    received++;
    pair.device.inbox.length = 0;
    pair.host.written.length = 0;
    refill();
  };
  refill();
  pair.run();
  expect(pair.failed).toBe(false);
  expect(received).toBe(total);
  expect(pair.host.link.counters.retransmissions).toBeGreaterThan(100);
});

test('lost sample frames are counted exactly, repeated ones are not', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: 0, max: 30 }),
      (seed, drop, twice) => {
        const faults = { ...NO_FAULTS, drop: drop / 100, duplicate: twice / 100, flip: 0.05, fragment: 0.2 };
        const pair = new LossyPair(seed, faults, limits(1));
        for (let i = 0; i < 200; i++) {
          pair.device.link.sendUnsequenced(CHANNEL.sample, numbered(i, i % 100));
          pair.run(pair.nowMs + 1);
        }
        pair.run();
        const numbers = new Set(numbersOf(pair.host.inbox));
        const last = Math.max(-1, ...numbers);
        // The link can't see a loss after the last frame that came. Block numbers and runEnded show it.
        expect(pair.host.link.counters.sampleFramesLost).toBe(last + 1 - numbers.size);
      },
    ),
    { seed: SEED, numRuns: 100 },
  );
});

test('a dead medium gives a failed link after a bounded number of frames', () => {
  const pair = new LossyPair(1, { ...NO_FAULTS, drop: 1 }, limits(4));
  for (let i = 0; i < 10; i++) pair.host.outbox.push(numbered(i));
  pair.run();
  expect(pair.host.link.failed).toBe(true);
  expect(pair.host.written.length).toBe(4 * RETRIES_MAX);
  expect(pair.device.inbox).toEqual([]);
});
